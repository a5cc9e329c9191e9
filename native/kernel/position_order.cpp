#include "position_order.h"

#include <cstring>

#include "accelerator_format.h"

namespace semantic_index {

std::vector<int32_t> order_by_neighbors(const GraphRows& rows) {
  const auto count = static_cast<size_t>(rows.count);
  std::vector<int32_t> order;
  order.reserve(count);
  std::vector<bool> seen(count, false);
  /** How many neighbours of each position were looked at. */
  std::vector<uint8_t> asked(count, 0);
  std::vector<int32_t> path;
  const auto visit = [&](int32_t position) {
    seen[static_cast<size_t>(position)] = true;
    order.push_back(position);
    path.push_back(position);
  };
  for (int32_t start = 0; start < rows.count; ++start) {
    if (seen[static_cast<size_t>(start)]) continue;
    visit(start);
    while (!path.empty()) {
      const int32_t position = path.back();
      const uint32_t* neighbors = rows.neighbors(position);
      uint8_t& next = asked[static_cast<size_t>(position)];
      while (next < kMostNeighbors && neighbors[next] != kNoNeighbor && seen[neighbors[next]]) ++next;
      if (next == kMostNeighbors || neighbors[next] == kNoNeighbor) {
        path.pop_back();
      } else {
        visit(static_cast<int32_t>(neighbors[next]));
      }
    }
  }
  return order;
}

void reorder_records(const GraphRows& rows, const std::vector<int32_t>& order) {
  std::vector<uint32_t> place_of(order.size());
  for (size_t place = 0; place < order.size(); ++place) {
    place_of[static_cast<size_t>(order[place])] = static_cast<uint32_t>(place);
  }
  for (int32_t position = 0; position < rows.count; ++position) {
    uint32_t* neighbors = rows.neighbors(position);
    for (int32_t rank = 0; rank < kMostNeighbors && neighbors[rank] != kNoNeighbor; ++rank) {
      neighbors[rank] = place_of[neighbors[rank]];
    }
  }
  const auto record = [&](size_t place) { return rows.records + place * rows.record_bytes; };
  std::vector<uint8_t> held(rows.record_bytes);
  std::vector<bool> moved(order.size(), false);
  for (size_t start = 0; start < order.size(); ++start) {
    if (moved[start]) continue;
    std::memcpy(held.data(), record(start), rows.record_bytes);
    size_t place = start;
    for (;;) {
      moved[place] = true;
      const auto from = static_cast<size_t>(order[place]);
      if (from == start) break;
      std::memcpy(record(place), record(from), rows.record_bytes);
      place = from;
    }
    std::memcpy(record(place), held.data(), rows.record_bytes);
  }
}

}  // namespace semantic_index
