#include "graph/quantized_query.h"

#include <cmath>
#include <numeric>

#include "distance/distance.h"
#include "distance/int8_vector.h"

namespace semantic_index {

void scale_and_rotate(const NodeLayout& layout, const Rotation& rotation, float* vector) {
  if (layout.metric == Metric::angular) {
    const auto dimensions = static_cast<size_t>(layout.dimensions);
    const float square = distances().dot(vector, vector, dimensions);
    const float inverse = square > 0 ? 1.0f / std::sqrt(square) : 1.0f;
    for (size_t i = 0; i < dimensions; ++i) vector[i] *= inverse;
  }
  rotation.apply(vector);
}

void QuantizedQuery::set(const NodeLayout& layout, const Rotation& rotation, const float* centroid, size_t row_bytes,
                         const float* query) {
  const auto dimensions = static_cast<size_t>(layout.dimensions);
  vector.assign(query, query + dimensions);
  scale_and_rotate(layout, rotation, vector.data());
  if (centroid != nullptr) {
    for (size_t i = 0; i < dimensions; ++i) vector[i] -= centroid[i];
  }
  row.resize(row_bytes);
  scale = int8_scale(vector.data(), dimensions);
  write_int8(vector.data(), dimensions, scale, row.data(), row_bytes);
  sum = std::accumulate(row.begin(), row.end(), 0);
}

}  // namespace semantic_index
