#include "terms/query/terms_snapshot.h"

#include <algorithm>
#include <new>

namespace semantic_index {

namespace {

/** Looking a deleted item up in a list costs as much as passing over so many of its postings. */
constexpr uint64_t kLookUpPostings = 32;
/** Counts that take fewer look-ups are not kept, and no more than so many terms are. */
constexpr size_t kCheapLookUps = 32;
constexpr size_t kMaxKeptCounts = 1 << 14;

Status damaged_list() { return Status::failure(StatusCode::corrupt, "a posting list is damaged"); }

/** How many postings of a list are of deleted items. */
Status count_in(const PostingList& list, const ItemBits& dead, const std::vector<uint32_t>& dead_items,
                PostingCursor* cursor, uint32_t* count) {
  *count = 0;
  if (!cursor->open(list)) return damaged_list();
  if (list.count < dead_items.size() * kLookUpPostings) {
    for (uint32_t block = 0; block < cursor->blocks(); ++block) {
      if (!cursor->load(block)) return damaged_list();
      for (uint32_t index = 0; index < cursor->size(); ++index) *count += dead.contains(cursor->items()[index]) ? 1 : 0;
    }
    return Status::success();
  }
  for (uint32_t item : dead_items) {
    const uint32_t block = cursor->locate(item);
    if (block == cursor->blocks()) break;
    if (!cursor->load(block)) return damaged_list();
    if (cursor->items()[cursor->lower_bound(0, item)] == item) ++*count;
  }
  return Status::success();
}

}  // namespace

Status TermsSnapshot::add(const TermsPart& part) try {
  std::vector<uint32_t> dead;
  uint64_t dead_length = 0;
  const uint32_t* const lengths = part.lengths();
  const auto items = static_cast<uint32_t>(part.items);
  for (int64_t word = 0; word < std::min<int64_t>(part.dead.words, (int64_t{items} + 31) / 32); ++word) {
    uint32_t bits = part.dead.bits[word];
    for (auto item = static_cast<uint32_t>(word * 32); bits != 0 && item < items; bits >>= 1, ++item) {
      if ((bits & 1) == 0) continue;
      dead.push_back(item);
      dead_length += lengths[item];
    }
  }
  parts_.reserve(parts_.size() + 1);
  counts_.resize(parts_.size() + 1);
  documents_ += static_cast<int64_t>(items) - static_cast<int64_t>(dead.size());
  total_length_ += part.total_length() - dead_length;
  dead_items_.push_back(std::move(dead));
  parts_.push_back(part);
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status TermsSnapshot::count_dead(size_t part, const TermBytes& term, const PostingList& list, PostingCursor* cursor,
                                 uint32_t* count) const {
  const std::vector<uint32_t>& items = dead_items_[part];
  if (std::min<size_t>(items.size(), list.count / kLookUpPostings) < kCheapLookUps) {
    return count_in(list, parts_[part].dead, items, cursor, count);
  }
  std::string key(static_cast<const char*>(term.bytes), term.size);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto known = counts_[part].find(key);
    if (known != counts_[part].end()) {
      *count = known->second;
      return Status::success();
    }
  }
  const Status status = count_in(list, parts_[part].dead, items, cursor, count);
  if (!status.ok()) return status;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (counts_[part].size() < kMaxKeptCounts) counts_[part].emplace(std::move(key), *count);
  return status;
}

}  // namespace semantic_index
