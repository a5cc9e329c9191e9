#include "segment/forest_digest.h"

#include <algorithm>
#include <new>

#include "base/checksum.h"
#include "base/sha256.h"
#include "segment/pieces.h"

namespace semantic_index {

namespace {

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

Status cancelled_checksum() { return Status::failure(StatusCode::cancelled, "The checksum was cancelled"); }

}  // namespace

Status compute_content(const Forest& forest, const std::atomic<bool>* cancel, std::string* content) try {
  Checksum sum;
  const bool all = for_each_piece(0, forest.size, cancel, [&](int64_t offset, size_t size) {
    sum.update(forest.data() + offset, size);
    return true;
  });
  if (!all) return cancelled_checksum();
  *content = checksum_text(sum.value());
  return forest.view.check_unchanged();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status compute_digest(const Forest& forest, const std::atomic<bool>* cancel, ForestDigest* digest) try {
  const uint8_t* bytes = forest.data();
  const int64_t boundary =
      static_cast<int64_t>(forest.view.items()) * static_cast<int64_t>(forest.view.layout().node_bytes);
  Checksum content;
  const auto update = [&](Sha256* sha, int64_t begin, int64_t end, Checksum* also = nullptr) {
    return for_each_piece(begin, end, cancel, [&](int64_t offset, size_t size) {
      sha->update(bytes + offset, size);
      if (also != nullptr) also->update(bytes + offset, size);
      return true;
    });
  };
  const int64_t end_bytes = std::min(kDigestEndBytes, forest.size);
  Sha256 items;
  Sha256 trees;
  Sha256 ends;
  const bool all = update(&items, 0, boundary, &content) && update(&trees, boundary, forest.size, &content) &&
                   update(&ends, 0, end_bytes) && update(&ends, forest.size - end_bytes, forest.size);
  if (!all) return cancelled_checksum();
  const Status status = forest.view.check_unchanged();
  if (!status.ok()) return status;
  digest->items = finish(&items);
  digest->forest = finish(&trees);
  digest->ends = finish(&ends);
  digest->content = checksum_text(content.value());
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
