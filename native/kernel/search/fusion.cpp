#include "search/fusion.h"

#include <algorithm>

#include "factors/item_factors.h"

namespace semantic_index {

double score_of(const NodeLayout& layout, float distance) {
  const double wide = distance;
  switch (layout.metric) {
    case Metric::angular:
      return 1 - wide * wide / 2;
    case Metric::dot:
      return wide;
    case Metric::euclidean:
    case Metric::manhattan:
      return 1 / (1 + wide);
    case Metric::hamming:
      return 1 - wide / layout.dimensions;
  }
  return 0;
}

void keep_best(int64_t k, std::vector<SearchHit>* hits) {
  const auto is_better = [](const SearchHit& left, const SearchHit& right) {
    return left.score > right.score || (left.score == right.score && left.key < right.key);
  };
  const auto wanted = static_cast<std::ptrdiff_t>(std::min<int64_t>(k, static_cast<int64_t>(hits->size())));
  std::partial_sort(hits->begin(), hits->begin() + wanted, hits->end(), is_better);
  hits->resize(static_cast<size_t>(wanted));
}

double fuse(const Fusion& fusion, int64_t k, std::vector<SearchHit>* hits) {
  for (SearchHit& hit : *hits) hit.score = boosted(fusion.score(hit.term_score, hit.distance), hit.factor);
  keep_best(k, hits);
  const double least = hits->empty() ? 0 : hits->back().score;
  // Fused scores are from 0 to 1.
  for (SearchHit& hit : *hits) hit.score = std::min(hit.factor, std::max(0.0, hit.score));
  return least;
}

}  // namespace semantic_index
