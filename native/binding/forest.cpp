#include "forest.h"

#include <algorithm>
#include <cstring>

#include "base/checksum.h"

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

/** Calls take(at, size) for the bytes from start to end; false when it was cancelled, or `take` returned false. */
template <typename Take>
bool in_pieces(int64_t start, int64_t end, const std::atomic<bool>* cancel, const Take& take) {
  constexpr int64_t kPiece = 1 << 20;
  for (int64_t at = start; at < end; at += kPiece) {
    if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) return false;
    if (!take(at, static_cast<size_t>(std::min(kPiece, end - at)))) return false;
  }
  return true;
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

Status forest_of_file(const std::string& path, Metric metric, int32_t dimensions, ForestPointer* forest) {
  auto made = std::make_shared<Forest>();
  Status status = MappedFile::open(path, &made->file);
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

std::string checksum_text(uint64_t checksum) {
  uint8_t bytes[8];
  for (int place = 0; place < 8; ++place) bytes[place] = static_cast<uint8_t>(checksum >> (56 - 8 * place));
  return hexadecimal(bytes, sizeof bytes);
}

Status content_of(const Forest& forest, const std::atomic<bool>* cancel, std::string* content) {
  Checksum sum;
  const bool all = in_pieces(0, forest.size, cancel, [&](int64_t at, size_t size) {
    sum.update(forest.data() + at, size);
    return true;
  });
  if (!all) return Status::failure(StatusCode::cancelled, "The checksum was cancelled");
  *content = checksum_text(sum.value());
  return forest.view.check_unchanged();
}

Status compare_forests(const Forest& left, const Forest& right, const std::atomic<bool>* cancel, bool* equal) {
  *equal = left.size == right.size;
  if (!*equal) return Status::success();
  const bool all = in_pieces(0, left.size, cancel, [&](int64_t at, size_t size) {
    *equal = std::memcmp(left.data() + at, right.data() + at, size) == 0;
    return *equal;
  });
  if (!all && *equal) return Status::failure(StatusCode::cancelled, "The comparison was cancelled");
  const Status status = left.view.check_unchanged();
  return status.ok() ? right.view.check_unchanged() : status;
}

Status digest_of(const Forest& forest, const std::atomic<bool>* cancel, ForestDigest* digest) {
  const uint8_t* bytes = forest.data();
  const int64_t boundary =
      static_cast<int64_t>(forest.view.items()) * static_cast<int64_t>(forest.view.layout().node_bytes);
  Checksum content;
  const auto update = [&](Sha256* sha, int64_t start, int64_t end, Checksum* also = nullptr) {
    return in_pieces(start, end, cancel, [&](int64_t at, size_t size) {
      sha->update(bytes + at, size);
      if (also != nullptr) also->update(bytes + at, size);
      return true;
    });
  };
  const int64_t end_bytes = std::min(kEndBytes, forest.size);
  Sha256 items;
  Sha256 trees;
  Sha256 ends;
  const bool all = update(&items, 0, boundary, &content) && update(&trees, boundary, forest.size, &content) &&
                   update(&ends, 0, end_bytes) && update(&ends, forest.size - end_bytes, forest.size);
  if (!all) return Status::failure(StatusCode::cancelled, "The checksum was cancelled");
  const Status status = forest.view.check_unchanged();
  if (!status.ok()) return status;
  digest->items = finish(&items);
  digest->forest = finish(&trees);
  digest->ends = finish(&ends);
  digest->content = checksum_text(content.value());
  return Status::success();
}

}  // namespace semantic_index
