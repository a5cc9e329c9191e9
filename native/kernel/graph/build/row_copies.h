#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_ROW_COPIES_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_ROW_COPIES_H_

#include <cstdint>
#include <vector>

#include "graph/build/leaf_groups.h"
#include "graph/build/neighbor_graph.h"

namespace semantic_index {

/** Which rows are the same as others. */
struct RowCopies {
  /** For each position the one of the same row with the lowest item: itself unless it is a copy. */
  std::vector<int32_t> original_of;
  int32_t count = 0;
};

/** Finds the rows with equal integers and extra coordinates. `items` has the item of each position. */
RowCopies find_copies(const GraphRows& rows, const std::vector<int32_t>& items);

/**
 * Takes copies out of the groups of a tree. Groups that have lost members are joined with those beside them, which are
 * near in the tree, up to `group_items` in all: else a group of many copies would have no other row to compare with.
 */
void leave_out_copies(const RowCopies& copies, int64_t group_items, LeafGroups* tree);

/**
 * Puts copies behind all distinct positions: in the order of their originals, then those with the bytes of the
 * original, then by bytes; equal bytes by item. Returns the section of originals. May throw bad_alloc.
 */
std::vector<uint32_t> put_copies_last(const RowCopies& copies, const ForestView& forest,
                                      const std::vector<int32_t>& items, std::vector<int32_t>* order);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_ROW_COPIES_H_
