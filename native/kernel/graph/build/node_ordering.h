#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_NODE_ORDERING_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_NODE_ORDERING_H_

#include <cstdint>
#include <vector>

namespace semantic_index {

/**
 * An order of all positions in which neighbours lie close together: depth-first through the graph, nearest unseen
 * neighbour first. What a walk compares then lies in few pages of memory. `neighbors` holds kMaxNeighbors for each.
 * Element i of the result is the position that comes to be i. May throw bad_alloc.
 */
std::vector<int32_t> order_by_neighbors(const std::vector<uint32_t>& neighbors);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_NODE_ORDERING_H_
