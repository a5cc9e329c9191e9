#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_GRAPH_FORMAT_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_GRAPH_FORMAT_H_

#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "distance/metric.h"

namespace semantic_index {

/** The first bytes of an accelerator file. See native/FORMAT.md. */
constexpr char kGraphMagic[8] = {'S', 'I', 'A', 'C', 'C', 'E', 'L', '\n'};
constexpr uint32_t kGraphVersion = 4;
/** Every section begins at a multiple of this, counted from the start of the file. */
constexpr int64_t kSectionAlignment = 64;
/** Room for the neighbours of a position. */
constexpr int32_t kMaxNeighbors = 32;
/** In the place of a neighbour: there are no more. */
constexpr uint32_t kNoNeighbor = 0xffffffffu;
/** Longer vectors have no accelerator: their integer sums would not fit. */
constexpr int32_t kMaxGraphDimensions = 1 << 15;

/** The parts of the file, in their order. */
enum class GraphSection : uint32_t {
  /** For each position: the upper halves of its integers (see split_int8), `row_bytes` / 2. */
  high_nibbles,
  /** For each position: the lower halves. */
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
  /** For each position that is a copy: the position it is a copy of, with kSameBytes. */
  originals,
  /** For each item: its place in the order of the first tree's leaves, -1 for holes. */
  slots,
  /** For each place: a LeafEntry. */
  leaves,
  /** For each landmark: the sketch of its vector, word by word: first words of all, then second ones. */
  landmarks,
  /** What was subtracted from every vector, rotated: `dimensions` floats. */
  centroid,
};
constexpr size_t kGraphSections = 12;

/** Where a section is, and the XXH64 of its bytes. */
struct SectionRange {
  int64_t offset;
  int64_t bytes;
  uint64_t checksum;
};

/** The lengths of what a row's integers leave over of its vector, not rounded down. */
struct RowResiduals {
  /** Of the upper halves, taking 8 for each lower one. */
  float high;
  float whole;
};

/**
 * Squared lengths from which distances are estimated: |v|^2 - 2 v.r for a centered vector v of which r is what its
 * integers leave over. With it, the estimate of a distance between a query and v is off by 2 (q - v).r, which vanishes
 * where q is near v; with |v|^2 alone it is off by 2 q.r, as large as the distances within a group of near-duplicates.
 */
struct RowNorms {
  /** For the upper halves, taking 8 for each lower one. */
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
  /** Positions below this have distinct integers. The others are copies, sorted by what they are copies of. */
  int32_t distinct;
  /** Distinct positions that are multiples of this are landmarks. */
  int32_t landmark_stride;
  uint32_t row_bytes;
  /** An integer of a row stands for this much. */
  float scale;
  /** No row's integers stand for a vector longer than this. */
  float longest;
  /** 1: walks through the graph alone find less than the trees do (dot only), so searches walk these as well; else 0.
   */
  uint32_t needs_trees;
  /** The Annoy file that this was derived from: its size, the XXH64 of both its ends, and that of all its bytes. */
  int64_t forest_bytes;
  uint64_t forest_ends;
  uint64_t forest_checksum;
  SectionRange sections[kGraphSections];
  /** XXH64 of what comes before. */
  uint64_t header_checksum;
};

/** The distance between landmarks: every 16th position is one, fewer where that would be over 32,768. */
int32_t landmark_stride(int32_t distinct);

/** How many landmarks there are. */
static inline size_t landmark_count(const GraphHeader& header) {
  return (static_cast<size_t>(header.distinct) + static_cast<size_t>(header.landmark_stride) - 1) /
         static_cast<size_t>(header.landmark_stride);
}

/** True for the metrics that an accelerator can be derived for: angular, euclidean and dot. */
bool supports_graph(Metric metric, int32_t dimensions);

/** XXH64 of the first and the last 4096 bytes, one after the other: tells files apart at the cost of two pages. */
uint64_t ends_checksum(const uint8_t* bytes, int64_t size);

/** Sets the size of each section from the counts in the header, and its place. The checksums are left alone. */
void layout_sections(GraphHeader* header);

/** Bytes of the whole file. */
int64_t graph_bytes(const GraphHeader& header);

/**
 * Whether the first `size` bytes of a file are a header of this version whose sections lie within the file and have the
 * sizes that the counts ask for. wrong_layout when it is no accelerator or one of another version, corrupt when the
 * header contradicts itself.
 */
Status check_header(const uint8_t* bytes, int64_t size, GraphHeader* header);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_GRAPH_FORMAT_H_
