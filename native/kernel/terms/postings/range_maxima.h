#ifndef SEMANTIC_INDEX_KERNEL_TERMS_POSTINGS_RANGE_MAXIMA_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_POSTINGS_RANGE_MAXIMA_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/item_ranges.h"
#include "base/status.h"
#include "terms/postings/posting_list.h"

namespace semantic_index {

/**
 * For each range of items the most that a term adds to the score of one of them, in four bits: level l stands for at
 * most l / 15 of the most it adds to any, and 0 for a range without the term.
 */
class RangeMaxima {
 public:
  static constexpr uint32_t kLevels = 15;

  /** Reads the whole list. corrupt; may throw bad_alloc. */
  static Status build(const PostingList& list, const Bm25& scorer, std::shared_ptr<const RangeMaxima>* maxima);

  /** Not below what any posting adds to a score, whatever the average length of documents has become since `build`. */
  double bound(const Bm25& scorer, double weight) const {
    return weight * greatest_ * std::max(1.0, per_length_ / scorer.per_length());
  }

  /** Whether the average length has changed so much that the bounds are much too high. */
  bool is_outdated(const Bm25& scorer) const {
    const double change = scorer.per_length() / per_length_;
    return change < 0.8 || change > 1.25;
  }

  /** Adds `weight` times the level of each range to its sum. No sum may exceed 65535. */
  void add(uint16_t weight, uint16_t* sums) const;

  uint32_t level(uint32_t range) const {
    const auto half = static_cast<uint32_t>(levels_.size());
    return range < half ? levels_[range] & 15u : levels_[range - half] >> 4;
  }

 private:
  double greatest_ = 0;
  double per_length_ = 0;
  /** Of the ranges of the first half of the items, and, in the upper bits, of the second. */
  std::vector<uint8_t> levels_;
};

/**
 * The maxima of the frequent terms of a file, made when a term is first searched for. Holds those that were used last:
 * half a byte for each range and term, at most 128 bytes for each item and 64 MiB. Any number of threads may use it.
 */
class RangeMaximaCache {
 public:
  /** The maxima of a list of the file. corrupt; may throw bad_alloc. */
  Status find(const PostingList& list, const Bm25& scorer, std::shared_ptr<const RangeMaxima>* maxima);

 private:
  struct Entry {
    const uint8_t* list;
    std::shared_ptr<const RangeMaxima> maxima;
  };

  std::mutex mutex_;
  /** The last used first. */
  std::list<Entry> entries_;
  std::unordered_map<const uint8_t*, std::list<Entry>::iterator> places_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_POSTINGS_RANGE_MAXIMA_H_
