#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_POSITION_ITEMS_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_POSITION_ITEMS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/prefetch.h"
#include "distance/distance.h"
#include "distance/neighbors.h"
#include "graph/graph_view.h"

namespace semantic_index {

/**
 * The items at a distinct position: its own, then those of its copies. The numbers come from the file: the caller
 * checks that items exist.
 */
class PositionItems {
 public:
  explicit PositionItems(const GraphView& view)
      : items_(view.section<int32_t>(GraphSection::items)),
        has_copies_(view.positions_with_copies()),
        originals_(view.section<uint32_t>(GraphSection::originals)),
        distinct_(static_cast<size_t>(view.header().distinct)),
        copies_(static_cast<size_t>(view.header().positions) - distinct_) {}

  uint32_t item_of(size_t position) const { return static_cast<uint32_t>(items_[position]); }

  bool has_copies(uint32_t position) const {
    return has_copies_ != nullptr && (has_copies_[position / 64] >> (position % 64) & 1) != 0;
  }

  void prefetch_item(size_t position) const { prefetch(items_ + position, sizeof(int32_t)); }

  /** Calls take(item, has_same_bytes) for every copy of a position, until it returns false. */
  template <typename Take>
  void for_each_copy(uint32_t position, const Take& take) const {
    if (!has_copies(position)) return;
    const uint32_t* end = originals_ + copies_;
    const uint32_t* copy = std::lower_bound(originals_, end, position, [](uint32_t original, uint32_t wanted) {
      return (original & ~kSameBytes) < wanted;
    });
    for (; copy != end && (*copy & ~kSameBytes) == position; ++copy) {
      const size_t place = distinct_ + static_cast<size_t>(copy - originals_);
      if (!take(item_of(place), (*copy & kSameBytes) != 0)) return;
    }
  }

  /** Whether the filter allows the item at a position or one of its copies. */
  bool is_allowed(const Allowed& allowed, uint32_t position) const {
    if (allowed.contains(item_of(position))) return true;
    bool found = false;
    for_each_copy(position, [&](uint32_t item, bool) {
      found = allowed.contains(item);
      return !found;
    });
    return found;
  }

 private:
  const int32_t* items_;
  /** A bit for each distinct position; nullptr where none has copies. */
  const uint64_t* has_copies_;
  const uint32_t* originals_;
  const size_t distinct_;
  const size_t copies_;
};

/** How many items of a graph a filter allows. */
inline int64_t count_allowed(const DistanceTable& table, const Allowed& allowed, const GraphHeader& header) {
  constexpr size_t kPiece = 64;
  constexpr uint64_t kZeros[kPiece] = {};
  const int64_t words = std::min<int64_t>(allowed.words, (static_cast<int64_t>(header.items) + 31) / 32);
  int64_t count = 0;
  for (int64_t word = 0; word < words; word += 2 * kPiece) {
    uint64_t piece[kPiece] = {};
    const int64_t size = std::min<int64_t>(2 * kPiece, words - word);
    std::memcpy(piece, allowed.bits + word, static_cast<size_t>(size) * 4);
    count += static_cast<int64_t>(table.hamming(piece, kZeros, kPiece));
  }
  return std::min<int64_t>(count, header.positions);
}

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_POSITION_ITEMS_H_
