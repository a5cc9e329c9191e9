#include "search/fusion.h"

#include <algorithm>

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

void fuse(const Fusion& fusion, int64_t k, std::vector<SearchHit>* hits) {
  for (SearchHit& hit : *hits) hit.score = fusion.score(hit.term_score, hit.distance);
  keep_best(k, hits);
  for (SearchHit& hit : *hits) hit.score = std::min(1.0, std::max(0.0, hit.score));
}

}  // namespace semantic_index
