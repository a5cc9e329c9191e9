#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_LEAF_GROUPS_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_LEAF_GROUPS_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "annoy/forest_view.h"
#include "base/status.h"

namespace semantic_index {

/** What one tree of a forest says about who is near whom. */
struct LeafGroups {
  /** Items, leaf by leaf: each item of the tree once, and what is near in the tree lies together. */
  std::vector<int32_t> items;
  /** The largest subtrees of at most `group_items` items, or single leaves above that, as parts of `items`. */
  std::vector<std::pair<int64_t, int64_t>> groups;
};

/**
 * Reads the tree below `root`. Holes are left out. corrupt when it leads out of the file, has a cycle, or has more
 * items below a node than that says. May throw bad_alloc. `seen` has an element for each item and none that is `mark`.
 */
Status read_tree(const ForestView& forest, int32_t root, int64_t group_items, std::vector<int32_t>* seen, int32_t mark,
                 LeafGroups* tree);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_LEAF_GROUPS_H_
