#ifndef SEMANTIC_INDEX_TEST_SUPPORT_SEARCH_WORLD_H_
#define SEMANTIC_INDEX_TEST_SUPPORT_SEARCH_WORLD_H_

#include <memory>
#include <string>
#include <vector>

#include "search/search.h"
#include "support/terms_corpus.h"

namespace semantic_index_test {

/** Documents with keys, vectors and terms, some of which are deleted. */
struct World {
  NodeLayout layout;
  std::vector<int64_t> keys;
  std::vector<float> rows;
  Corpus corpus;
  std::vector<bool> alive;

  size_t size() const { return keys.size(); }
  const float* row(size_t number) const { return rows.data() + number * static_cast<size_t>(layout.dimensions); }
};
World make_world(Metric metric, int32_t dimensions, size_t size, double dead, uint64_t seed);

/** Which documents go to a part, and what of them. */
struct PartPlan {
  size_t begin;
  size_t end;
  /** 'f': forest, 'g': forest with graph, 'r': rows of a buffer, '-': none. */
  char vectors;
  /** 'f': file, 't': tail, '-': none. */
  char terms;
};

/** A snapshot of a world, and what it points to. */
struct Built {
  std::vector<std::unique_ptr<MemoryBlock>> files;
  std::vector<std::vector<size_t>> documents;
  SearchSnapshotPointer snapshot;
};
SearchPartPointer part_of(const World& world, const PartPlan& plan, Built* built);
void build(const World& world, const std::vector<PartPlan>& plans, Built* built);

/** For each part the documents of `allowed`, by their number in the world. */
std::vector<Bits> allowed_by_part(const Built& built, const std::vector<bool>& allowed);

/** A query of the tests. */
struct WorldQuery {
  std::vector<float> vector;
  bool has_terms = false;
  std::vector<std::string> terms;
};

/** What every document scores for a query, by definition. */
struct WorldScores {
  std::vector<float> distances;
  std::vector<double> by_terms;
  double max_score = 0;
  double squared_weight = 0;

  /** What the terms say, by the document with the best of their scores. */
  double evidence(double best) const {
    return squared_weight > 0 ? std::min(1.0, 4 * best * best / squared_weight) : 0;
  }
};
WorldScores score_world(const World& world, const WorldQuery& query);
double similarity_of(const NodeLayout& layout, double distance);

/** The hits of a query when every document is compared, by definition. */
std::vector<SearchHit> expected_hits(const World& world, const WorldQuery& query, const WorldScores& scores,
                                     const std::vector<bool>& allowed, const SearchRequest& request);

/** Queries in the form of the kernel. They point into the given ones. */
struct KernelQueries {
  std::vector<std::vector<QueryTerm>> terms;
  std::vector<SearchQuery> queries;
};
KernelQueries kernel_queries(const std::vector<WorldQuery>& given);

}  // namespace semantic_index_test

#endif  // SEMANTIC_INDEX_TEST_SUPPORT_SEARCH_WORLD_H_
