#ifndef SEMANTIC_INDEX_KERNEL_POSITION_ORDER_H_
#define SEMANTIC_INDEX_KERNEL_POSITION_ORDER_H_

#include <cstdint>
#include <vector>

#include "neighbor_graph.h"

namespace semantic_index {

/**
 * An order of all positions in which neighbours lie close together: depth-first through the graph, nearest unseen
 * neighbour first. What a walk compares then lies in few pages of memory. Element i is the position that comes to be i.
 * May throw bad_alloc.
 */
std::vector<int32_t> order_by_neighbors(const GraphRows& rows);

/** Moves records, neighbours included, to their places in `order`, and has them name their neighbours' new places. */
void reorder_records(const GraphRows& rows, const std::vector<int32_t>& order);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_POSITION_ORDER_H_
