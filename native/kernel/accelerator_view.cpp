#include "accelerator_view.h"

#include <algorithm>
#include <new>

#include "checksum.h"

namespace semantic_index {

namespace {

Status corrupt(const char* message) { return Status::failure(StatusCode::corrupt, message); }

}  // namespace

Status AcceleratorView::open(const uint8_t* bytes, int64_t size, const ForestView& forest, AcceleratorView* view,
                             const std::atomic<bool>* changed) try {
  if (reinterpret_cast<uintptr_t>(bytes) % 8 != 0) {
    return Status::failure(StatusCode::invalid_argument, "the bytes are not aligned to 8");
  }
  AcceleratorView result;
  const Status status = check_header(bytes, size, &result.header_);
  if (!status.ok()) return status;
  const AcceleratorHeader& header = result.header_;
  const NodeLayout& layout = forest.layout();
  const int64_t forest_bytes = static_cast<int64_t>(forest.nodes()) * static_cast<int64_t>(layout.node_bytes);
  if (header.metric != static_cast<uint32_t>(layout.metric) || header.dimensions != layout.dimensions ||
      header.items != forest.items() || header.forest_bytes != forest_bytes || forest_bytes == 0 ||
      header.forest_ends != ends_checksum(forest.node(0), forest_bytes)) {
    return Status::failure(StatusCode::invalid_argument, "the accelerator was derived from another file");
  }
  result.bytes_ = bytes;
  result.changed_ = changed;
  result.sketch_ = std::make_shared<SignSketch>(static_cast<size_t>(header.dimensions));
  result.rotation_ = std::make_shared<Rotation>(static_cast<size_t>(header.dimensions));
  *view = std::move(result);
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status AcceleratorView::neighbors(int32_t position, int32_t* items, int32_t* count) const {
  *count = 0;
  if (position < 0 || position >= header_.positions) {
    return Status::failure(StatusCode::invalid_argument, "there is no such position");
  }
  const uint8_t* record =
      section<uint8_t>(AcceleratorSection::records) + static_cast<size_t>(position) * record_bytes(header_.row_bytes);
  for (int32_t rank = 0; rank < kMostNeighbors; ++rank) {
    const int32_t other = read_int32(record + header_.row_bytes + 4 * static_cast<size_t>(rank));
    if (other == -1) break;
    if (other < 0 || other >= header_.positions) return corrupt("a neighbour does not exist");
    items[(*count)++] = section<int32_t>(AcceleratorSection::items)[other];
  }
  return Status::success();
}

Status AcceleratorView::verify(const ForestView& forest, const std::atomic<bool>* cancel) const {
  constexpr const char* kParts[kAcceleratorSections] = {"records", "items", "norms", "landmarks", "centre"};
  constexpr int64_t kPiece = 1 << 22;
  const auto sum_of = [&](const uint8_t* data, int64_t size, uint64_t* sum) {
    Checksum checksum;
    for (int64_t at = 0; at < size; at += kPiece) {
      if (cancel != nullptr && cancel->load()) return false;
      checksum.update(data + at, static_cast<size_t>(std::min(kPiece, size - at)));
    }
    *sum = checksum.value();
    return true;
  };
  uint64_t sum = 0;
  for (size_t part = 0; part < kAcceleratorSections; ++part) {
    const SectionPlace& place = header_.sections[part];
    if (!sum_of(bytes_ + place.offset, place.bytes, &sum)) return {StatusCode::cancelled, 0, {}};
    if (sum != place.checksum)
      return Status::failure(StatusCode::corrupt, std::string("damaged part: ") + kParts[part]);
  }
  if (!sum_of(forest.node(0), header_.forest_bytes, &sum)) return {StatusCode::cancelled, 0, {}};
  if (sum != header_.forest_checksum) {
    return Status::failure(StatusCode::invalid_argument, "the accelerator was derived from another file");
  }
  const Status own = check_unchanged();
  if (!own.ok()) return own;
  return forest.check_unchanged();
}

Status AcceleratorView::check_unchanged() const {
  if (changed_ == nullptr || !changed_->load(std::memory_order_acquire)) return Status::success();
  return Status::failure(StatusCode::file_changed, "the accelerator was cut short while it was in use");
}

}  // namespace semantic_index
