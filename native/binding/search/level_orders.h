#ifndef SEMANTIC_INDEX_BINDING_SEARCH_LEVEL_ORDERS_H_
#define SEMANTIC_INDEX_BINDING_SEARCH_LEVEL_ORDERS_H_

#include <napi.h>

#include <memory>

#include "graph/search/level_order.h"
#include "search/search_snapshot.h"
#include "segment/graph_index.h"

namespace semantic_index {

/** The order of a graph's items by the levels of some numbers. It lives as long as the array that holds these. */
struct KeptLevelOrder {
  /** Whose items were ordered. */
  std::weak_ptr<const GraphIndex> graph;
  /** nullptr where that failed: the graph is damaged. */
  std::shared_ptr<const LevelOrder> order;

  bool is_of(const GraphPointer& other) const { return graph.lock() == other; }
};

/** What is kept with the numbers of items. */
KeptLevelOrder* kept_level_order(const Napi::Object& numbers);

/**
 * Orders the items of each graph by the numbers of boosts, as `BoostArguments` reads them, where that was not done yet.
 * A promise, or undefined if there is nothing to do.
 */
Napi::Value order_levels(Napi::Env env, const SearchSnapshot& snapshot, const Napi::Value& boosts);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_SEARCH_LEVEL_ORDERS_H_
