#ifndef SEMANTIC_INDEX_KERNEL_SEARCH_SEARCH_WORKSPACE_H_
#define SEMANTIC_INDEX_KERNEL_SEARCH_SEARCH_WORKSPACE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "search/search.h"

namespace semantic_index {

/** A document that one side has found, and where its vector and its terms are. */
struct FoundDocument {
  SearchHit hit;
  PartItem vector;
  PartItem terms;
};

/** The working memory of one searching thread. Holds no pointer that is used by the next search. */
struct SearchWorkspace {
  SegmentScratch segment;
  TermsQuery terms;
  std::vector<ItemBits> allowed;
  std::vector<ItemFactors> factors;
  std::vector<float> queries;
  std::vector<uint64_t> bits;
  std::vector<PartNeighbors> neighbors;
  std::vector<TermsHit> term_hits;
  std::vector<TermsHit> best_by_terms;
  std::vector<FoundDocument> candidates;
  std::vector<FoundDocument> by_terms;
  std::vector<SearchHit> hits;
  std::vector<uint32_t> items;
  std::vector<size_t> places;
  std::vector<double> scores;
  std::vector<double> known;
};

/** A workspace from those that other searches have left, or a new one; given back at the end. */
class ScratchLease {
 public:
  /** May throw bad_alloc. */
  ScratchLease();
  ~ScratchLease();
  ScratchLease(const ScratchLease&) = delete;
  ScratchLease& operator=(const ScratchLease&) = delete;

  SearchWorkspace* get() const { return workspace_.get(); }

 private:
  std::unique_ptr<SearchWorkspace> workspace_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_SEARCH_SEARCH_WORKSPACE_H_
