#ifndef SEMANTIC_INDEX_KERNEL_TERMS_POSTINGS_KEYED_POSTINGS_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_POSTINGS_KEYED_POSTINGS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "terms/postings/bm25.h"

namespace semantic_index {

/** The documents that have a term, by ascending keys, in memory of the caller; and the weight of the term, above 0. */
struct KeyedPostings {
  const double* keys = nullptr;
  const uint32_t* frequencies = nullptr;
  const uint32_t* lengths = nullptr;
  size_t count = 0;
  double weight = 0;
};

/** A document with its BM25. */
struct KeyedScore {
  double key = 0;
  double score = 0;
};

/**
 * The `limit` documents with the highest BM25, best first, ties by key, without those of some ascending keys. Document
 * by document; terms that cannot lift a document among the hits are only looked up (MaxScore: Turtle and Flood 1995).
 * Ends early, with any result, when `cancelled` is raised. May throw bad_alloc.
 */
std::vector<KeyedScore> best_by_terms(std::vector<KeyedPostings> terms, const Bm25& bm25, size_t limit,
                                      const std::vector<double>& without, const std::atomic<bool>* cancelled);

/** All documents with a term, without those of some ascending keys, in the order of keys. May throw bad_alloc. */
std::vector<KeyedScore> all_by_terms(const std::vector<KeyedPostings>& terms, const Bm25& bm25,
                                     const std::vector<double>& without, const std::atomic<bool>* cancelled);

/** The BM25 of documents, in any order; 0 for one without a term. */
void scores_of_keys(const std::vector<KeyedPostings>& terms, const Bm25& bm25, const double* keys, size_t count,
                    double* scores);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_POSTINGS_KEYED_POSTINGS_H_
