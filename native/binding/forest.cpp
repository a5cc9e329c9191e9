#include "forest.h"

#include <algorithm>
#include <cstring>

namespace semantic_index {

namespace {

/** The layout of `bytes`, which for dot depends on what the bytes look like. */
Status layout_of(const uint8_t* bytes, int64_t size, Metric metric, int32_t dimensions, NodeLayout* layout) {
  DotLayout dot_layout = DotLayout::released;
  if (metric == Metric::dot) {
    const Status status = detect_dot_layout(bytes, size, dimensions, &dot_layout);
    if (!status.ok()) return status;
  }
  return make_layout(metric, dimensions, layout, dot_layout);
}

std::string hexadecimal(const uint8_t* bytes, size_t count) {
  static const char kDigits[] = "0123456789abcdef";
  std::string text;
  for (size_t index = 0; index < count; index++) {
    text.push_back(kDigits[bytes[index] >> 4]);
    text.push_back(kDigits[bytes[index] & 15]);
  }
  return text;
}

std::string finish(Sha256* sha) {
  uint8_t digest[32];
  sha->finish(digest);
  return hexadecimal(digest, sizeof digest);
}

}  // namespace

int64_t Forest::heap_bytes() const {
  if (storage) return storage->is_on_disk() ? 0 : storage->capacity_bytes();
  return bytes ? size : 0;
}

Status forest_of_storage(std::shared_ptr<NodeStorage> storage, ForestPointer* forest) {
  auto made = std::make_shared<Forest>();
  const Status status = ForestView::open(storage->data(), storage->bytes(), storage->layout(), &made->view);
  if (!status.ok()) return status;
  made->size = storage->bytes();
  made->storage = std::move(storage);
  *forest = std::move(made);
  return Status::success();
}

Status forest_of_file(const std::string& path, Metric metric, int32_t dimensions, bool prefault,
                      ForestPointer* forest) {
  auto made = std::make_shared<Forest>();
  Status status = MappedFile::open(path, prefault, &made->file);
  if (!status.ok()) return status;
  const MappedFile& file = *made->file;
  NodeLayout layout;
  status = layout_of(file.data(), file.size(), metric, dimensions, &layout);
  if (!status.ok()) return status;
  status = ForestView::open(file.data(), file.size(), layout, &made->view, &file.changed());
  if (!status.ok()) return status;
  made->size = file.size();
  *forest = std::move(made);
  return Status::success();
}

Status forest_of_bytes(std::unique_ptr<uint64_t[]> bytes, int64_t size, Metric metric, int32_t dimensions,
                       ForestPointer* forest) {
  auto made = std::make_shared<Forest>();
  made->bytes = std::move(bytes);
  const auto* copy = reinterpret_cast<const uint8_t*>(made->bytes.get());
  NodeLayout layout;
  Status status = layout_of(copy, size, metric, dimensions, &layout);
  if (!status.ok()) return status;
  status = ForestView::open(copy, size, layout, &made->view);
  if (!status.ok()) return status;
  made->size = size;
  *forest = std::move(made);
  return Status::success();
}

bool ends_equal(const Forest& left, const Forest& right) {
  if (left.size != right.size) return false;
  const int64_t start = std::max<int64_t>(0, left.size - kEndBytes);
  const auto length = static_cast<size_t>(left.size - start);
  return std::memcmp(left.data(), right.data(), length) == 0 &&
         std::memcmp(left.data() + start, right.data() + start, length) == 0;
}

Status digest_of(const Forest& forest, const std::atomic<bool>* cancel, ForestDigest* digest) {
  constexpr int64_t kPiece = 1 << 20;
  const uint8_t* bytes = forest.data();
  const int64_t boundary =
      static_cast<int64_t>(forest.view.items()) * static_cast<int64_t>(forest.view.layout().node_bytes);
  const auto update = [&](Sha256* sha, int64_t start, int64_t end) {
    for (int64_t at = start; at < end; at += kPiece) {
      if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) return false;
      sha->update(bytes + at, static_cast<size_t>(std::min(kPiece, end - at)));
    }
    return true;
  };
  const int64_t end_bytes = std::min(kEndBytes, forest.size);
  Sha256 items;
  Sha256 trees;
  Sha256 ends;
  const bool all = update(&items, 0, boundary) && update(&trees, boundary, forest.size) &&
                   update(&ends, 0, end_bytes) && update(&ends, forest.size - end_bytes, forest.size);
  if (!all) return Status::failure(StatusCode::cancelled, "The checksum was cancelled");
  const Status status = forest.view.check_unchanged();
  if (!status.ok()) return status;
  digest->items = finish(&items);
  digest->forest = finish(&trees);
  digest->ends = finish(&ends);
  return Status::success();
}

}  // namespace semantic_index
