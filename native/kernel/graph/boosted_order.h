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

  /** Candidates by their products, highest first, in place of their estimated distances. */
  void score(std::vector<Candidate>* candidates) const {
    uint32_t items[kEstimatedAtOnce];
    double factors[kEstimatedAtOnce];
    for (size_t first = 0; first < candidates->size(); first += kEstimatedAtOnce) {
      const size_t count = std::min(kEstimatedAtOnce, candidates->size() - first);
      Candidate* const some = candidates->data() + first;
      for (size_t index = 0; index < count; ++index) {
        if (first + index + kAhead < candidates->size()) items_.prefetch_item(some[index + kAhead].position());
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

  /**
   * Adds the positions of the `wanted` best of what was met. The nearest of these, where they are known and enough,
   * show which product the best ones have at least: what cannot reach it with the greatest factor is left out at once.
   * Changes `met`, and overwrites `some`.
   */
  void choose(std::vector<Candidate>& met, Beam* nearest, size_t wanted, std::vector<Candidate>* some,
              std::vector<uint32_t>* positions) const {
    some->clear();
    for (size_t slot = 0; nearest != nullptr && slot < nearest->size(); ++slot) {
      some->emplace_back((*nearest)[slot].distance(), (*nearest)[slot].position());
    }
    if (wanted > 0 && some->size() >= wanted) {
      score(some);
      keep_best(some, wanted);
      const float last = std::max_element(some->begin(), some->end(), is_before)->distance();
      drop(&met, [&](const Candidate& candidate) {
        const double most = boosted(score_of(candidate.distance()), factors_->greatest);
        return most + kEstimateError * std::abs(most) < -static_cast<double>(last);
      });
      score(&met);
      drop(&met, [&](const Candidate& candidate) { return candidate.distance() > last; });
    } else {
      score(&met);
    }
    keep_best(&met, wanted);
    for (const Candidate& candidate : met) positions->push_back(candidate.position());
  }

 private:
  static bool is_before(const Candidate& left, const Candidate& right) { return left.is_before(right); }

  static void keep_best(std::vector<Candidate>* candidates, size_t count) {
    if (candidates->size() <= count) return;
    const auto end = candidates->begin() + static_cast<std::ptrdiff_t>(count);
    std::nth_element(candidates->begin(), end, candidates->end(), is_before);
    candidates->erase(end, candidates->end());
  }

  template <typename IsDropped>
  static void drop(std::vector<Candidate>* candidates, const IsDropped& is_dropped) {
    candidates->erase(std::remove_if(candidates->begin(), candidates->end(), is_dropped), candidates->end());
  }

  /** Positions whose items, which lie anywhere in memory, are fetched ahead. */
  static constexpr size_t kAhead = 16;

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
