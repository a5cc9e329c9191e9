#ifndef SEMANTIC_INDEX_KERNEL_TERMS_QUERY_PART_SEARCH_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_QUERY_PART_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/status.h"
#include "factors/factor_bounds.h"
#include "terms/query/part_query.h"
#include "terms/query/range_search.h"
#include "terms/query/terms_query.h"
#include "terms/query/top_hits.h"

namespace semantic_index {

/**
 * Finds the best documents of one part. Items are taken in windows: the lists that can lift a document above the
 * threshold are added up in an array of scores, term at a time; documents that the other lists may complete are looked
 * up there (MaxScore: Turtle and Flood 1995). The impacts of blocks say which need not be decoded (Ding and Suel 2011).
 */
class PartSearch {
 public:
  Status search(const PartQuery& query, TopHits* hits, TermsWork* work);

  /** Adds to the scores of ascending items. */
  Status score(const PartQuery& query, const uint32_t* items, size_t count, double* scores);

  /** Adds the number of documents that match, are allowed, and are not dead. */
  Status count(const PartQuery& query, int64_t* matches);

  /** To be called when a search threw: the next one begins with clear windows. */
  void forget();

 private:
  /** More than what a product loses by rounding. */
  static constexpr double kRounding = 1e-12;

  struct Term {
    PostingCursor cursor;
    double weight = 0;
    double bound = 0;
    /** The next posting of the loaded block that was not added. */
    uint32_t position = 0;
    bool done = false;
    /** The bound of the last block that was asked for. */
    uint32_t bound_block = PostingCursor::kNone;
    double block_bound = 0;
  };
  /** Made in its place: one that is copied there is read before its halves are written, which takes a dozen cycles. */
  struct Candidate {
    Candidate(uint32_t own_item, double own_score) : item(own_item), score(own_score) {}
    uint32_t item;
    double score;
  };

  /** The items whose scores are added up together. */
  struct Window {
    uint32_t base = 0;
    uint32_t end = 0;
  };

  Status open_terms(const PartQuery& query);
  Status prime(TopHits* hits);
  Status search_windows(TopHits* hits);
  Status search_whole(TopHits* hits);
  Status search_allowed(TopHits* hits, const std::vector<uint32_t>& items);
  void reserve(uint32_t window);
  bool advance(Term* term, uint32_t block, double threshold);
  bool accumulate(Term* term, const Window& window, double threshold);
  void score_run(const PostingCursor& cursor, double weight, uint32_t begin, uint32_t end, double* scores);
  void add_scores(const PostingCursor& cursor, double weight, uint32_t begin, uint32_t end, const Window& window);
  template <typename LeastOf>
  void add_scores(const PostingCursor& cursor, const double* scores, uint32_t begin, uint32_t end, const Window& window,
                  const LeastOf& least_of);
  bool collect_alone(Term* term, uint32_t end, double threshold);
  void set_least(double others, const TopHits& hits);
  void collect(const Window& window);
  size_t bound_factors(size_t first, double* bounds) const;
  void drop_unlikely(double others, double threshold);
  bool complete(Term* term, double others, double threshold);
  double bound_of(Term* term, uint32_t block);
  /** Documents with at most this score before their factor cannot enter: rounded down, so that none is lost. */
  double least_unboosted(const TopHits& hits) const {
    const double threshold = hits.threshold();
    return query_.factors == nullptr ? threshold : threshold / query_.factors->greatest * (1 - kRounding);
  }
  void offer(double score, uint32_t item, TopHits* hits) const {
    const double factored = query_.factors == nullptr ? score : score * query_.factors->of(item);
    hits->offer(factored, query_.part, static_cast<int32_t>(item), score);
  }

  PartQuery query_;
  TermsWork* work_ = nullptr;
  /** Of the items of the part. */
  FactorBounds factor_bounds_;
  /** What scores have to be above to make candidates, whatever other terms add; by the level of an item if it has one.
   */
  double least_ = 0;
  ItemLevels levels_;
  double least_of_levels_[kFactorLevels];
  RangeSearch range_search_;
  /** Reads one list after the other. */
  PostingCursor single_;
  /** Stay in place: they are large. */
  std::deque<Term> terms_;
  /** By ascending bound, and the sums of the bounds before each. */
  std::vector<Term*> order_;
  std::vector<double> before_;
  /** Of the items of a window, 0 where nothing was added. */
  std::vector<double> scores_;
  /** For each group of them whether something was; for each of them, as a bit, whether its score is high enough. */
  std::vector<uint64_t> touched_;
  std::vector<uint64_t> above_;
  std::vector<Candidate> candidates_;
  std::vector<uint32_t> allowed_items_;
  std::vector<double> allowed_scores_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_QUERY_PART_SEARCH_H_
