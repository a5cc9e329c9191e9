#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_QUANTIZED_QUERY_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_QUANTIZED_QUERY_H_

#include <cstdint>
#include <vector>

#include "distance/metric.h"
#include "graph/rotation.h"

namespace semantic_index {

/** What vectors and queries are before they become integers: of length 1 for angular, unless zero; then rotated. */
void scale_and_rotate(const NodeLayout& layout, const Rotation& rotation, float* vector);

/** A query as the rows of an accelerator are: of length 1 for angular, rotated, centered where wanted, as integers. */
struct QuantizedQuery {
  std::vector<float> vector;
  /** An integer of it stands for `scale`; padded with zeros. */
  std::vector<int8_t> row;
  float scale = 1;
  /** The sum of the integers. */
  int32_t sum = 0;

  /** Makes it from `layout.dimensions` numbers, less `centroid` unless that is nullptr. May throw bad_alloc. */
  void set(const NodeLayout& layout, const Rotation& rotation, const float* centroid, size_t row_bytes,
           const float* query);

  /** The product with integers of which the upper halves are known: the lower ones are 8 on average. */
  int32_t high_product(int32_t upper) const { return 16 * upper - 120 * sum; }
  int32_t whole_product(int32_t upper, int32_t lower) const { return 16 * upper + lower - 128 * sum; }
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_QUANTIZED_QUERY_H_
