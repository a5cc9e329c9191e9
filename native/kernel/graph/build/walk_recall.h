#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_WALK_RECALL_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_WALK_RECALL_H_

#include <atomic>

#include "annoy/forest_view.h"
#include "base/status.h"
#include "graph/graph_view.h"

namespace semantic_index {

/**
 * Measures whether walks of the graph of a dot index find less than walks of its trees, by searching for items both
 * ways and by a scan. When lengths vary widely, the graph connects vectors of similar length, but products favor the
 * longest, and a walk can end before it reaches them. The result is the same on any instruction set. cancelled,
 * file_changed, out_of_memory.
 */
Status measure_walks(const GraphView& view, const ForestView& forest, const std::atomic<bool>* cancel,
                     bool* needs_trees);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_WALK_RECALL_H_
