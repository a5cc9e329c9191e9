#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_BOOSTED_ORDER_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_BOOSTED_ORDER_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/item_factors.h"
#include "distance/metric.h"
#include "graph/beam.h"
#include "graph/position_items.h"

namespace semantic_index {

/** Orders positions by their scores times the factors of their items, the greatest of which counts. */
class BoostedOrder {
 public:
  BoostedOrder(Metric metric, const ItemFactors* factors, const PositionItems& items)
      : metric_(metric), factors_(factors), items_(items) {}

  /** A position at an estimated distance: candidates with higher products are before others. */
  Candidate by_score(float distance, uint32_t position) const {
    const double score = score_of(distance);
    double best = boosted(score, factors_->of(items_.item_of(position)));
    items_.for_each_copy(position, [&](uint32_t item, bool) {
      best = std::max(best, boosted(score, factors_->of(item)));
      return true;
    });
    return {static_cast<float>(-best), position};
  }

  /** Adds the positions of the `wanted` best of what was met. Changes the order of `met`, and what it holds. */
  void choose(std::vector<Candidate>& met, size_t wanted, std::vector<uint32_t>* positions) const {
    for (size_t index = 0; index < met.size(); ++index) {
      if (index + 2 * kAhead < met.size()) items_.prefetch_item(met[index + 2 * kAhead].position());
      if (index + kAhead < met.size()) factors_->prefetch(items_.item_of(met[index + kAhead].position()));
      met[index] = by_score(met[index].distance(), met[index].position());
    }
    const size_t count = std::min(wanted, met.size());
    const auto end = met.begin() + static_cast<std::ptrdiff_t>(count);
    if (end != met.end()) {
      std::nth_element(met.begin(), end, met.end(),
                       [](const Candidate& left, const Candidate& right) { return left.is_before(right); });
    }
    for (auto candidate = met.begin(); candidate != end; ++candidate) positions->push_back(candidate->position());
  }

 private:
  /** Positions whose items and factors, which lie anywhere in memory, are fetched ahead. */
  static constexpr size_t kAhead = 8;

  /** The score of an estimate: a squared distance, or a negated product. */
  double score_of(float estimate) const {
    if (metric_ == Metric::dot) return -static_cast<double>(estimate);
    const double square = std::max(0.0, static_cast<double>(estimate));
    return metric_ == Metric::angular ? 1 - square / 2 : 1 / (1 + std::sqrt(square));
  }

  const Metric metric_;
  const ItemFactors* factors_;
  const PositionItems& items_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_BOOSTED_ORDER_H_
