#ifndef SEMANTIC_INDEX_KERNEL_SEARCH_SEARCH_H_
#define SEMANTIC_INDEX_KERNEL_SEARCH_SEARCH_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/status.h"
#include "factors/item_factors.h"
#include "search/fusion.h"
#include "search/search_snapshot.h"
#include "terms/query/terms_query.h"

namespace semantic_index {

/** A query by vector, by terms, or by both, which are then fused. */
struct SearchQuery {
  /** `dimensions` finite numbers, or nullptr. */
  const float* vector = nullptr;
  /** Whether it has terms; there may be none among them. */
  bool has_terms = false;
  const QueryTerm* terms = nullptr;
  size_t term_count = 0;
  /** What the terms are weighed by, with a number for each of them; nullptr for those of the snapshot. */
  const TermsStatistics* statistics = nullptr;
};

/** A batch of queries for one snapshot. */
struct SearchRequest {
  const SearchQuery* queries = nullptr;
  int64_t count = 0;
  /** Hits of each query. */
  int32_t k = 10;
  /** Candidates that each side finds for a query that is fused: `k` of at least twice as many returns them all. */
  int32_t depth = 50;
  /** Compare every vector. */
  bool exact = false;
  /** Effort of an approximate search; 0 for the default. */
  int64_t search_k = 0;
  /** Share of the similarity in a fused score, from 0 to 1; the rest is that of the terms. */
  double vector_weight = 1.0 / 3;
  /** What `evidence` of a search for more of the same hits was; by default that of the best hit by terms. */
  std::optional<double> evidence;
  /** For each part the items that may be found; nullptr allows all. */
  const Allowed* allowed = nullptr;
  /**
   * For each part the factors of the scores of its items; nullptr for none. By terms alone, hits are the best by the
   * product. By vector, they are the best of what a graph compares, and elsewhere of the nearest: of `depth` of them
   * when every vector is compared; see `complete` of the result.
   */
  const ItemFactors* factors = nullptr;
  /** Whether a query with terms that no document has, if it is the only one, is not searched: it has no hits then. */
  bool skips_missing = false;
  int threads = 1;
  /**
   * Runs a job on another thread if one is idle, and returns false otherwise. The parts of a single block of queries,
   * and its terms, are then searched at the same time. nullptr: one after the other.
   */
  bool (*run_if_idle)(std::function<void()> job) = nullptr;
  const std::atomic<bool>* cancel = nullptr;
};

/** How the vectors of a part were searched. */
struct PartReport {
  /** Documents that exist and are allowed. */
  int64_t allowed = 0;
  bool searched = false;
  /** Whether all allowed items were compared for some query. */
  bool exact = false;
  double milliseconds = 0;
  /** Whether its files were changed since they were mapped: then the answer must not be used. */
  bool changed = false;
};

enum class PartSide { vectors, terms };

struct SearchResult {
  /** The hits of each query, best first, one query after the other; `counts` has their numbers. */
  std::vector<SearchHit> hits;
  std::vector<int32_t> counts;
  /** For each query, what a document with all its terms approaches; 0 without terms. */
  std::vector<double> max_scores;
  /** For each query, its terms that no document has. */
  std::vector<uint32_t> missing_terms;
  /** For each query, what the share of its terms in a fused score is multiplied by, from 0 to 1; 1 for other queries.
   */
  std::vector<double> evidence;
  /** For each query, what the similarities of a fused score are measured by. */
  std::vector<double> similarity_scales;
  /**
   * For each query whether no document that was not a candidate can be among the hits, as far as each side found all of
   * its best candidates: otherwise a larger `depth` may find better ones.
   */
  std::vector<uint8_t> complete;
  std::vector<PartReport> parts;
  /** After corrupt or file_changed: the part with the damaged bytes, -1 where that is not known. */
  int32_t failed_part = -1;
  PartSide failed_side = PartSide::vectors;
};

/**
 * Answers all queries. Hits by vector alone are ordered by distance and have its score, always min(k, documents
 * allowed) of them; hits by terms alone have their BM25, exact. A query with both takes the best `depth` candidates of
 * either side, scores each of them by both sides, and fuses: results do not depend on which side found a document.
 * Equal scores are ordered by key. The answer does not depend on the number of threads. corrupt, file_changed,
 * cancelled, out_of_memory.
 */
Status search_snapshot(const SearchSnapshot& snapshot, const SearchRequest& request, SearchResult* result);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_SEARCH_SEARCH_H_
