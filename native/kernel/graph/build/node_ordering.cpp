#include "graph/build/node_ordering.h"

#include "graph/graph_format.h"

namespace semantic_index {

std::vector<int32_t> order_by_neighbors(const std::vector<uint32_t>& neighbors) {
  const size_t count = neighbors.size() / kMaxNeighbors;
  std::vector<int32_t> order;
  order.reserve(count);
  std::vector<bool> seen(count, false);
  /** Neighbors visited so far, per position. */
  std::vector<uint8_t> asked(count, 0);
  std::vector<int32_t> path;
  const auto visit = [&](int32_t position) {
    seen[static_cast<size_t>(position)] = true;
    order.push_back(position);
    path.push_back(position);
  };
  for (int32_t start = 0; start < static_cast<int32_t>(count); ++start) {
    if (seen[static_cast<size_t>(start)]) continue;
    visit(start);
    while (!path.empty()) {
      const int32_t position = path.back();
      const uint32_t* theirs = neighbors.data() + static_cast<size_t>(position) * kMaxNeighbors;
      uint8_t& next = asked[static_cast<size_t>(position)];
      while (next < kMaxNeighbors && theirs[next] != kNoNeighbor && seen[theirs[next]]) ++next;
      if (next == kMaxNeighbors || theirs[next] == kNoNeighbor) {
        path.pop_back();
      } else {
        visit(static_cast<int32_t>(theirs[next]));
      }
    }
  }
  return order;
}

}  // namespace semantic_index
