#ifndef SEMANTIC_INDEX_KERNEL_SEGMENT_PIECES_H_
#define SEMANTIC_INDEX_KERNEL_SEGMENT_PIECES_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/cancel.h"

namespace semantic_index {

/**
 * Calls take(offset, size) for consecutive pieces of begin..end-1. Returns false when `take` returned false or the
 * cancel flag was raised between two pieces.
 */
template <typename Take>
bool for_each_piece(int64_t begin, int64_t end, const std::atomic<bool>* cancel, const Take& take) {
  constexpr int64_t kPiece = 1 << 20;
  for (int64_t offset = begin; offset < end; offset += kPiece) {
    if (is_raised(cancel)) return false;
    if (!take(offset, static_cast<size_t>(std::min(kPiece, end - offset)))) return false;
  }
  return true;
}

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_SEGMENT_PIECES_H_
