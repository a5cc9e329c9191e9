#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_QUANTIZED_QUERY_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_QUANTIZED_QUERY_H_

#include <cstdint>
#include <vector>

#include "distance/metric.h"
#include "graph/rotation.h"

namespace semantic_index {

/** Prepares a vector for quantization: scales it to length 1 for angular, unless zero, then rotates it. */
void scale_and_rotate(const NodeLayout& layout, const Rotation& rotation, float* vector);

/** A query in the form of the graph index's rows: scaled, rotated, optionally centered, quantized to int8. */
struct QuantizedQuery {
  std::vector<float> vector;
  /** The quantized vector, in units of `scale`; padded with zeros. */
  std::vector<int8_t> row;
  float scale = 1;
  /** The sum of `row`. */
  int32_t sum = 0;

  /** Sets it from `layout.dimensions` numbers. Subtracts `centroid` unless nullptr. May throw bad_alloc. */
  void set(const NodeLayout& layout, const Rotation& rotation, const float* centroid, size_t row_bytes,
           const float* query);

  /** The product with a row of which only the sum with its high nibbles is known; low nibbles are 8 on average. */
  int32_t high_product(int32_t high_sum) const { return 16 * high_sum - 120 * sum; }
  int32_t whole_product(int32_t high_sum, int32_t low_sum) const { return 16 * high_sum + low_sum - 128 * sum; }
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_QUANTIZED_QUERY_H_
