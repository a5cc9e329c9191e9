#ifndef SEMANTIC_INDEX_KERNEL_TERMS_TERMS_PART_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_TERMS_PART_H_

#include <cstdint>

#include "base/item_bits.h"
#include "terms/terms_tail.h"
#include "terms/terms_view.h"

namespace semantic_index {

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
