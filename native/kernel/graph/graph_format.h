#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_GRAPH_FORMAT_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_GRAPH_FORMAT_H_

#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "distance/metric.h"
#include "io/sectioned_file.h"

namespace semantic_index {

/** Neighbors stored per position. */
constexpr int32_t kMaxNeighbors = 32;
/** Marks the end of a list of fewer neighbors. */
constexpr uint32_t kNoNeighbor = 0xffffffffu;
/** Longer vectors get no graph index: the sums of their int8 products could overflow. */
constexpr int32_t kMaxGraphDimensions = 1 << 15;

/** The sections of the file, in order. */
enum class GraphSection : uint32_t {
  /** For each position: the high nibbles of its quantized row (see split_int8), `row_bytes` / 2 bytes. */
  high_nibbles,
  /** For each position: the low nibbles. */
  low_nibbles,
  /** For each distinct position: kMaxNeighbors positions. */
  neighbors,
  /** For each position: its item in the Annoy file. */
  items,
  /** For each position: the squared length of its vector (euclidean only). */
  norms,
  /** For each position: a RowResiduals. */
  residuals,
  /** For each position: a RowNorms (angular and euclidean only). */
  estimates,
  /** For each position that is a copy: the position of its original, with kSameBytes. */
  originals,
  /** For each item: its slot in the leaf order of the first tree, -1 for holes. */
  slots,
  /** For each slot: a LeafEntry. */
  leaves,
  /** The sketches of the landmarks, word by word: the first words of all, then the second words, and so on. */
  landmarks,
  /** The centroid, subtracted from every vector before quantization, rotated: `dimensions` floats. */
  centroid,
};
constexpr size_t kGraphSections = 12;

/** The format of graph index files (.accel). See native/FORMAT.md. */
extern const SectionedFormat kGraphFormat;

/** The length of a row's quantization residual, never rounded down. */
struct RowResiduals {
  /** With the high nibbles alone, taking 8 for each low nibble. */
  float high;
  float whole;
};

/**
 * Squared lengths for distance estimates: |v|^2 - 2 v.r, where v is the centered vector and r its quantization
 * residual. The estimated distance of a query q is then off by 2 (q - v).r, which vanishes when q is near v. With |v|^2
 * alone it would be off by 2 q.r, as much as the distances within a group of near-duplicates.
 */
struct RowNorms {
  /** With the high nibbles alone, taking 8 for each low nibble. */
  float high;
  float whole;
};

/** 64-bit words of a sketch. */
constexpr size_t kSketchWords = 3;

/** An item of a leaf: a distinct position, and the sketch of its vector. */
struct LeafEntry {
  uint64_t sketch[kSketchWords];
  uint32_t position;
  uint32_t unused;
};

/** In an original: the vector has the same bytes as that of the position before, or of the original if it is first. */
constexpr uint32_t kSameBytes = 0x80000000u;

/** The beginning of the file. Integers and floats are little-endian. */
struct GraphHeader {
  char magic[8];
  uint32_t version;
  uint32_t metric;
  int32_t dimensions;
  /** Items of the Annoy file, holes included. */
  int32_t items;
  /** Items that are not holes: the positions. */
  int32_t positions;
  /** Positions below this have distinct quantized rows. The others are copies, sorted by their originals. */
  int32_t distinct;
  /** Distinct positions that are multiples of this are landmarks. */
  int32_t landmark_stride;
  uint32_t row_bytes;
  /** The quantization step. */
  float scale;
  /** Upper bound of the length of every dequantized row. */
  float longest;
  /** 1 if walks of the graph find less than walks of the trees (dot only): searches then walk both. Otherwise 0. */
  uint32_t needs_trees;
  /** The source Annoy file: its size, the XXH64 of both its ends, and the XXH64 of all its bytes. */
  int64_t forest_bytes;
  uint64_t forest_ends;
  uint64_t forest_checksum;
  SectionRange sections[kGraphSections];
  /** XXH64 of the preceding bytes. */
  uint64_t header_checksum;
};

/** The stride between landmarks: 16, or larger to keep their number within 32,768. */
int32_t landmark_stride(int32_t distinct);

/** The number of landmarks. */
static inline size_t landmark_count(const GraphHeader& header) {
  return (static_cast<size_t>(header.distinct) + static_cast<size_t>(header.landmark_stride) - 1) /
         static_cast<size_t>(header.landmark_stride);
}

/** True for the metrics that graph indexes support: angular, euclidean and dot. */
bool supports_graph(Metric metric, int32_t dimensions);

/** XXH64 of the first and the last 4096 bytes: distinguishes files by reading two pages. */
uint64_t ends_checksum(const uint8_t* bytes, int64_t size);

/**
 * Writes magic and version, and sets offset and size of each section from the counts in the header. Returns the bytes
 * of the whole file. Leaves the checksums alone.
 */
int64_t layout_sections(GraphHeader* header);

/**
 * Reads and checks a header: sections must lie within the file and have the sizes that follow from the counts.
 * wrong_layout for another kind of file or another version, corrupt when the header contradicts itself.
 */
Status check_header(const uint8_t* bytes, int64_t size, GraphHeader* header);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_GRAPH_FORMAT_H_
