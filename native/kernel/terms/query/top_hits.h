#ifndef SEMANTIC_INDEX_KERNEL_TERMS_QUERY_TOP_HITS_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_QUERY_TOP_HITS_H_

#include <algorithm>
#include <cstddef>
#include <vector>

#include "terms/query/terms_query.h"

namespace semantic_index {

/** The k best of hits that are offered in the order of parts and items. */
class TopHits {
 public:
  void reset(int64_t k) {
    hits_.clear();
    capacity_ = static_cast<size_t>(k);
    threshold_ = 0;
  }

  /** Only a higher score can enter: 0, below every score, until there are k. Never NaN. */
  double threshold() const { return threshold_; }
  size_t capacity() const { return capacity_; }
  /** Sets the threshold to what is known to be below k scores. */
  void raise(double threshold) { threshold_ = std::max(threshold_, threshold); }
  bool is_full() const { return hits_.size() == capacity_; }

  /** Keeps a hit with a score above the threshold; a later one of equal score is worse. May throw bad_alloc. */
  void offer(double score, int32_t part, int32_t item, double unboosted) {
    if (!(score > threshold_)) return;
    if (is_full()) {
      std::pop_heap(hits_.begin(), hits_.end(), is_better);
      hits_.pop_back();
    }
    hits_.emplace_back(score, part, item, unboosted);
    std::push_heap(hits_.begin(), hits_.end(), is_better);
    if (is_full()) threshold_ = hits_.front().score;
  }

  /** Moves the hits out, best first. */
  void take(std::vector<TermsHit>* hits) {
    std::sort(hits_.begin(), hits_.end(), is_better);
    hits->swap(hits_);
    hits_.clear();
  }

 private:
  static bool is_better(const TermsHit& left, const TermsHit& right) {
    if (left.score != right.score) return left.score > right.score;
    return left.part != right.part ? left.part < right.part : left.item < right.item;
  }

  std::vector<TermsHit> hits_;
  size_t capacity_ = 0;
  double threshold_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_QUERY_TOP_HITS_H_
