#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_PRUNED_SCAN_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_PRUNED_SCAN_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "annoy/forest_view.h"
#include "base/status.h"
#include "exact/scan.h"
#include "graph/graph_view.h"

namespace semantic_index {

/**
 * Offers to `scan` every item at the positions begin..end-1 that can be among its nearest. The result is that of
 * ExactScan::scan over all items of `forest`, with the same distances, but reads about an eighth of the bytes. The
 * product of two vectors differs from that of their quantized forms by at most the length of one times the length of
 * the other's quantization residual (Cauchy, Schwarz). Rows that this bound rules out are skipped, first by their high
 * nibbles, then by whole int8 values; the rest is compared by its floats. Correct only for undamaged bytes: see
 * GraphView::verify_rows. Stops at the first invalid item. cancelled, corrupt, file_changed, out_of_memory.
 */
Status scan_pruned(const GraphView& view, const ForestView& forest, ExactScan* scan, int32_t begin, int32_t end,
                   const Allowed& allowed, const std::atomic<bool>* cancel = nullptr);

/** Stands for an item that the graph does not have. */
constexpr uint32_t kNoPosition = UINT32_MAX;

/** Sets the position of each item of a forest with so many. corrupt, out_of_memory. */
Status find_positions(const GraphView& view, int32_t items, std::vector<uint32_t>* positions);

/**
 * The same for the items begin..end-1 that a filter allows, with what `find_positions` found: reads nothing of the
 * others.
 */
Status scan_pruned_items(const GraphView& view, const ForestView& forest, const std::vector<uint32_t>& positions,
                         ExactScan* scan, int32_t begin, int32_t end, const Allowed& allowed,
                         const std::atomic<bool>* cancel = nullptr);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_PRUNED_SCAN_H_
