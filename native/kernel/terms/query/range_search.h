#ifndef SEMANTIC_INDEX_KERNEL_TERMS_QUERY_RANGE_SEARCH_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_QUERY_RANGE_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "factors/factor_bounds.h"
#include "factors/range_factors.h"
#include "terms/query/part_query.h"
#include "terms/query/terms_query.h"
#include "terms/query/top_hits.h"

namespace semantic_index {

/**
 * Finds the best documents of one part by what the terms can add up to in ranges of a few items (Mallia, Suel and
 * Tonellotto 2024): the most promising ranges give a threshold, and only what is above that is scored. With factors,
 * what a range can reach is multiplied by the greatest of its items.
 */
class RangeSearch {
 public:
  /** Whether it is likely to take less than a search of all windows. */
  static bool suits(const PartQuery& query, const TopHits& hits);

  /**
   * Offers the documents that can enter. `*is_done` is false when most ranges can hold some: the threshold may be
   * higher then, and nothing was offered. Fails as PartSearch; may throw bad_alloc.
   */
  Status search(const PartQuery& query, TopHits* hits, TermsWork* work, bool* is_done);

 private:
  struct FrequentTerm {
    const WeightedList* list;
    std::shared_ptr<const RangeMaxima> maxima;
    /** The most that it adds to a score, and what a level of its maxima is in the sums. */
    double bound = 0;
    uint32_t of_level = 0;
  };
  struct Posting {
    uint32_t item;
    double score;
  };
  struct Found {
    uint32_t item;
    double score;
    /** Not below the score with its factor. */
    double bound;
  };

  Status add_bounds();
  Status read_rare(const WeightedList& term);
  void keep_living();
  void find_greatest();
  uint32_t needed(const TopHits& hits) const;
  uint32_t promising(size_t groups) const;
  void select(uint32_t least, uint32_t scored);
  Status score_ranges(uint32_t least, uint32_t scored, double threshold, bool* is_done);
  void bound_rests();
  bool can_exceed(size_t slot, double threshold) const;
  [[nodiscard]] bool score_term(const FrequentTerm& term, double threshold);
  void collect(double threshold);
  void drop_unlikely(size_t first, double threshold);
  void raise(TopHits* hits);
  double boosted_score(const Found& one) const {
    return query_.factors == nullptr ? one.score : one.score * query_.factors->of(one.item);
  }

  PartQuery query_;
  TermsWork* work_ = nullptr;
  std::vector<FrequentTerm> frequent_;
  /** The postings of the other terms. */
  std::vector<Posting> rare_;
  /** What a score of 1 is in the sums, and what a unit of these is as a score. */
  double scale_ = 0;
  double of_unit_ = 0;
  FactorBounds factor_bounds_;
  RangeFactors range_factors_;
  /** What the sums are multiplied by to be bounds of scores with factors. */
  double greatest_factor_ = 1;
  /** For each range what no score in it is above, and the greatest of these in each group of ranges. */
  std::vector<uint16_t> sums_;
  std::vector<uint16_t> greatest_;
  /** The selected ranges, ascending, the first so many of `ranges_`; and where the scores of each begin. */
  uint32_t selected_ = 0;
  std::vector<uint32_t> ranges_;
  std::vector<uint32_t> slots_;
  /** Of the items of the selected ranges. */
  std::vector<double> scores_;
  /** Not below the factors of these items. */
  std::vector<double> factors_;
  /** For each selected range the sum that terms which were not added to its scores may still add. */
  std::vector<uint32_t> rests_;
  /** The items that may be among the best. */
  std::vector<Found> found_;
  PostingCursor cursor_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_QUERY_RANGE_SEARCH_H_
