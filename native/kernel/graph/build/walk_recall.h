#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_WALK_RECALL_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_WALK_RECALL_H_

#include <atomic>

#include "annoy/forest_view.h"
#include "base/status.h"
#include "graph/graph_view.h"

namespace semantic_index {

/**
 * Measures whether walks through the graph of a dot index find less than walks through its trees: items are searched
 * both ways and by a scan. Where lengths vary much, the graph joins vectors of like length, while products lead to the
 * longest, and a walk can end before it is there. The same for any instruction set. cancelled, file_changed,
 * out_of_memory.
 */
Status measure_walks(const GraphView& view, const ForestView& forest, const std::atomic<bool>* cancel,
                     bool* needs_trees);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_WALK_RECALL_H_
