#ifndef SEMANTIC_INDEX_KERNEL_BASE_ITEM_RANGES_H_
#define SEMANTIC_INDEX_KERNEL_BASE_ITEM_RANGES_H_

#include <cstdint>

namespace semantic_index {

/** Items of a range: item i is in range i / kRangeItems. */
constexpr uint32_t kRangeItems = 4;
/** Ranges whose greatest bound is looked at first. */
constexpr uint32_t kRangeGroup = 16;

/** The number of ranges of so many items, rounded up to whole groups in either half of them. */
inline uint32_t range_count(uint32_t items) {
  constexpr uint32_t kStep = 2 * kRangeGroup * kRangeItems;
  return (items / kStep + (items % kStep == 0 ? 0 : 1)) * 2 * kRangeGroup;
}

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_BASE_ITEM_RANGES_H_
