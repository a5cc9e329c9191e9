#ifndef SEMANTIC_INDEX_KERNEL_SEARCH_ITEM_SETS_H_
#define SEMANTIC_INDEX_KERNEL_SEARCH_ITEM_SETS_H_

#include <cstdint>
#include <vector>

#include "distance/neighbors.h"

namespace semantic_index {

/** Number of the items below `items` that a set allows. */
int64_t count_items(const Allowed& set, int64_t items);

/** The items below `items` that are not in the set. */
std::vector<uint32_t> complement(const std::vector<uint32_t>& set, int64_t items);

/** The items below `items` that both sets allow, in `*both`; returns their number. */
int64_t intersect(const Allowed& left, const Allowed& right, int64_t items, std::vector<uint32_t>* both);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_SEARCH_ITEM_SETS_H_
