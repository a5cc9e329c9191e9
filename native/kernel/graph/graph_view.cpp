#include "graph/graph_view.h"

#include <new>

#include "base/status.h"

namespace semantic_index {

namespace {

Status of_another_forest() {
  return Status::failure(StatusCode::invalid_argument, "the graph index was derived from another file");
}

/** The distinct positions that have copies. */
std::shared_ptr<const std::vector<uint64_t>> mark_originals(const uint32_t* originals, const GraphHeader& header) {
  const auto distinct = static_cast<uint32_t>(header.distinct);
  auto marked = std::make_shared<std::vector<uint64_t>>((static_cast<size_t>(distinct) + 63) / 64, 0);
  for (int32_t copy = 0; copy < header.positions - header.distinct; ++copy) {
    const uint32_t original = originals[copy] & ~kSameBytes;
    if (original < distinct) (*marked)[original / 64] |= uint64_t{1} << (original % 64);
  }
  return marked;
}

}  // namespace

Status GraphView::open(const uint8_t* bytes, int64_t size, const ForestView& forest, GraphView* view,
                       const std::atomic<bool>* changed) try {
  if (reinterpret_cast<uintptr_t>(bytes) % 8 != 0) {
    return Status::failure(StatusCode::invalid_argument, "the bytes are not aligned to 8");
  }
  GraphView result;
  const Status status = check_header(bytes, size, &result.header_);
  if (!status.ok()) return status;
  const GraphHeader& header = result.header_;
  const NodeLayout& layout = forest.layout();
  const int64_t forest_bytes = static_cast<int64_t>(forest.nodes()) * static_cast<int64_t>(layout.node_bytes);
  if (header.metric != static_cast<uint32_t>(layout.metric) || header.dimensions != layout.dimensions ||
      header.items != forest.items() || header.forest_bytes != forest_bytes || forest_bytes == 0 ||
      header.forest_ends != ends_checksum(forest.node(0), forest_bytes)) {
    return of_another_forest();
  }
  result.bytes_ = bytes;
  result.changed_ = changed;
  result.sketch_ = std::make_shared<BinarySketch>(static_cast<size_t>(header.dimensions));
  result.rotation_ = std::make_shared<Rotation>(static_cast<size_t>(header.dimensions));
  if (header.positions > header.distinct)
    result.copied_ = mark_originals(result.section<uint32_t>(GraphSection::originals), header);
  *view = std::move(result);
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status GraphView::neighbors(int32_t position, int32_t* items, int32_t* count) const {
  *count = 0;
  if (position < 0 || position >= header_.distinct) {
    return Status::failure(StatusCode::invalid_argument, "the position does not exist");
  }
  const uint8_t* numbers =
      section<uint8_t>(GraphSection::neighbors) + static_cast<size_t>(position) * kMaxNeighbors * 4;
  for (int32_t rank = 0; rank < kMaxNeighbors; ++rank) {
    const int32_t other = read_int32(numbers + 4 * static_cast<size_t>(rank));
    if (other == -1) break;
    if (other < 0 || other >= header_.distinct) return corrupt("a neighbor does not exist");
    items[(*count)++] = section<int32_t>(GraphSection::items)[other];
  }
  return Status::success();
}

Status GraphView::verify_section(GraphSection section, const std::atomic<bool>* cancel) const {
  return semantic_index::verify_section(kGraphFormat, bytes_, header_.sections, static_cast<size_t>(section), cancel);
}

Status GraphView::verify_rows(const std::atomic<bool>* cancel) const {
  for (GraphSection section : {GraphSection::high_nibbles, GraphSection::low_nibbles, GraphSection::items,
                               GraphSection::norms, GraphSection::residuals, GraphSection::centroid}) {
    const Status status = verify_section(section, cancel);
    if (!status.ok()) return status;
  }
  return check_unchanged();
}

Status GraphView::verify(const ForestView& forest, const std::atomic<bool>* cancel) const {
  for (size_t section = 0; section < kGraphSections; ++section) {
    const Status status = verify_section(static_cast<GraphSection>(section), cancel);
    if (!status.ok()) return status;
  }
  const Status of_forest = verify_forest(forest, cancel);
  if (!of_forest.ok()) return of_forest;
  return check_unchanged();
}

Status GraphView::verify_forest(const ForestView& forest, const std::atomic<bool>* cancel) const {
  uint64_t sum = 0;
  const Status status = sum_bytes(forest.node(0), header_.forest_bytes, cancel, &sum);
  if (!status.ok()) return status;
  if (sum != header_.forest_checksum) return of_another_forest();
  return forest.check_unchanged();
}

Status GraphView::check_unchanged() const {
  if (changed_ == nullptr || !changed_->load(std::memory_order_acquire)) return Status::success();
  return Status::failure(StatusCode::file_changed, "the graph index was cut short while it was in use");
}

}  // namespace semantic_index
