#include "graph/graph_format.h"

#include <algorithm>
#include <cmath>

#include "base/checksum.h"
#include "base/status.h"
#include "distance/distance.h"

namespace semantic_index {

namespace {

constexpr int64_t kEndBytes = 4096;
constexpr int32_t kMinStride = 16;
constexpr int32_t kMaxLandmarks = 1 << 15;

size_t index_of(GraphSection section) { return static_cast<size_t>(section); }

constexpr const char* kSectionNames[kGraphSections] = {"high nibbles", "low nibbles", "neighbors", "items",
                                                       "norms",        "residuals",   "estimates", "originals",
                                                       "slots",        "leaves",      "landmarks", "centroid"};

}  // namespace

const SectionedFormat kGraphFormat = {{'S', 'I', 'A', 'C', 'C', 'E', 'L', '\n'}, 4, "graph index", kSectionNames};

bool supports_graph(Metric metric, int32_t dimensions) {
  const bool is_metric = metric == Metric::angular || metric == Metric::euclidean || metric == Metric::dot;
  return is_metric && dimensions <= kMaxGraphDimensions;
}

int32_t landmark_stride(int32_t distinct) {
  int32_t stride = kMinStride;
  while (distinct / stride > kMaxLandmarks) stride *= 2;
  return stride;
}

uint64_t ends_checksum(const uint8_t* bytes, int64_t size) {
  const int64_t length = std::min(size, kEndBytes);
  Checksum sum;
  sum.update(bytes, static_cast<size_t>(length));
  sum.update(bytes + size - length, static_cast<size_t>(length));
  return sum.value();
}

int64_t layout_sections(GraphHeader* header) {
  const int64_t positions = header->positions;
  const bool has_norms = header->metric == static_cast<uint32_t>(Metric::euclidean);
  const bool has_estimates = header->metric != static_cast<uint32_t>(Metric::dot);
  int64_t bytes[kGraphSections] = {};
  bytes[index_of(GraphSection::high_nibbles)] = positions * (header->row_bytes / 2);
  bytes[index_of(GraphSection::low_nibbles)] = positions * (header->row_bytes / 2);
  bytes[index_of(GraphSection::neighbors)] = static_cast<int64_t>(header->distinct) * kMaxNeighbors * 4;
  bytes[index_of(GraphSection::items)] = positions * 4;
  bytes[index_of(GraphSection::norms)] = has_norms ? positions * 4 : 0;
  bytes[index_of(GraphSection::residuals)] = positions * static_cast<int64_t>(sizeof(RowResiduals));
  bytes[index_of(GraphSection::estimates)] = has_estimates ? positions * static_cast<int64_t>(sizeof(RowNorms)) : 0;
  bytes[index_of(GraphSection::originals)] = (positions - header->distinct) * 4;
  bytes[index_of(GraphSection::slots)] = static_cast<int64_t>(header->items) * 4;
  bytes[index_of(GraphSection::leaves)] = positions * static_cast<int64_t>(sizeof(LeafEntry));
  bytes[index_of(GraphSection::landmarks)] = static_cast<int64_t>(landmark_count(*header) * kSketchWords * 8);
  bytes[index_of(GraphSection::centroid)] = static_cast<int64_t>(header->dimensions) * 4;
  for (size_t section = 0; section < kGraphSections; ++section) header->sections[section].bytes = bytes[section];
  SectionedHeader sections(header);
  sections.place(kGraphFormat);
  return sections.file_bytes();
}

Status check_header(const uint8_t* bytes, int64_t size, GraphHeader* header) {
  SectionedHeader sections(header);
  const Status status = sections.read(kGraphFormat, bytes, size);
  if (!status.ok()) return status;
  // The checksum detects accidental damage; the checks below also reject crafted headers.
  const bool is_metric = header->metric <= static_cast<uint32_t>(Metric::hamming) &&
                         supports_graph(static_cast<Metric>(header->metric), header->dimensions);
  if (!is_metric || header->dimensions < 1) return corrupt("the graph index has no possible metric or dimensions");
  const auto dimensions = static_cast<size_t>(header->dimensions);
  if (header->row_bytes != (dimensions + kInt8Block - 1) / kInt8Block * kInt8Block) {
    return corrupt("the graph index's rows have the wrong length");
  }
  if (header->items < 0 || header->positions < 0 || header->positions > header->items || header->distinct < 0 ||
      header->distinct > header->positions || (header->distinct == 0) != (header->positions == 0) ||
      header->landmark_stride != landmark_stride(header->distinct) || !std::isfinite(header->scale) ||
      !(header->scale > 0) || !(header->longest >= 0) || header->needs_trees > 1) {
    return corrupt("the graph index's counts are impossible");
  }
  GraphHeader expected = *header;
  layout_sections(&expected);
  for (size_t section = 0; section < kGraphSections; ++section) {
    if (expected.sections[section].bytes != header->sections[section].bytes) {
      return corrupt("the graph index's sections do not have the sizes that its counts ask for");
    }
  }
  return sections.check_places(kGraphFormat, size);
}

}  // namespace semantic_index
