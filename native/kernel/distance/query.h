#ifndef SEMANTIC_INDEX_KERNEL_DISTANCE_QUERY_H_
#define SEMANTIC_INDEX_KERNEL_DISTANCE_QUERY_H_

#include <cmath>
#include <cstdint>

#include "distance/distance.h"
#include "distance/metric.h"

namespace semantic_index {

/**
 * Annoy's internal angular distance, 2 - 2 cos, from a product and two squared norms; 2 when one norm is 0. Annoy
 * rounds the product of the norms to float; in double it is exact, so that a vector is at distance 0 from itself.
 * Rounding can make the difference negative for a vector that is nearly the same: that counts as 0 here and not only in
 * what users see, so that vectors at the same distance are ordered by item.
 */
static inline float angular_distance(float product, float squared_norm, float other_squared_norm) {
  const double squares = static_cast<double>(squared_norm) * other_squared_norm;
  if (!(squares > 0)) return 2.0f;
  const auto distance = static_cast<float>(2.0 - 2.0 * product / std::sqrt(squares));
  return distance < 0 ? 0.0f : distance;  // NaN stays NaN, which is never found.
}

/**
 * A vector to compare others with: floats or packed bits, and its squared norm for angular. It points to the vector,
 * which must outlive it.
 */
struct Query {
  Metric metric = Metric::angular;
  size_t elements = 0;
  const float* vector = nullptr;
  const uint64_t* bits = nullptr;
  float squared_norm = 0;

  static Query of_floats(const NodeLayout& layout, const float* vector) {
    Query query;
    query.metric = layout.metric;
    query.elements = static_cast<size_t>(layout.elements);
    query.vector = vector;
    if (layout.metric == Metric::angular) query.squared_norm = distances().dot(vector, vector, query.elements);
    return query;
  }

  static Query of_bits(const NodeLayout& layout, const uint64_t* bits) {
    Query query;
    query.metric = Metric::hamming;
    query.elements = static_cast<size_t>(layout.elements);
    query.bits = bits;
    return query;
  }

  /** The internal distance to a vector of the same layout. `stored_norm` is its squared norm, or 0 to have it computed.
   */
  float distance(const DistanceTable& table, const uint8_t* other, float stored_norm) const {
    const float* floats = reinterpret_cast<const float*>(other);
    switch (metric) {
      case Metric::angular: {
        const float norm = stored_norm > 0 ? stored_norm : table.dot(floats, floats, elements);
        return angular_distance(table.dot(vector, floats, elements), squared_norm, norm);
      }
      case Metric::euclidean:
        return table.squared_euclidean(vector, floats, elements);
      case Metric::manhattan:
        return table.manhattan(vector, floats, elements);
      case Metric::dot:
        return -table.dot(vector, floats, elements);
      case Metric::hamming:
        return static_cast<float>(table.hamming(bits, reinterpret_cast<const uint64_t*>(other), elements));
    }
    return 0;
  }
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_DISTANCE_QUERY_H_
