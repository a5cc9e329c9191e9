// What the factors of items let a search rule out.

#include <algorithm>

#include "terms/query/part_search.h"

namespace semantic_index {

/** Sets what the lists of a window have to add up to where the `others` add no more than this. */
void PartSearch::set_least(double others, const TopHits& hits) {
  // Untouched items have a score of 0, which is not a match.
  least_ = std::max(0.0, least_unboosted(hits) - others);
  if (!levels_.are_known()) return;
  const double threshold = hits.threshold() * (1 - kRounding);
  const double* const least_scores = factor_bounds_.least_scores();
  for (size_t level = 0; level < kFactorLevels; ++level) {
    least_of_levels_[level] = std::max(least_, threshold * least_scores[level] - others);
  }
}

/** The bounds of the factors of some candidates from `first` on; returns of how many. */
size_t PartSearch::bound_factors(size_t first, double* bounds) const {
  const size_t count = std::min(kBoundedAtOnce, candidates_.size() - first);
  uint32_t items[kBoundedAtOnce];
  for (size_t index = 0; index < count; ++index) items[index] = candidates_[first + index].item;
  factor_bounds_.of(items, count, bounds);
  return count;
}

/** Leaves out candidates that their own factors keep below the threshold, whatever the `others` add. */
void PartSearch::drop_unlikely(double others, double threshold) {
  double bounds[kBoundedAtOnce];
  size_t kept = 0;
  for (size_t first = 0; first < candidates_.size(); first += kBoundedAtOnce) {
    const size_t count = bound_factors(first, bounds);
    for (size_t index = 0; index < count; ++index) {
      const Candidate candidate = candidates_[first + index];
      // Without a branch, which would often be mispredicted.
      candidates_[kept] = candidate;
      kept += size_t{(candidate.score + others) * bounds[index] > threshold};
    }
  }
  candidates_.erase(candidates_.begin() + static_cast<std::ptrdiff_t>(kept), candidates_.end());
  for (const Candidate& candidate : candidates_) query_.factors->prefetch(candidate.item);
}

}  // namespace semantic_index
