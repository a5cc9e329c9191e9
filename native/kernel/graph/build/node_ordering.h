#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_NODE_ORDERING_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_NODE_ORDERING_H_

#include <cstdint>
#include <vector>

namespace semantic_index {

/**
 * A node ordering that places neighbors close together: depth-first through the graph, nearest unseen neighbor first. A
 * walk then touches few pages of memory. `neighbors` holds kMaxNeighbors per position. Element i of the result is the
 * position that becomes i. May throw bad_alloc.
 */
std::vector<int32_t> order_by_neighbors(const std::vector<uint32_t>& neighbors);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_NODE_ORDERING_H_
