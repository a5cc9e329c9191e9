#ifndef SEMANTIC_INDEX_KERNEL_SEARCH_BLOCK_SEARCH_H_
#define SEMANTIC_INDEX_KERNEL_SEARCH_BLOCK_SEARCH_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "search/search.h"
#include "search/search_workspace.h"
#include "search/vector_tasks.h"

namespace semantic_index {

/** The items of a part that may be found. */
struct PartFilter {
  Allowed allowed;
  int64_t candidates = 0;
  std::vector<uint32_t> words;
};
using PartFilters = std::vector<PartFilter>;

/** Answers a block of queries. */
class BlockSearch {
 public:
  /** `may_share`: this block is the only one, so other threads may help. */
  BlockSearch(const SearchSnapshot& snapshot, const SearchRequest& request, const PartFilters& filters, bool may_share,
              SearchWorkspace* work)
      : snapshot_(snapshot),
        request_(request),
        filters_(filters),
        threads_(may_share ? request.threads : 1),
        may_share_(may_share),
        work_(*work) {}

  /** Sets the fields of `result` for these queries only. */
  Status run(int64_t first, int64_t count, SearchResult* result);

 private:
  /** Candidates that a side finds for a query. */
  int32_t depth_of(const SearchQuery& query) const;
  std::shared_ptr<VectorTasks> plan_vectors(int64_t first, int64_t count);
  bool share(const std::shared_ptr<VectorTasks>& tasks);
  Status search_vectors(VectorTasks* tasks);
  void merge_neighbors(const SearchQuery& query, int64_t row);
  Status prepare_terms(const SearchQuery& query, double* max_score);
  Status search_terms(const SearchQuery& query, double* max_score);
  Status skip(double max_score);
  void merge_terms_hits();
  Status find_evidence(const SearchQuery& query, double* evidence);
  /** Gives each candidate that can be among the hits the score of the side that did not find it. */
  Status complete(const SearchQuery& query, Fusion* fusion);
  double least_score(const Fusion& fusion);
  double factor_of(const FoundDocument& document) const;
  double greatest_factor() const;
  bool is_complete(const SearchQuery& query, const Fusion& fusion, double least) const;
  Status complete_terms(const SearchQuery& query, const Fusion& fusion, double least);
  void complete_vectors(const SearchQuery& query);
  Query target_of(const float* vector);
  Status fail(Status status, int32_t part, PartSide side);
  Status fail_terms(Status status);
  Status answer(const SearchQuery& query, int64_t row, const double* known_max_score);

  const SearchSnapshot& snapshot_;
  const SearchRequest& request_;
  const PartFilters& filters_;
  const int threads_;
  const bool may_share_;
  SearchWorkspace& work_;
  SearchResult* result_ = nullptr;
  /** Whether the terms of the only query were prepared. */
  bool is_prepared_ = false;
  /** Whether the last merge left neighbors out, and the distance of the last one that it kept. */
  bool has_more_neighbors_ = false;
  float last_distance_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_SEARCH_BLOCK_SEARCH_H_
