#include "graph/graph_format.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/checksum.h"
#include "distance/distance.h"

namespace semantic_index {

namespace {

constexpr int64_t kEndBytes = 4096;
constexpr int32_t kLeastStride = 16;
constexpr int32_t kMostLandmarks = 1 << 15;

Status corrupt(const char* message) { return Status::failure(StatusCode::corrupt, message); }

size_t index_of(AcceleratorSection section) { return static_cast<size_t>(section); }

}  // namespace

bool can_accelerate(Metric metric, int32_t dimensions) {
  const bool is_metric = metric == Metric::angular || metric == Metric::euclidean || metric == Metric::dot;
  return is_metric && dimensions <= kMostAcceleratedDimensions;
}

int32_t landmark_stride(int32_t distinct) {
  int32_t stride = kLeastStride;
  while (distinct / stride > kMostLandmarks) stride *= 2;
  return stride;
}

uint64_t ends_checksum(const uint8_t* bytes, int64_t size) {
  const int64_t length = std::min(size, kEndBytes);
  Checksum sum;
  sum.update(bytes, static_cast<size_t>(length));
  sum.update(bytes + size - length, static_cast<size_t>(length));
  return sum.value();
}

void place_sections(AcceleratorHeader* header) {
  const int64_t positions = header->positions;
  const bool has_norms = header->metric == static_cast<uint32_t>(Metric::euclidean);
  const bool has_estimates = header->metric != static_cast<uint32_t>(Metric::dot);
  int64_t bytes[kAcceleratorSections] = {};
  bytes[index_of(AcceleratorSection::upper)] = positions * (header->row_bytes / 2);
  bytes[index_of(AcceleratorSection::lower)] = positions * (header->row_bytes / 2);
  bytes[index_of(AcceleratorSection::neighbors)] = static_cast<int64_t>(header->distinct) * kMostNeighbors * 4;
  bytes[index_of(AcceleratorSection::items)] = positions * 4;
  bytes[index_of(AcceleratorSection::norms)] = has_norms ? positions * 4 : 0;
  bytes[index_of(AcceleratorSection::residuals)] = positions * static_cast<int64_t>(sizeof(RowResiduals));
  bytes[index_of(AcceleratorSection::estimates)] =
      has_estimates ? positions * static_cast<int64_t>(sizeof(RowNorms)) : 0;
  bytes[index_of(AcceleratorSection::originals)] = (positions - header->distinct) * 4;
  bytes[index_of(AcceleratorSection::places)] = static_cast<int64_t>(header->items) * 4;
  bytes[index_of(AcceleratorSection::leaves)] = positions * static_cast<int64_t>(sizeof(LeafEntry));
  bytes[index_of(AcceleratorSection::landmarks)] = static_cast<int64_t>(landmark_count(*header) * kSketchWords * 8);
  bytes[index_of(AcceleratorSection::centre)] = static_cast<int64_t>(header->dimensions) * 4;
  int64_t offset = sizeof(AcceleratorHeader);
  for (size_t section = 0; section < kAcceleratorSections; ++section) {
    offset = (offset + kSectionAlignment - 1) / kSectionAlignment * kSectionAlignment;
    header->sections[section].offset = offset;
    header->sections[section].bytes = bytes[section];
    offset += bytes[section];
  }
}

int64_t accelerator_bytes(const AcceleratorHeader& header) {
  const SectionPlace& last = header.sections[kAcceleratorSections - 1];
  return last.offset + last.bytes;
}

Status check_header(const uint8_t* bytes, int64_t size, AcceleratorHeader* header) {
  if (size < static_cast<int64_t>(sizeof *header) ||
      std::memcmp(bytes, kAcceleratorMagic, sizeof kAcceleratorMagic) != 0) {
    return Status::failure(StatusCode::wrong_layout, "the file is no accelerator");
  }
  std::memcpy(header, bytes, sizeof *header);
  if (header->version != kAcceleratorVersion) {
    return Status::failure(StatusCode::wrong_layout, "the accelerator has another version of the format");
  }
  if (header->header_checksum != checksum(header, offsetof(AcceleratorHeader, header_checksum))) {
    return corrupt("the header of the accelerator is damaged");
  }
  // The checksum keeps accidents out; what follows also keeps out what was made to deceive.
  const bool is_metric = header->metric <= static_cast<uint32_t>(Metric::hamming) &&
                         can_accelerate(static_cast<Metric>(header->metric), header->dimensions);
  if (!is_metric || header->dimensions < 1) return corrupt("the accelerator has no possible metric or dimensions");
  const auto dimensions = static_cast<size_t>(header->dimensions);
  if (header->row_bytes != (dimensions + kInt8Block - 1) / kInt8Block * kInt8Block) {
    return corrupt("the accelerator's rows have the wrong length");
  }
  if (header->items < 0 || header->positions < 0 || header->positions > header->items || header->distinct < 0 ||
      header->distinct > header->positions || (header->distinct == 0) != (header->positions == 0) ||
      header->landmark_stride != landmark_stride(header->distinct) || !std::isfinite(header->scale) ||
      !(header->scale > 0) || !(header->longest >= 0) || header->needs_trees > 1) {
    return corrupt("the accelerator's counts are impossible");
  }
  AcceleratorHeader expected = *header;
  place_sections(&expected);
  for (size_t section = 0; section < kAcceleratorSections; ++section) {
    if (expected.sections[section].offset != header->sections[section].offset ||
        expected.sections[section].bytes != header->sections[section].bytes) {
      return corrupt("the accelerator's sections are not where its counts put them");
    }
  }
  if (accelerator_bytes(*header) != size) return corrupt("the accelerator does not have the size that it says");
  return Status::success();
}

}  // namespace semantic_index
