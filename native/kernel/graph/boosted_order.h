#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_BOOSTED_ORDER_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_BOOSTED_ORDER_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/factor_bounds.h"
#include "base/item_factors.h"
#include "distance/metric.h"
#include "graph/beam.h"
#include "graph/position_items.h"

namespace semantic_index {

/** Orders positions by their scores times the factors of their items, the greatest of which counts. */
class BoostedOrder {
 public:
  BoostedOrder(Metric metric, const ItemFactors* factors, const FactorBounds& bounds, const PositionItems& items)
      : metric_(metric), factors_(factors), bounds_(bounds), items_(items) {}

  /** A position by its product in place of its estimated distance: the highest is the nearest. */
  Candidate product_of(const Candidate& candidate) const {
    const double score = score_of(candidate.distance());
    const uint32_t position = candidate.position();
    double best = boosted(score, factors_->of(items_.item_of(position)));
    items_.for_each_copy(position, [&](uint32_t item, bool) {
      best = std::max(best, boosted(score, factors_->of(item)));
      return true;
    });
    return {static_cast<float>(-best), position};
  }

  /** Prefetches what the level of a position is read from. */
  void prefetch_item(uint32_t position) const { items_.prefetch_item(position); }

  /** Prefetches what `product_of` reads first. */
  void prefetch_values(uint32_t position) const { factors_->prefetch(items_.item_of(position)); }

  /** What is farther by its estimate reaches no product as high as that of a scored candidate, whatever its factor. */
  float reach_of(const Candidate& scored) const {
    return reach_of(least_product(scored), 1 / ItemFactors::bounded(factors_->greatest));
  }

  /** The same for positions at each level of `levels`. */
  void reach_of_levels(const Candidate& scored, float* reaches) const {
    const double product = least_product(scored);
    const double* const least_scores = bounds_.least_scores();
    for (size_t level = 0; level < kFactorLevels; ++level) reaches[level] = reach_of(product, least_scores[level]);
  }

  bool has_levels() const { return bounds_.levels().are_known(); }

  /** Whether a position is not beyond what its level reaches. */
  bool is_within(const Candidate& candidate, const float* reaches) const {
    const uint32_t position = candidate.position();
    const uint8_t level = bounds_.levels().of(items_.item_of(position));
    return candidate.distance() <= reaches[level] || items_.has_copies(position);
  }

 private:
  /** More than what a product loses as a float. */
  static constexpr double kRounding = 1e-6;

  double least_product(const Candidate& scored) const {
    const double product = -static_cast<double>(scored.distance());
    return product - kRounding * std::abs(product);
  }

  /** @param least_score that the greatest factor makes 1. */
  float reach_of(double product, double least_score) const {
    return static_cast<float>(estimate_of(product >= 0 ? product * least_score : product / least_score));
  }

  /** The score of an estimate: a squared distance, or a negated product. */
  double score_of(float estimate) const {
    if (metric_ == Metric::dot) return -static_cast<double>(estimate);
    const double square = std::max(0.0, static_cast<double>(estimate));
    return metric_ == Metric::angular ? 1 - square / 2 : 1 / (1 + std::sqrt(square));
  }

  /** The greatest estimate with at least this score. */
  double estimate_of(double score) const {
    if (metric_ == Metric::dot) return -score;
    if (metric_ == Metric::angular) return 2 * (1 - score);
    if (score <= 0) return std::numeric_limits<double>::infinity();
    const double distance = std::max(0.0, 1 / score - 1);
    return distance * distance;
  }

  const Metric metric_;
  const ItemFactors* factors_;
  const FactorBounds& bounds_;
  const PositionItems& items_;
};

/** The positions of a walk with the highest products of score and factor. */
class BoostedBeam {
 public:
  /** Clears it for so many positions, and the k-th of which `reach` is. May throw bad_alloc. */
  void reset(size_t capacity, size_t k) {
    best_.reset(capacity);
    capacity_ = capacity;
    k_ = k;
    waiting_.clear();
    settled_ = 0;
    farthest_ = reach_ = std::numeric_limits<float>::infinity();
    std::fill_n(farthest_of_levels_, kFactorLevels, farthest_);
  }

  /** Takes a compared position. Its factor is looked up along with those of others: see `settle`. */
  void offer(const BoostedOrder& order, const Candidate& candidate) {
    if (candidate.distance() > farthest_) return;
    order.prefetch_item(candidate.position());
    waiting_.push_back(candidate);
    if (waiting_.size() == kSettledAtOnce) settle(order);
  }

  /** Compares the products of what was offered, and is not too far even for the highest factor of its level. */
  void settle(const BoostedOrder& order) {
    if (order.has_levels()) {
      size_t kept = 0;
      for (const Candidate candidate : waiting_) {
        // Without a branch, which would often be mispredicted.
        waiting_[kept] = candidate;
        kept += order.is_within(candidate, farthest_of_levels_) ? 1 : 0;
      }
      waiting_.resize(kept);
    }
    for (const Candidate& candidate : waiting_) order.prefetch_values(candidate.position());
    for (const Candidate& candidate : waiting_) best_.enter(order.product_of(candidate));
    waiting_.clear();
    ++settled_;
    if (best_.size() >= capacity_) {
      farthest_ = order.reach_of(best_[capacity_ - 1]);
      // The farther a walk is, the less they change.
      if (order.has_levels() && (settled_ & (settled_ - 1)) == 0)
        order.reach_of_levels(best_[capacity_ - 1], farthest_of_levels_);
    }
    if (best_.size() >= k_) reach_ = order.reach_of(best_[k_ - 1]);
  }

  /** No position beyond this distance has one of the k highest products; infinite as long as fewer are known. */
  float reach() const { return reach_; }

  size_t size() const { return best_.size(); }
  uint32_t position(size_t rank) { return best_[rank].position(); }

 private:
  /** Positions whose factors are looked up together. */
  static constexpr size_t kSettledAtOnce = 64;

  Beam best_;
  /** Offered, but not compared yet. */
  std::vector<Candidate> waiting_;
  size_t capacity_ = 0;
  size_t k_ = 0;
  size_t settled_ = 0;
  /** What is farther is not offered in vain: no factor makes it one of the best, or none of its level. */
  float farthest_ = 0;
  float farthest_of_levels_[kFactorLevels] = {};
  float reach_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_BOOSTED_ORDER_H_
