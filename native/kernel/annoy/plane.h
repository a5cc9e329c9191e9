#ifndef SEMANTIC_INDEX_KERNEL_ANNOY_PLANE_H_
#define SEMANTIC_INDEX_KERNEL_ANNOY_PLANE_H_

#include <cstdint>

#include "distance/distance.h"
#include "distance/metric.h"

namespace semantic_index {

/**
 * The signed margin of a vector to a plane: positive on the side of child 1. `node` is a plane of any metric except
 * hamming. Uses the arithmetic of the build, so an item reaches the leaf that holds it.
 */
static inline float plane_margin(const DistanceTable& table, const NodeLayout& layout, const uint8_t* node,
                                 const float* vector) {
  const float* plane = reinterpret_cast<const float*>(node + layout.vector_offset);
  const float product = table.dot(plane, vector, static_cast<size_t>(layout.elements));
  switch (layout.metric) {
    case Metric::euclidean:
    case Metric::manhattan:
      return product + read_float(node + kPlaneConstantOffset);
    case Metric::dot:
      if (layout.dot_layout == DotLayout::released) {
        // The constant that Spotify's releases add; 0 in files written here.
        const float factor = read_float(node + kDotFactorOffset);
        return product + factor * factor;
      }
      return product;
    default:
      return product;
  }
}

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_ANNOY_PLANE_H_
