#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_BOOSTED_ORDER_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_BOOSTED_ORDER_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "distance/metric.h"
#include "factors/item_factors.h"
#include "graph/position_items.h"
#include "graph/search/beam.h"
#include "graph/search/level_scan.h"

namespace semantic_index {

/** Orders positions by their scores times the factors of their items, the greatest of which counts. */
class BoostedOrder {
 public:
  BoostedOrder(Metric metric, const ItemFactors* factors, const PositionItems& items)
      : metric_(metric), factors_(factors), items_(items) {}

  /** Candidates by their products, highest first, in place of their estimated distances. */
  void score(std::vector<Candidate>* candidates) const {
    uint32_t items[kEstimatedAtOnce];
    double factors[kEstimatedAtOnce];
    for (size_t first = 0; first < candidates->size(); first += kEstimatedAtOnce) {
      const size_t count = std::min(kEstimatedAtOnce, candidates->size() - first);
      Candidate* const some = candidates->data() + first;
      for (size_t index = 0; index < count; ++index) {
        items[index] = items_.item_of(some[index].position());
        factors_->prefetch(items[index]);
      }
      factors_->estimate(items, count, factors);
      for (size_t index = 0; index < count; ++index) {
        const double score = score_of(some[index].distance());
        const uint32_t position = some[index].position();
        double best = boosted(score, factors[index]);
        items_.for_each_copy(position, [&](uint32_t item, bool) {
          best = std::max(best, boosted(score, factors_->of(item)));
          return true;
        });
        some[index] = {static_cast<float>(-best), position};
      }
    }
  }

  /** Lets `may_reach` tell by the levels of positions, if they are known. */
  void use_levels(const LevelScan& levels) {
    levels_ = levels.order() == nullptr ? nullptr : levels.order()->levels();
    bounds_ = levels.bounds();
  }

  /** False when the factor of a candidate is too small for this product. */
  bool may_reach(const Candidate& candidate, double product) const {
    const uint32_t position = candidate.position();
    if (levels_ == nullptr || items_.has_copies(position)) return true;
    return boosted(score_of(candidate.distance()), bounds_[levels_[position]]) >= product;
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

  /** The least product that a scored candidate may have: those that are compared are estimates. */
  static double least_product(const Candidate& scored) {
    const double product = -static_cast<double>(scored.distance());
    return product - kEstimateError * std::abs(product);
  }

  /** Prefetches what `score` reads first. */
  void prefetch(uint32_t position) const { items_.prefetch_item(position); }

  /** What is farther by its estimate reaches no product as high as that of a scored candidate, whatever its factor. */
  float reach_of(const Candidate& scored) const {
    const double least = least_product(scored);
    const double greatest = ItemFactors::bounded(factors_->greatest);
    const double score = least >= 0 ? least / greatest : least * greatest;
    return static_cast<float>(estimate_of(score));
  }

 private:
  const Metric metric_;
  const ItemFactors* factors_;
  const PositionItems& items_;
  const uint8_t* levels_ = nullptr;
  const float* bounds_ = nullptr;
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
    farthest_ = reach_ = std::numeric_limits<float>::infinity();
    least_ = least_of_k_ = -std::numeric_limits<double>::infinity();
  }

  /** Takes a compared position. Its factor is looked up along with those of others: see `settle`. */
  void offer(const BoostedOrder& order, const Candidate& candidate) {
    if (candidate.distance() > farthest_ || !order.may_reach(candidate, least_)) return;
    order.prefetch(candidate.position());
    waiting_.push_back(candidate);
    if (waiting_.size() == kEstimatedAtOnce) settle(order);
  }

  /** Compares the products of what was offered. */
  void settle(const BoostedOrder& order) {
    order.score(&waiting_);
    for (const Candidate& candidate : waiting_) best_.enter(candidate);
    waiting_.clear();
    if (best_.size() >= capacity_) {
      farthest_ = order.reach_of(best_[capacity_ - 1]);
      least_ = order.least_product(best_[capacity_ - 1]);
    }
    if (best_.size() >= k_) {
      reach_ = order.reach_of(best_[k_ - 1]);
      least_of_k_ = order.least_product(best_[k_ - 1]);
    }
  }

  /** No position beyond this distance has one of the k highest products; infinite as long as fewer are known. */
  float reach() const { return reach_; }

  /** What the k-th product of those that were compared is at least; -infinity as long as fewer are known. */
  double least_of_k() const { return least_of_k_; }

  size_t size() const { return best_.size(); }
  uint32_t position(size_t rank) { return best_[rank].position(); }

 private:
  Beam best_;
  /** Offered, but not compared yet. */
  std::vector<Candidate> waiting_;
  size_t capacity_ = 0;
  size_t k_ = 0;
  /** What is farther is not offered in vain: no factor makes it one of the best. */
  float farthest_ = 0;
  float reach_ = 0;
  /** Smaller products are not among the best, or among the k best. */
  double least_ = 0;
  double least_of_k_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_BOOSTED_ORDER_H_
