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
 * Distance estimates from quantized products: squared distances for angular and euclidean, negated products for dot.
 * native/FORMAT.md derives them.
 */
class RowEstimates {
 public:
  RowEstimates(const GraphView& view, const QuantizedQuery& query)
      : header_(view.header()),
        centroid_(view.section<float>(GraphSection::centroid)),
        query_(query),
        norms_(is_dot() ? nullptr : view.section<RowNorms>(GraphSection::estimates)) {}

  bool is_dot() const { return header_.metric == static_cast<uint32_t>(Metric::dot); }
  /** The centroid to subtract from the query; nullptr for dot. */
  const float* centroid() const { return is_dot() ? nullptr : centroid_; }

  /** Call after the query is set. */
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

  /** The squared distance of the query from the centroid. */
  float query_square() const { return length_ * length_; }

  /** Prefetches the norms that the estimate of a row needs. */
  void prefetch_norms(uint32_t position) const {
    if (norms_ != nullptr) prefetch(norms_ + position, sizeof(RowNorms));
  }

  /** By how much the estimate by whole int8 values may exceed the true `distance`. */
  float whole_uncertainty(float distance) const { return uncertainty(distance, header_.scale); }
  /** The same for estimates by high nibbles. */
  float high_uncertainty(float distance) const { return uncertainty(distance, 16.0f * header_.scale); }

 private:
  /** The standard deviations by which an estimate may be too large. */
  static constexpr float kDeviations = 3.0f;
  /** The standard deviation of the error of rounding to an integer. */
  static constexpr float kRounding = 0.288675f;

  float estimate(float norm, int32_t product) const { return base_ + norm - factor_ * static_cast<float>(product); }

  /** From the quantization residuals of row and query; `step` is the quantization step of the row. */
  float uncertainty(float distance, float step) const {
    const float near = distance > 0 ? distance : 0.0f;
    const float row = kRounding * step;
    const float query = kRounding * query_.scale;
    if (norms_ == nullptr) return kDeviations * (row * length_ + query * header_.longest);
    const float left_over = 2.0f * row * row * static_cast<float>(header_.dimensions);
    return kDeviations * 2.0f * (row * std::sqrt(near) + query * std::sqrt(2.0f * near + left_over));
  }

  /**
   * |q|^2 - 2 q.r, where r is the quantization residual of the query q. As with RowNorms, estimates are then accurate
   * for rows near the query.
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
