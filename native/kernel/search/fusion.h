#ifndef SEMANTIC_INDEX_KERNEL_SEARCH_FUSION_H_
#define SEMANTIC_INDEX_KERNEL_SEARCH_FUSION_H_

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
};

/** Converts a public distance into a score, where larger is better. */
double score_of(const NodeLayout& layout, float distance);

/** Orders hits by score, best first, equal scores by key, and keeps the first k. */
void keep_best(int64_t k, std::vector<SearchHit>* hits);

/**
 * Sets the scores of hits from both sides, keeps the best k and brings their scores into 0..1: BM25 as a share of
 * `max_score`, plus `weight` times the similarity, scaled so that the sum is at most 1. So terms decide when they are
 * rare and the document has them, and vectors decide when only common terms match; and scores of different queries
 * compare. Similarities have no upper end for dot: they are measured by the best one.
 */
void fuse(const NodeLayout& layout, double max_score, double weight, int64_t k, std::vector<SearchHit>* hits);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_SEARCH_FUSION_H_
