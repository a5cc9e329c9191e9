#include "terms/query/range_search.h"

#include <algorithm>
#include <cmath>

#include "base/bits.h"
#include "base/cancel.h"
#include "base/prefetch.h"

namespace semantic_index {

namespace {

/** Parts of fewer items are searched by windows. */
constexpr uint32_t kMinItems = 1 << 13;
/** Lists of fewer postings are read whole. */
constexpr uint32_t kMinPostings = 512;
/** And so are lists of this share of the items: so few are longer that their maxima stay in memory. */
constexpr uint32_t kMinShare = 256;
constexpr size_t kMaxTerms = 64;
constexpr size_t kMaxHits = 256;
/** Groups of ranges that are scored for a first threshold, for each hit. */
constexpr size_t kPromising = 3;
/** Groups that raise it, where many more can hold an item that enters. */
constexpr size_t kLikely = 12;
/** Postings of the query for each range that is scored: where there are fewer, windows take less time. */
constexpr uint64_t kPostingsPerRange = 8;
/** More than what a product loses by rounding. */
constexpr double kRoundedDown = 1 - 1e-12;

/** As many bits as a range has items. */
constexpr uint64_t kRangeBits = (uint64_t{1} << kRangeItems) - 1;

bool is_frequent(const PartQuery& query, const PostingList& list) {
  return list.blocks == nullptr && list.count >= std::max(kMinPostings, query.items / kMinShare);
}

}  // namespace

bool RangeSearch::suits(const PartQuery& query, const TopHits& hits) {
  if (query.maxima == nullptr || query.items < kMinItems) return false;
  if (query.count > kMaxTerms || hits.capacity() > kMaxHits || !(query.scorer.per_length() > 0)) return false;
  return std::any_of(query.lists, query.lists + query.count,
                     [&query](const WeightedList& term) { return is_frequent(query, term.list); });
}

Status RangeSearch::search(const PartQuery& query, TopHits* hits, TermsWork* work, bool* is_done) {
  *is_done = false;
  query_ = query;
  work_ = work;
  Status status = add_bounds();
  if (!status.ok()) return status;
  if (query_.allowed != nullptr) keep_living();
  greatest_factor_ = 1;
  if (query_.factors != nullptr) {
    factor_bounds_.prepare(*query_.factors);
    greatest_factor_ = range_factors_.multiply(factor_bounds_, &sums_);
    if (!(greatest_factor_ > 0x1p-256 && greatest_factor_ < 0x1p256)) return Status::success();
  }
  find_greatest();
  found_.clear();
  uint32_t scored = UINT32_MAX;
  for (const size_t groups : {kPromising, kLikely}) {
    const uint32_t least = promising(groups * hits->capacity());
    if (hits->is_full() || least <= needed(*hits)) break;
    status = score_ranges(least, scored, hits->threshold(), is_done);
    if (!status.ok() || !*is_done) return status;
    scored = least;
    raise(hits);
  }
  const uint32_t least = needed(*hits);
  if (least < scored) status = score_ranges(least, scored, hits->threshold(), is_done);
  // Others may use the memory of those that were replaced meanwhile.
  frequent_.clear();
  if (!status.ok() || !*is_done) return status;
  std::sort(found_.begin(), found_.end(), [](const Found& left, const Found& right) { return left.item < right.item; });
  for (const Found& one : found_) {
    hits->offer(boosted_score(one), query_.part, static_cast<int32_t>(one.item), one.score);
  }
  return status;
}

/** The sum of a range with an item that can enter. */
uint32_t RangeSearch::needed(const TopHits& hits) const {
  // A unit less, for what the arithmetic of the bounds may have lost.
  const double sum = std::floor(hits.threshold() / greatest_factor_ * scale_) - 1;
  return static_cast<uint32_t>(std::min(std::max(sum, 1.0), 65536.0));
}

/** Reads the terms, and adds up the most that each of them adds to the scores of a range. */
Status RangeSearch::add_bounds() {
  const size_t count = range_count(query_.items);
  sums_.assign(count, 0);
  slots_.resize(count);
  ranges_.resize(count);
  frequent_.clear();
  rare_.clear();
  double total = 0;
  for (size_t index = 0; index < query_.count; ++index) {
    const WeightedList& term = query_.lists[index];
    if (!is_frequent(query_, term.list)) {
      total += term.weight;
      continue;
    }
    FrequentTerm& frequent = frequent_.emplace_back();
    frequent.list = &term;
    const Status status = query_.maxima->find(term.list, query_.scorer, &frequent.maxima);
    if (!status.ok()) return status;
    frequent.bound = frequent.maxima->bound(query_.scorer, term.weight);
    total += frequent.bound;
  }
  // Each term is rounded up, a frequent one for each level.
  scale_ = (UINT16_MAX - static_cast<double>(query_.count * (RangeMaxima::kLevels + 1))) / total;
  of_unit_ = 1 / scale_;
  for (FrequentTerm& term : frequent_) {
    const double of_level = std::max(1.0, std::ceil(term.bound / RangeMaxima::kLevels * scale_));
    term.of_level = static_cast<uint32_t>(of_level);
    term.maxima->add(static_cast<uint16_t>(of_level), sums_.data());
  }
  // Those that decide most are read first.
  std::stable_sort(frequent_.begin(), frequent_.end(),
                   [](const FrequentTerm& left, const FrequentTerm& right) { return left.bound > right.bound; });
  for (size_t index = 0; index < query_.count; ++index) {
    const WeightedList& term = query_.lists[index];
    if (is_frequent(query_, term.list)) continue;
    const Status status = read_rare(term);
    if (!status.ok()) return status;
  }
  return Status::success();
}

Status RangeSearch::read_rare(const WeightedList& term) {
  if (!cursor_.open(term.list)) return damaged_list();
  uint32_t last = UINT32_MAX;
  uint16_t greatest = 0;
  for (uint32_t block = 0; block < cursor_.blocks(); ++block) {
    if (is_raised(query_.cancel)) return cancelled();
    if (!cursor_.load(block) || !cursor_.load_frequencies()) return damaged_list();
    for (uint32_t index = 0; index < cursor_.size(); ++index) {
      const uint32_t item = cursor_.items()[index];
      const double score = query_.scorer.score(term.weight, cursor_.frequencies()[index], term.list.lengths[item]);
      rare_.push_back({item, score});
      const uint32_t range = item / kRangeItems;
      if (range != last) greatest = 0;
      last = range;
      const auto bound = static_cast<uint16_t>(std::ceil(score * scale_));
      if (bound <= greatest) continue;
      sums_[range] = static_cast<uint16_t>(sums_[range] + bound - greatest);
      greatest = bound;
    }
  }
  if (work_ != nullptr) work_->scored += term.list.count;
  return Status::success();
}

/** Leaves out the ranges none of whose items may be found. */
void RangeSearch::keep_living() {
  for (uint32_t item = 0; item < query_.items; item += 64) {
    const uint64_t living = query_.living_bits(item);
    for (uint32_t range = 0; range < 64 / kRangeItems; ++range) {
      if ((living >> (range * kRangeItems) & kRangeBits) == 0) sums_[item / kRangeItems + range] = 0;
    }
  }
}

void RangeSearch::find_greatest() {
  greatest_.resize(sums_.size() / kRangeGroup);
  const uint16_t* sums = sums_.data();
  for (uint16_t& greatest : greatest_) {
    // Computed in a register: what is written to memory may be one of the sums, for all that the compiler knows.
    uint16_t own = 0;
    for (uint32_t index = 0; index < kRangeGroup; ++index) own = std::max(own, sums[index]);
    greatest = own;
    sums += kRangeGroup;
  }
}

/** A sum that so many groups reach, or nearly the highest of these. */
uint32_t RangeSearch::promising(size_t groups) const {
  uint32_t counts[256] = {};
  for (const uint16_t greatest : greatest_) ++counts[greatest >> 8];
  size_t reached = 0;
  for (uint32_t upper = 255; upper > 0; --upper) {
    reached += counts[upper];
    if (reached >= groups) return upper << 8;
  }
  return 1;
}

/** Selects the ranges with sums from `least` on and below `scored`. */
void RangeSearch::select(uint32_t least, uint32_t scored) {
  // Without branches for the ranges of a group, which would often be mispredicted: each is written where the next one
  // may be. The count is in a register: what is written may be any member, for all that the compiler knows.
  uint32_t selected = 0;
  uint32_t* const slots = slots_.data();
  uint32_t* const ranges = ranges_.data();
  const uint16_t* const sums = sums_.data();
  for (size_t group = 0; group < greatest_.size(); ++group) {
    if (greatest_[group] < least) continue;
    const auto first = static_cast<uint32_t>(group * kRangeGroup);
    for (uint32_t range = first; range < first + kRangeGroup; ++range) {
      slots[range] = selected * kRangeItems;
      ranges[selected] = range;
      selected += uint32_t{sums[range] >= least} & uint32_t{sums[range] < scored};
    }
  }
  selected_ = selected;
}

/**
 * Adds up the scores of the items of ranges with sums from `least` on and below `scored`, and keeps those above a
 * threshold. `*is_done` is false when there are too many ranges.
 */
Status RangeSearch::score_ranges(uint32_t least, uint32_t scored, double threshold, bool* is_done) {
  select(least, scored);
  *is_done = selected_ * kPostingsPerRange <= query_.total_postings();
  if (!*is_done) return Status::success();
  const uint32_t* const lengths = query_.lists[0].list.lengths;
  for (size_t slot = 0; slot < selected_; ++slot) {
    prefetch(lengths + size_t{ranges_[slot]} * kRangeItems, sizeof(uint32_t));
  }
  scores_.assign(size_t{selected_} * kRangeItems, 0.0);
  for (const Posting& posting : rare_) {
    const uint32_t sum = sums_[posting.item / kRangeItems];
    if (sum < least || sum >= scored) continue;
    scores_[slots_[posting.item / kRangeItems] + posting.item % kRangeItems] += posting.score;
  }
  if (threshold > 0) bound_rests();
  for (const FrequentTerm& term : frequent_) {
    if (is_raised(query_.cancel)) return cancelled();
    if (!score_term(term, threshold * kRoundedDown)) return damaged_list();
  }
  collect(threshold);
  return Status::success();
}

/** Sets what the frequent terms may add in each selected range, and the factors of its items. */
void RangeSearch::bound_rests() {
  // A unit more, for what the arithmetic of the bounds may have lost.
  rests_.assign(selected_, 1);
  for (const FrequentTerm& term : frequent_) {
    for (size_t slot = 0; slot < selected_; ++slot) rests_[slot] += term.maxima->level(ranges_[slot]) * term.of_level;
  }
  if (query_.factors == nullptr) return;
  const size_t count = size_t{selected_} * kRangeItems;
  factors_.resize(count);
  uint32_t items[kBoundedAtOnce];
  for (size_t first = 0; first < count; first += kBoundedAtOnce) {
    const size_t size = std::min(kBoundedAtOnce, count - first);
    for (size_t index = 0; index < size; ++index) {
      items[index] = ranges_[(first + index) / kRangeItems] * kRangeItems + index % kRangeItems;
    }
    factor_bounds_.of(items, size, factors_.data() + first);
  }
}

/** Whether an item of a selected range may have a score above a threshold with its factor. */
bool RangeSearch::can_exceed(size_t slot, double threshold) const {
  const double rest = rests_[slot] * of_unit_;
  const double* const scores = scores_.data() + slot * kRangeItems;
  bool can = false;
  for (uint32_t index = 0; index < kRangeItems; ++index) {
    const double factor = query_.factors == nullptr ? 1 : factors_[slot * kRangeItems + index];
    can |= (scores[index] + rest) * factor > threshold;
  }
  return can;
}

/** Adds the scores of a term in the selected ranges that can exceed a threshold. */
bool RangeSearch::score_term(const FrequentTerm& term, double threshold) {
  if (!cursor_.open(term.list->list)) return false;
  const uint32_t* const lengths = term.list->list.lengths;
  const double weight = term.list->weight;
  const Bm25 scorer = query_.scorer;
  uint32_t position = 0;
  for (size_t slot = 0; slot < selected_; ++slot) {
    const uint32_t range = ranges_[slot];
    const uint32_t level = term.maxima->level(range);
    if (level == 0) continue;
    if (threshold > 0) {
      // What is left out stays below the threshold: its rest keeps what was not added.
      if (!can_exceed(slot, threshold)) continue;
      rests_[slot] -= level * term.of_level;
    }
    const uint32_t first = range * kRangeItems;
    const uint32_t end = first + kRangeItems;
    double* const scores = scores_.data() + slot * kRangeItems;
    uint32_t block = cursor_.locate(first);
    while (block != cursor_.blocks()) {
      if (block != cursor_.block()) {
        if (!cursor_.load(block)) return false;
        position = 0;
      }
      if (!cursor_.load_frequencies()) return false;
      position = cursor_.lower_bound(position, first);
      for (; position < cursor_.size() && cursor_.items()[position] < end; ++position) {
        const uint32_t item = cursor_.items()[position];
        scores[item - first] += scorer.score(weight, cursor_.frequencies()[position], lengths[item]);
        if (work_ != nullptr) ++work_->scored;
      }
      // The next block may continue the range.
      if (position < cursor_.size() || cursor_.last() + 1 >= end) break;
      block = cursor_.locate(cursor_.last() + 1);
    }
  }
  return true;
}

/** Keeps the items of the selected ranges that may be found and have scores above a threshold. */
void RangeSearch::collect(double threshold) {
  const size_t known = found_.size();
  const double least = threshold / greatest_factor_ * kRoundedDown;
  for (size_t slot = 0; slot < selected_; ++slot) {
    const uint32_t first = ranges_[slot] * kRangeItems;
    const double* const scores = scores_.data() + slot * kRangeItems;
    uint64_t above = 0;
    for (uint32_t index = 0; index < kRangeItems; ++index) above |= uint64_t{scores[index] > least} << index;
    above &= query_.living_bits(first / 64 * 64) >> (first % 64);
    for (; above != 0; above &= above - 1) {
      const double score = scores[lowest_bit(above)];
      found_.push_back({first + lowest_bit(above), score, score});
    }
  }
  if (query_.factors != nullptr) drop_unlikely(known, threshold);
}

/** Leaves out those from `first` on that their factors keep below a threshold. */
void RangeSearch::drop_unlikely(size_t first, double threshold) {
  uint32_t items[kBoundedAtOnce];
  double bounds[kBoundedAtOnce];
  size_t kept = first;
  while (first < found_.size()) {
    const size_t count = std::min(kBoundedAtOnce, found_.size() - first);
    for (size_t index = 0; index < count; ++index) items[index] = found_[first + index].item;
    factor_bounds_.of(items, count, bounds);
    for (size_t index = 0; index < count; ++index) {
      Found one = found_[first + index];
      one.bound *= bounds[index];
      found_[kept] = one;
      kept += size_t{one.bound > threshold};
    }
    first += count;
  }
  found_.resize(kept);
}

/** Raises the threshold to what the scores that were found show, and keeps those that are above it. */
void RangeSearch::raise(TopHits* hits) {
  const size_t k = hits->capacity();
  if (found_.size() < k) return;
  const auto by_bound = [](const Found& left, const Found& right) { return left.bound > right.bound; };
  const auto kth = found_.begin() + static_cast<std::ptrdiff_t>(k - 1);
  if (query_.factors == nullptr) {
    std::nth_element(found_.begin(), kth, found_.end(), by_bound);
    hits->raise(kth->score - query_.scorer.quantum());
  } else {
    const auto last = found_.begin() + static_cast<std::ptrdiff_t>(std::min(found_.size(), 2 * k) - 1);
    std::nth_element(found_.begin(), last, found_.end(), by_bound);
    for (auto one = found_.begin(); one <= last; ++one) query_.factors->prefetch(one->item);
    for (auto one = found_.begin(); one <= last; ++one) one->bound = boosted_score(*one);
    std::nth_element(found_.begin(), kth, last + 1, by_bound);
    hits->raise(kth->bound * kRoundedDown);
  }
  const double threshold = hits->threshold();
  found_.erase(std::remove_if(kth, found_.end(), [threshold](const Found& one) { return !(one.bound > threshold); }),
               found_.end());
}

}  // namespace semantic_index
