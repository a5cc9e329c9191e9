#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_LEAF_GROUPS_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_LEAF_GROUPS_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "annoy/forest_view.h"
#include "base/status.h"

namespace semantic_index {

/** The items of one tree, grouped by leaves: items near each other in the tree are near each other in space. */
struct LeafGroups {
  /** Items, leaf by leaf in tree order; each item of the tree once. */
  std::vector<int32_t> items;
  /** The largest subtrees of at most `group_items` items, or single leaves above that, as parts of `items`. */
  std::vector<std::pair<int64_t, int64_t>> groups;
};

/**
 * Reads the tree below `root`, skipping holes. corrupt when the tree leaves the file, has a cycle, or has more items
 * below a node than the node states. May throw bad_alloc. `seen` has one element per item, none equal to `mark`.
 */
Status read_tree(const ForestView& forest, int32_t root, int64_t group_items, std::vector<int32_t>* seen, int32_t mark,
                 LeafGroups* tree);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_LEAF_GROUPS_H_
