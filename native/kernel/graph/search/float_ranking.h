#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_FLOAT_RANKING_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_FLOAT_RANKING_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "annoy/forest_view.h"
#include "annoy/item_distance.h"
#include "base/prefetch.h"
#include "distance/distance.h"
#include "distance/neighbors.h"
#include "distance/query.h"

namespace semantic_index {

/** Ranks items that a filter allows by the floats of a forest. */
class FloatRanking {
 public:
  FloatRanking(const ForestView& forest, const SearchOptions& options, NearestHeap* nearest)
      : forest_(forest), options_(options), table_(distances()), nearest_(*nearest) {}

  /** Starts a ranking of the `options.k` nearest. */
  void begin() { nearest_.reset(options_.k); }

  /** What is farther is not among the nearest. */
  float limit() const { return nearest_.limit(); }

  void prefetch_item(uint32_t item) const {
    if (item < static_cast<uint32_t>(forest_.items())) {
      prefetch(forest_.node(static_cast<int32_t>(item)), forest_.layout().node_bytes);
    }
  }

  /** Compares an item. False when the filter excludes it, or when damaged bytes hold no valid item. */
  bool offer(const Query& target, uint32_t item) {
    const auto number = static_cast<int32_t>(item);
    if (item >= static_cast<uint32_t>(forest_.items()) || !options_.allowed.contains(number)) return false;
    if (!forest_.has_item(number)) return false;
    nearest_.offer(item_distance(target, table_, forest_.layout(), forest_.node(number)), number);
    return true;
  }

  /** Writes the nearest with their public distances, nearest first. Returns how many there are. */
  int32_t write(int32_t* items, float* distances_out) {
    const std::vector<Neighbor>& sorted = nearest_.sorted();
    for (size_t rank = 0; rank < sorted.size(); ++rank) {
      items[rank] = sorted[rank].item;
      if (distances_out != nullptr) {
        distances_out[rank] = public_distance(forest_.layout().metric, sorted[rank].distance);
      }
    }
    return static_cast<int32_t>(sorted.size());
  }

 private:
  const ForestView& forest_;
  const SearchOptions& options_;
  const DistanceTable& table_;
  NearestHeap& nearest_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_FLOAT_RANKING_H_
