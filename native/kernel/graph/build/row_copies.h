#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_ROW_COPIES_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_ROW_COPIES_H_

#include <cstdint>
#include <vector>

#include "graph/build/leaf_groups.h"
#include "graph/build/neighbor_graph.h"

namespace semantic_index {

/** Rows that are equal to other rows. */
struct RowCopies {
  /** For each position, the position with an equal row and the lowest item: itself unless it is a copy. */
  std::vector<int32_t> original_of;
  int32_t count = 0;
};

/** Finds the rows with equal quantized values and extra coordinates. `items` has the item of each position. */
RowCopies find_copies(const GraphRows& rows, const std::vector<int32_t>& items);

/**
 * Removes copies from the groups of a tree. Groups that lost members are merged with adjacent groups, up to
 * `group_items` in all; otherwise a group of many copies would have no other row to compare with.
 */
void leave_out_copies(const RowCopies& copies, int64_t group_items, LeafGroups* tree);

/**
 * Orders copies after all distinct positions: by original, then copies with the bytes of the original first, then by
 * bytes, then by item. Returns the section of originals. May throw bad_alloc.
 */
std::vector<uint32_t> put_copies_last(const RowCopies& copies, const ForestView& forest,
                                      const std::vector<int32_t>& items, std::vector<int32_t>* order);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_ROW_COPIES_H_
