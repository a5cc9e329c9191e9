#include <algorithm>
#include <new>
#include <string>

#include "base/cancel.h"
#include "base/status.h"
#include "terms/terms_view.h"

namespace semantic_index {

namespace {

/** Decodes a whole list and compares the impacts with its postings. */
Status validate_list(const PostingList& list, PostingCursor* cursor) {
  if (!cursor->open(list)) return corrupt("a posting list is damaged");
  // Any average will do: what dominates a posting dominates its score.
  const Bm25 scorer(1, 50, 1);
  const double most = cursor->list_bound(scorer, 1);
  int64_t previous = -1;
  for (uint32_t block = 0; block < cursor->blocks(); ++block) {
    if (!cursor->load(block) || !cursor->load_frequencies()) return corrupt("a posting list is damaged");
    const double bound = cursor->block_bound(block, scorer, 1);
    for (uint32_t index = 0; index < cursor->size(); ++index) {
      const uint32_t item = cursor->items()[index];
      const uint32_t frequency = cursor->frequencies()[index];
      if (item <= previous) return corrupt("the items of a posting list do not ascend");
      if (frequency > kMaxTermFrequency) return corrupt("a term frequency is impossible");
      const double score = scorer.score(1, frequency, list.lengths[item]);
      if (score > bound || score > most) return corrupt("an impact does not bound its postings");
      previous = item;
    }
  }
  return Status::success();
}

}  // namespace

Status TermsView::validate_sections(const std::atomic<bool>* cancel) const {
  return verify_sections(kTermsFormat, bytes_, sizeof header_, header_.sections, kTermsSections, cancel);
}

Status TermsView::validate_lists(const std::atomic<bool>* cancel) const {
  TermsIterator iterator(*this);
  PostingCursor cursor;
  std::string previous;
  uint64_t postings = 0;
  uint64_t bytes = 0;
  for (uint64_t number = 0;; ++number) {
    if (number % kTermsBetweenChecks == 0 && is_raised(cancel)) return cancelled();
    bool done = false;
    Status status = iterator.next(&done);
    if (!status.ok()) return status;
    if (done) break;
    const std::string& term = iterator.term();
    if (number > 0 && !(previous < term)) return corrupt("the terms of the dictionary do not ascend");
    if (number % kDictionaryBlock == 0 && head(number / kDictionaryBlock).prefix !=
                                              term_prefix(reinterpret_cast<const uint8_t*>(term.data()), term.size())) {
      return corrupt("a block of the dictionary has the wrong prefix");
    }
    status = validate_list(iterator.list(), &cursor);
    if (!status.ok()) return status;
    previous = term;
    postings += iterator.list().count;
    bytes += iterator.list().size;
  }
  const uint64_t blocks = dictionary_blocks(header_.terms);
  if (postings != header_.postings || bytes != section_bytes(TermsSection::postings) ||
      (blocks > 0 && head(0).terms != 0) || (blocks == 0 && section_bytes(TermsSection::dictionary) != 0)) {
    return corrupt("the totals of the terms file are wrong");
  }
  return Status::success();
}

Status TermsView::verify(const std::atomic<bool>* cancel) const try {
  const Status status = validate_sections(cancel);
  return status.ok() ? check_unchanged() : status;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status TermsView::validate(const std::atomic<bool>* cancel) const try {
  Status status = validate_sections(cancel);
  if (!status.ok()) return status;
  uint64_t total = 0;
  for (int32_t item = 0; item < header_.items; ++item) {
    if (lengths()[item] > kMaxDocumentLength) return corrupt("a document length is impossible");
    total += lengths()[item];
  }
  if (total != header_.total_length) return corrupt("the totals of the terms file are wrong");
  status = validate_lists(cancel);
  return status.ok() ? check_unchanged() : status;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
