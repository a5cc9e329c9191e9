#include "terms/query/terms_filter.h"

#include <algorithm>
#include <new>

#include "base/cancel.h"
#include "base/status.h"

namespace semantic_index {

namespace {

/** The lists of terms in a part; corrupt. */
Status find_lists(const TermsPart& part, const std::vector<TermBytes>& terms, std::vector<PostingList>* lists) {
  lists->assign(terms.size(), PostingList());
  if (part.tail != nullptr) {
    part.tail->find(terms.data(), terms.size(), part.items, lists->data());
    return Status::success();
  }
  for (size_t term = 0; term < terms.size(); ++term) {
    const Status status = part.view->find(terms[term].bytes, terms[term].size, lists->data() + term);
    if (!status.ok()) return status;
  }
  return part.view->check_unchanged();
}

/** Sets the bits of the items of a list. */
Status set_items(const PostingList& list, PostingCursor* cursor, std::vector<uint32_t>* bits) {
  const Status damaged = Status::failure(StatusCode::corrupt, "a posting list is damaged");
  if (!cursor->open(list)) return damaged;
  for (uint32_t block = 0; block < cursor->blocks(); ++block) {
    if (!cursor->load(block)) return damaged;
    for (uint32_t index = 0; index < cursor->size(); ++index) {
      const uint32_t item = cursor->items()[index];
      (*bits)[item / 32] |= 1u << (item % 32);
    }
  }
  return Status::success();
}

class PartFilter {
 public:
  PartFilter(const TermsPart& part, const ItemBits* allowed, const std::atomic<bool>* cancel)
      : part_(part), allowed_(allowed), cancel_(cancel) {}

  Status run(const TermsFilter& filter, std::vector<uint32_t>* matching) {
    const auto items = static_cast<uint32_t>(part_.items);
    const size_t words = (static_cast<size_t>(items) + 31) / 32;
    matching->assign(words, 0);
    if (is_raised(cancel_)) return cancelled();
    Status status = find_lists(part_, filter.required, &lists_);
    if (!status.ok()) return status;
    for (const PostingList& list : lists_) {
      if (list.count == 0) return status;
    }
    // The shortest list first: what it leaves is all that the others can keep.
    std::sort(lists_.begin(), lists_.end(),
              [](const PostingList& left, const PostingList& right) { return left.count < right.count; });
    if (lists_.empty()) {
      std::fill(matching->begin(), matching->end(), UINT32_MAX);
      if (items % 32 != 0) matching->back() = (1u << (items % 32)) - 1;
    } else {
      status = set_items(lists_[0], &cursor_, matching);
    }
    for (size_t place = 1; place < lists_.size() && status.ok(); ++place) status = keep(lists_[place], true, matching);
    if (status.ok()) status = find_lists(part_, filter.excluded, &lists_);
    for (size_t place = 0; place < lists_.size() && status.ok(); ++place) {
      if (lists_[place].count > 0) status = keep(lists_[place], false, matching);
    }
    if (!status.ok()) return status;
    for (size_t word = 0; word < words; ++word) {
      const auto place = static_cast<int64_t>(word);
      if (place < part_.dead.words) (*matching)[word] &= ~part_.dead.bits[word];
      if (allowed_ != nullptr && allowed_->bits != nullptr) {
        (*matching)[word] &= place < allowed_->words ? allowed_->bits[word] : 0u;
      }
    }
    return part_.view == nullptr ? status : part_.view->check_unchanged();
  }

 private:
  /** Keeps the items that a list has, or has not. */
  Status keep(const PostingList& list, bool has, std::vector<uint32_t>* matching) {
    if (is_raised(cancel_)) return cancelled();
    bits_.assign(matching->size(), 0);
    const Status status = set_items(list, &cursor_, &bits_);
    for (size_t word = 0; word < matching->size(); ++word) (*matching)[word] &= has ? bits_[word] : ~bits_[word];
    return status;
  }

  const TermsPart& part_;
  const ItemBits* allowed_;
  const std::atomic<bool>* cancel_;
  std::vector<PostingList> lists_;
  std::vector<uint32_t> bits_;
  PostingCursor cursor_;
};

}  // namespace

Status filter_by_terms(const TermsSnapshot& snapshot, const TermsFilter& filter,
                       std::vector<std::vector<uint32_t>>* matching, int32_t* failed_part) try {
  *failed_part = -1;
  matching->assign(snapshot.parts().size(), {});
  for (size_t part = 0; part < snapshot.parts().size(); ++part) {
    const ItemBits* const allowed = filter.allowed == nullptr ? nullptr : filter.allowed + part;
    const Status status = PartFilter(snapshot.parts()[part], allowed, filter.cancel).run(filter, &(*matching)[part]);
    if (status.ok()) continue;
    if (status.code == StatusCode::corrupt || status.code == StatusCode::file_changed) {
      *failed_part = static_cast<int32_t>(part);
    }
    return status;
  }
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
