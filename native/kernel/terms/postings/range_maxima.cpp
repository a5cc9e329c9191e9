#include "terms/postings/range_maxima.h"

#include <cmath>
#include <utility>

namespace semantic_index {

namespace {

constexpr size_t kMaxTables = 1024;
constexpr size_t kMaxBytes = size_t{64} << 20;

struct RangeMaximum {
  uint32_t range;
  double share;
};

}  // namespace

Status RangeMaxima::build(const PostingList& list, const Bm25& scorer, std::shared_ptr<const RangeMaxima>* maxima) {
  auto made = std::make_shared<RangeMaxima>();
  const uint32_t half = range_count(list.items) / 2;
  made->levels_.assign(half, 0);
  made->per_length_ = scorer.per_length();
  std::vector<RangeMaximum> ranges;
  PostingCursor cursor;
  if (!cursor.open(list)) return damaged_list();
  for (uint32_t block = 0; block < cursor.blocks(); ++block) {
    if (!cursor.load(block) || !cursor.load_frequencies()) return damaged_list();
    for (uint32_t index = 0; index < cursor.size(); ++index) {
      const uint32_t item = cursor.items()[index];
      const double share = scorer.share(cursor.frequencies()[index], list.lengths[item]);
      if (ranges.empty() || ranges.back().range != item / kRangeItems) ranges.push_back({item / kRangeItems, 0});
      ranges.back().share = std::max(ranges.back().share, share);
      made->greatest_ = std::max(made->greatest_, share);
    }
  }
  for (const RangeMaximum& one : ranges) {
    // What rounds to nothing is something all the same.
    const double level = made->greatest_ > 0 ? std::ceil(one.share / made->greatest_ * kLevels) : 1;
    const auto bits = static_cast<uint8_t>(std::min<double>(kLevels, std::max(1.0, level)));
    if (one.range < half) {
      made->levels_[one.range] = static_cast<uint8_t>(made->levels_[one.range] | bits);
    } else {
      made->levels_[one.range - half] = static_cast<uint8_t>(made->levels_[one.range - half] | bits << 4);
    }
  }
  *maxima = std::move(made);
  return Status::success();
}

void RangeMaxima::add(uint16_t weight, uint16_t* sums) const {
  const size_t half = levels_.size();
  const uint8_t* const levels = levels_.data();
  uint16_t* const upper = sums + half;
  // Two loops, as each has vector instructions only where it writes to one place.
  for (size_t range = 0; range < half; ++range) {
    sums[range] = static_cast<uint16_t>(sums[range] + (levels[range] & 15u) * weight);
  }
  for (size_t range = 0; range < half; ++range) {
    upper[range] = static_cast<uint16_t>(upper[range] + (levels[range] >> 4) * weight);
  }
}

Status RangeMaximaCache::find(const PostingList& list, const Bm25& scorer, std::shared_ptr<const RangeMaxima>* maxima) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto place = places_.find(list.bytes);
    if (place != places_.end() && !place->second->maxima->is_outdated(scorer)) {
      entries_.splice(entries_.begin(), entries_, place->second);
      *maxima = place->second->maxima;
      return Status::success();
    }
  }
  const Status status = RangeMaxima::build(list, scorer, maxima);
  if (!status.ok()) return status;
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto place = places_.find(list.bytes);
  if (place != places_.end()) {
    place->second->maxima = *maxima;
    return status;
  }
  const size_t most = std::min(kMaxTables, std::max<size_t>(1, kMaxBytes / (range_count(list.items) / 2)));
  if (entries_.size() >= most) {
    places_.erase(entries_.back().list);
    entries_.pop_back();
  }
  entries_.push_front({list.bytes, *maxima});
  try {
    places_.emplace(list.bytes, entries_.begin());
  } catch (...) {
    entries_.pop_front();
    throw;
  }
  return status;
}

}  // namespace semantic_index
