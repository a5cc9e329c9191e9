#ifndef SEMANTIC_INDEX_KERNEL_TERMS_TERMS_PART_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_TERMS_PART_H_

#include <cstdint>

#include "terms/terms_tail.h"
#include "terms/terms_view.h"

namespace semantic_index {

/** A set of items: item i is in it when bit i % 32 of word i / 32 is set; beyond `words` there are none. */
struct ItemBits {
  const uint32_t* bits = nullptr;
  int64_t words = 0;

  bool contains(uint32_t item) const {
    return static_cast<int64_t>(item >> 5) < words && ((bits[item >> 5] >> (item & 31)) & 1u) != 0;
  }
};

/** A file or the first `items` documents of a tail, and which of its documents are deleted. Owns nothing. */
struct TermsPart {
  const TermsView* view = nullptr;
  const TermsTail* tail = nullptr;
  int32_t items = 0;
  ItemBits dead;

  static TermsPart of(const TermsView& view, ItemBits dead = {}) { return {&view, nullptr, view.items(), dead}; }
  /** The documents that the tail has now. */
  static TermsPart of(const TermsTail& tail, ItemBits dead = {}) { return {nullptr, &tail, tail.items(), dead}; }

  const uint32_t* lengths() const { return view != nullptr ? view->lengths() : tail->lengths(); }
  uint64_t total_length() const { return view != nullptr ? view->header().total_length : tail->total_length(items); }
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_TERMS_PART_H_
