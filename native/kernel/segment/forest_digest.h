#ifndef SEMANTIC_INDEX_KERNEL_SEGMENT_FOREST_DIGEST_H_
#define SEMANTIC_INDEX_KERNEL_SEGMENT_FOREST_DIGEST_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "base/status.h"
#include "segment/forest.h"

namespace semantic_index {

/** Checksums that identify the bytes of a forest. The first three are SHA-256 in lower-case hexadecimal. */
struct ForestDigest {
  /** Of the item nodes. */
  std::string items;
  /** Of the tree nodes. */
  std::string forest;
  /** Of the first and the last `kDigestEndBytes` bytes: a cheap check that two files differ. */
  std::string ends;
  /** XXH64 of all bytes, as `checksum_text` writes it. */
  std::string content;
};

constexpr int64_t kDigestEndBytes = 4096;

/** Computes all checksums in one pass over the forest. cancelled, file_changed. */
Status compute_digest(const Forest& forest, const std::atomic<bool>* cancel, ForestDigest* digest);

/** Computes `ForestDigest::content` alone. cancelled, file_changed. */
Status compute_content(const Forest& forest, const std::atomic<bool>* cancel, std::string* content);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_SEGMENT_FOREST_DIGEST_H_
