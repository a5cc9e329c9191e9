#ifndef SEMANTIC_INDEX_KERNEL_BASE_ITEM_BITS_H_
#define SEMANTIC_INDEX_KERNEL_BASE_ITEM_BITS_H_

#include <cstdint>

namespace semantic_index {

/** A set of items: item i is in it when bit i % 32 of word i / 32 is set; beyond `words` there are none. */
struct ItemBits {
  const uint32_t* bits = nullptr;
  int64_t words = 0;

  bool contains(uint32_t item) const {
    return static_cast<int64_t>(item >> 5) < words && ((bits[item >> 5] >> (item & 31)) & 1u) != 0;
  }
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_BASE_ITEM_BITS_H_
