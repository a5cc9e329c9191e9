#include "segment/forest.h"

#include <cstring>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "io/atomic_file.h"
#include "segment/pieces.h"

namespace semantic_index {

namespace {

constexpr int32_t kItemsPerCancelCheck = 4096;

/** The node layout of the file `bytes`; for dot, it depends on the bytes. */
Status detect_layout(const uint8_t* bytes, int64_t size, Metric metric, int32_t dimensions, NodeLayout* layout) {
  DotLayout dot_layout = DotLayout::released;
  if (metric == Metric::dot) {
    const Status status = detect_dot_layout(bytes, size, dimensions, &dot_layout);
    if (!status.ok()) return status;
  }
  return make_layout(metric, dimensions, layout, dot_layout);
}

}  // namespace

int64_t Forest::heap_bytes() const {
  if (storage) return storage->is_on_disk() ? 0 : storage->capacity_bytes();
  return bytes ? size : 0;
}

Status forest_from_storage(std::shared_ptr<NodeStorage> storage, ForestPointer* forest) try {
  auto made = std::make_shared<Forest>();
  const Status status = ForestView::open(storage->data(), storage->bytes(), storage->layout(), &made->view);
  if (!status.ok()) return status;
  made->size = storage->bytes();
  made->storage = std::move(storage);
  *forest = std::move(made);
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status forest_from_file(const std::string& path, Metric metric, int32_t dimensions, ForestPointer* forest) try {
  auto made = std::make_shared<Forest>();
  Status status = MappedFile::open(path, &made->file);
  if (!status.ok()) return status;
  const MappedFile& file = *made->file;
  NodeLayout layout;
  status = detect_layout(file.data(), file.size(), metric, dimensions, &layout);
  if (!status.ok()) return status;
  status = ForestView::open(file.data(), file.size(), layout, &made->view, &file.changed());
  if (!status.ok()) return status;
  made->size = file.size();
  *forest = std::move(made);
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status forest_from_bytes(std::unique_ptr<uint64_t[]> bytes, int64_t size, Metric metric, int32_t dimensions,
                         ForestPointer* forest) try {
  auto made = std::make_shared<Forest>();
  made->bytes = std::move(bytes);
  const auto* copy = reinterpret_cast<const uint8_t*>(made->bytes.get());
  NodeLayout layout;
  Status status = detect_layout(copy, size, metric, dimensions, &layout);
  if (!status.ok()) return status;
  status = ForestView::open(copy, size, layout, &made->view);
  if (!status.ok()) return status;
  made->size = size;
  *forest = std::move(made);
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status copy_items(const Forest& forest, const std::atomic<bool>* cancel, std::shared_ptr<NodeStorage>* storage) try {
  const ForestView& view = forest.view;
  NodeLayout layout;
  Status status = make_layout(view.layout().metric, view.layout().dimensions, &layout);
  std::unique_ptr<NodeStorage> copy;
  if (status.ok()) status = NodeStorage::in_memory(layout, &copy);
  if (status.ok()) status = copy->reserve(view.items());
  std::vector<float> vector(static_cast<size_t>(layout.dimensions));
  for (int32_t item = 0; status.ok() && item < view.items(); item++) {
    if (item % kItemsPerCancelCheck == 0 && is_raised(cancel)) return cancelled();
    if (!view.has_item(item)) continue;
    status = view.item_vector(item, vector.data());
    if (status.ok()) status = copy->set_item(item, vector.data());
  }
  // Zero pages of a truncated file look like holes, which are valid.
  if (status.ok()) status = view.check_unchanged();
  if (status.ok()) *storage = std::move(copy);
  return status;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status copy_bytes(const Forest& forest, const std::atomic<bool>* cancel, uint8_t* target) {
  const bool all = for_each_piece(0, forest.size, cancel, [&](int64_t offset, size_t size) {
    std::memcpy(target + offset, forest.data() + offset, size);
    return true;
  });
  return all ? forest.view.check_unchanged() : cancelled();
}

Status save_forest(const Forest& forest, const std::string& path, const std::atomic<bool>* cancel) {
  const BytesView all{forest.data(), forest.size};
  const Status status = save_atomically(path, &all, 1, cancel);
  return status.ok() ? forest.view.check_unchanged() : status;
}

Status compare_forests(const Forest& left, const Forest& right, const std::atomic<bool>* cancel, bool* equal) {
  *equal = left.size == right.size;
  if (!*equal) return Status::success();
  const bool all = for_each_piece(0, left.size, cancel, [&](int64_t offset, size_t size) {
    *equal = std::memcmp(left.data() + offset, right.data() + offset, size) == 0;
    return *equal;
  });
  if (!all && *equal) return Status::failure(StatusCode::cancelled, "The comparison was cancelled");
  const Status status = left.view.check_unchanged();
  return status.ok() ? right.view.check_unchanged() : status;
}

}  // namespace semantic_index
