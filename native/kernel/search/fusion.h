#ifndef SEMANTIC_INDEX_KERNEL_SEARCH_FUSION_H_
#define SEMANTIC_INDEX_KERNEL_SEARCH_FUSION_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "distance/metric.h"

namespace semantic_index {

/** A document that a search found, with what each side says about it. */
struct SearchHit {
  int64_t key = 0;
  /** What hits are ordered by. */
  double score = 0;
  /** Public distance to the vector of the query; NaN where there is none. */
  float distance = 0;
  /** BM25; 0 where the document has no term of the query. */
  double term_score = 0;
  /** What the score was multiplied by. */
  double factor = 1;
};

/** Converts a public distance into a score, where larger is better. */
double score_of(const NodeLayout& layout, float distance);

/** Orders hits by score, best first, equal scores by key, and keeps the first k. */
void keep_best(int64_t k, std::vector<SearchHit>* hits);

/**
 * How much the terms of a query say, from 0 to 1, by the highest BM25 of a document. Where hardly two of them occur in
 * the same document, as with words in forms that no stemmer joins, documents have them by chance. Scores of independent
 * terms add up to about the root of the sum of their squared weights: below half of it, the score counts for less.
 */
inline double evidence_of(double best_score, double squared_weight) {
  return squared_weight > 0 ? std::min(1.0, 4 * best_score * best_score / squared_weight) : 0;
}

/**
 * The sum of two scores: BM25 as a share of the maximum of the query, times the evidence of its terms, and the
 * similarity. Both are at most 1, and the share of the similarity is `weight`. So terms decide when they are rare and
 * the document has them, and vectors decide when only common terms match; and scores of different queries compare.
 */
class Fusion {
 public:
  Fusion(const NodeLayout& layout, double max_score, double evidence, double weight)
      : layout_(layout), max_score_(max_score), terms_weight_((1 - weight) * evidence), weight_(weight) {}

  /** Similarities have no upper end for dot: they are measured by the best one. Call it for all hits first. */
  void measure(float distance) { best_ = std::max(best_, similarity(distance)); }

  /** What similarities are measured by. */
  double best() const { return best_; }

  /** May be below 0, for a negative similarity. */
  double score(double term_score, float distance) const {
    const double by_terms = max_score_ > 0 ? term_score / max_score_ : 0;
    return terms_weight_ * by_terms + weight_ * similarity(distance) / best_;
  }

 private:
  double similarity(float distance) const { return std::isnan(distance) ? 0 : score_of(layout_, distance); }

  const NodeLayout& layout_;
  double max_score_;
  double terms_weight_;
  double weight_;
  double best_ = 1;
};

/**
 * Share of the effort of a search by vector that a fused query needs, from the share of the similarity in its scores.
 * By a third, the default, half of it: among 100,000 paragraphs, 1,000 questions then find 0.996 of the hits that
 * comparing every vector gives, 0.997 with all of it, with the same nDCG@10.
 */
inline double fused_effort(double vector_weight) { return std::min(1.0, std::max(0.25, 1.5 * vector_weight)); }

/** Sets the fused scores of hits with their factors, and keeps the best k. Returns the lowest of their scores. */
double fuse(const Fusion& fusion, int64_t k, std::vector<SearchHit>* hits);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_SEARCH_FUSION_H_
