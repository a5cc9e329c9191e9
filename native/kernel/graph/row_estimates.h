#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_ROW_ESTIMATES_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_ROW_ESTIMATES_H_

#include <cmath>
#include <cstdint>

#include "base/prefetch.h"
#include "distance/distance.h"
#include "graph/graph_view.h"
#include "graph/quantized_query.h"

namespace semantic_index {

/**
 * Estimates of distances from products of integers: of squared ones for angular and euclidean, of products with their
 * sign changed for dot. native/FORMAT.md derives them.
 */
class RowEstimates {
 public:
  RowEstimates(const GraphView& view, const QuantizedQuery& query)
      : header_(view.header()),
        centroid_(view.section<float>(GraphSection::centroid)),
        query_(query),
        norms_(is_dot() ? nullptr : view.section<RowNorms>(GraphSection::estimates)) {}

  bool is_dot() const { return header_.metric == static_cast<uint32_t>(Metric::dot); }
  /** What the query's vector is less: nullptr for dot. */
  const float* centroid() const { return is_dot() ? nullptr : centroid_; }

  /** To be called once the query is set. */
  void prepare() {
    const float* vector = query_.vector.data();
    const auto dimensions = static_cast<size_t>(header_.dimensions);
    const float square = distances().dot(vector, vector, dimensions);
    length_ = std::sqrt(square);
    base_ = is_dot() ? -distances().dot(vector, centroid_, dimensions) : corrected_square();
    factor_ = (is_dot() ? 1.0f : 2.0f) * query_.scale * header_.scale;
  }

  float by_high(uint32_t position, int32_t product) const {
    return estimate(norms_ == nullptr ? 0.0f : norms_[position].high, product);
  }
  float by_whole(uint32_t position, int32_t product) const {
    return estimate(norms_ == nullptr ? 0.0f : norms_[position].whole, product);
  }

  /** Asks for what the estimate of a row needs besides the row. */
  void prefetch_norms(uint32_t position) const {
    if (norms_ != nullptr) prefetch(norms_ + position, sizeof(RowNorms));
  }

  /** How much larger than `distance` the estimate by whole integers of an item at that distance may be. */
  float whole_uncertainty(float distance) const { return uncertainty(distance, header_.scale); }
  /** The same by upper halves. */
  float high_uncertainty(float distance) const { return uncertainty(distance, 16.0f * header_.scale); }

 private:
  /** Standard deviations by which an estimate may be too large. */
  static constexpr float kDeviations = 3.0f;
  /** The standard deviation of what rounding to a multiple of 1 leaves over. */
  static constexpr float kRounding = 0.288675f;

  float estimate(float norm, int32_t product) const { return base_ + norm - factor_ * static_cast<float>(product); }

  /** From what the integers of row and query leave over, where a row's stand for multiples of `step`. */
  float uncertainty(float distance, float step) const {
    const float near = distance > 0 ? distance : 0.0f;
    const float row = kRounding * step;
    const float query = kRounding * query_.scale;
    if (norms_ == nullptr) return kDeviations * (row * length_ + query * header_.longest);
    const float left_over = 2.0f * row * row * static_cast<float>(header_.dimensions);
    return kDeviations * 2.0f * (row * std::sqrt(near) + query * std::sqrt(2.0f * near + left_over));
  }

  /**
   * |q|^2 - 2 q.r, where r is what the integers of the query q leave over: as RowNorms does it for rows, so that
   * estimates are right where the query is near.
   */
  float corrected_square() const {
    double sum = 0;
    for (size_t i = 0; i < query_.vector.size(); ++i) {
      const double number = query_.vector[i];
      sum += number * (2.0 * static_cast<double>(query_.scale) * query_.row[i] - number);
    }
    return static_cast<float>(sum);
  }

  const GraphHeader& header_;
  const float* centroid_;
  const QuantizedQuery& query_;
  const RowNorms* norms_;
  float base_ = 0;
  float factor_ = 0;
  float length_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_ROW_ESTIMATES_H_
