#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_PRUNED_SCAN_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_PRUNED_SCAN_H_

#include <atomic>
#include <cstdint>

#include "annoy/forest_view.h"
#include "base/status.h"
#include "exact/scan.h"
#include "graph/graph_view.h"

namespace semantic_index {

/**
 * Offers to `scan` every item at the positions begin..end-1 that can be among its nearest: what ExactScan::scan finds
 * over all items of `forest` is found, with the same distances, from an eighth of the bytes. The product of two vectors
 * differs from that of their integers by at most the length of one times the length of what the other's integers leave
 * over (Cauchy, Schwarz); rows that cannot be near by this bound are passed over, first by their coarse halves, then by
 * whole integers, and what remains is compared by its floats. True of sound bytes: GraphView::verify_rows tells.
 * cancelled, corrupt, file_changed, out_of_memory.
 */
Status scan_pruned(const GraphView& view, const ForestView& forest, ExactScan* scan, int32_t begin, int32_t end,
                   const Allowed& allowed, const std::atomic<bool>* cancel = nullptr);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_PRUNED_SCAN_H_
