#ifndef SEMANTIC_INDEX_KERNEL_ANNOY_ITEM_DISTANCE_H_
#define SEMANTIC_INDEX_KERNEL_ANNOY_ITEM_DISTANCE_H_

#include <cstdint>

#include "distance/distance.h"
#include "distance/metric.h"
#include "distance/query.h"

namespace semantic_index {

/** The internal distance between a query and an item, given the item's node. Uses the norm that the node stores. */
static inline float item_distance(const Query& query, const DistanceTable& table, const NodeLayout& layout,
                                  const uint8_t* node) {
  const float norm = layout.metric == Metric::angular ? read_float(node + kAngularNormOffset) : 0.0f;
  return query.distance(table, node + layout.vector_offset, norm);
}

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_ANNOY_ITEM_DISTANCE_H_
