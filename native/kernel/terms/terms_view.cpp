#include "terms/terms_view.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/status.h"

namespace semantic_index {

namespace {

/** An entry of the dictionary: how much of the term before it shares, its other bytes, its list. */
struct Entry {
  uint32_t shared;
  uint32_t size;
  const uint8_t* suffix;
  uint32_t count;
  uint32_t bytes;
};

/** Reads an entry and returns the byte behind it, nullptr when it runs over the end. */
const uint8_t* read_entry(const uint8_t* at, const uint8_t* end, Entry* entry) {
  at = read_varint(at, end, &entry->shared);
  if (at != nullptr) at = read_varint(at, end, &entry->size);
  if (at == nullptr || entry->size > static_cast<uint64_t>(end - at)) return nullptr;
  entry->suffix = at;
  at = read_varint(at + entry->size, end, &entry->count);
  if (at != nullptr) at = read_varint(at, end, &entry->bytes);
  return at;
}

int compare(const uint8_t* left, size_t left_size, const uint8_t* right, size_t right_size) {
  const size_t shared = std::min(left_size, right_size);
  const int order = shared == 0 ? 0 : std::memcmp(left, right, shared);
  if (order != 0) return order;
  return left_size < right_size ? -1 : left_size > right_size ? 1 : 0;
}

}  // namespace

uint64_t term_prefix(const uint8_t* term, size_t size) {
  uint64_t prefix = 0;
  for (size_t index = 0; index < 8; ++index) prefix = prefix << 8 | (index < size ? term[index] : 0u);
  return prefix;
}

Status TermsView::open(const uint8_t* bytes, int64_t size, TermsView* view, const std::atomic<bool>* changed) try {
  TermsView result;
  const Status status = check_terms_header(bytes, size, &result.header_);
  if (!status.ok()) return status;
  result.bytes_ = bytes;
  result.changed_ = changed;
  result.signatures_ = std::make_shared<SignatureTable>();
  result.maxima_ = std::make_shared<RangeMaximaCache>();
  *view = result;
  return view->check_unchanged();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

const uint8_t* TermsView::section(TermsSection section) const {
  return bytes_ + header_.sections[static_cast<size_t>(section)].offset;
}

uint64_t TermsView::section_bytes(TermsSection section) const {
  return static_cast<uint64_t>(header_.sections[static_cast<size_t>(section)].bytes);
}

const uint32_t* TermsView::lengths() const { return reinterpret_cast<const uint32_t*>(section(TermsSection::lengths)); }

DictionaryHead TermsView::head(uint64_t block) const {
  DictionaryHead head;
  std::memcpy(&head, section(TermsSection::heads) + block * sizeof head, sizeof head);
  return head;
}

bool TermsView::block_bytes(uint64_t block, const uint8_t** begin, const uint8_t** end) const {
  const uint64_t size = section_bytes(TermsSection::dictionary);
  const uint64_t from = head(block).terms;
  const uint64_t to = block + 1 < dictionary_blocks(header_.terms) ? head(block + 1).terms : size;
  if (from > to || to > size) return false;
  *begin = section(TermsSection::dictionary) + from;
  *end = section(TermsSection::dictionary) + to;
  return true;
}

bool TermsView::list_at(uint64_t offset, uint32_t bytes, uint32_t count, PostingList* list) const {
  const uint64_t size = section_bytes(TermsSection::postings);
  if (offset > size || bytes > size - offset || count == 0 || count > static_cast<uint32_t>(header_.items))
    return false;
  *list = PostingList();
  list->count = count;
  list->items = static_cast<uint32_t>(header_.items);
  list->lengths = lengths();
  list->bytes = section(TermsSection::postings) + offset;
  list->size = bytes;
  return true;
}

Status TermsView::find_block(const uint8_t* term, size_t size, uint64_t* block) const {
  // The last block whose first term is not above; blocks in between have equal prefixes only where terms are long.
  const uint64_t prefix = term_prefix(term, size);
  uint64_t below = 0;
  uint64_t above = dictionary_blocks(header_.terms);
  while (below + 1 < above) {
    const uint64_t middle = below + (above - below) / 2;
    const uint64_t other = head(middle).prefix;
    bool is_above = other > prefix;
    if (other == prefix) {
      const uint8_t* begin = nullptr;
      const uint8_t* end = nullptr;
      Entry entry;
      if (!block_bytes(middle, &begin, &end) || read_entry(begin, end, &entry) == nullptr) {
        return corrupt("a block of the dictionary is damaged");
      }
      is_above = compare(entry.suffix, entry.size, term, size) > 0;
    }
    if (is_above) {
      above = middle;
    } else {
      below = middle;
    }
  }
  *block = below;
  return Status::success();
}

Status TermsView::find(const void* term, size_t size, PostingList* list) const {
  *list = PostingList();
  if (header_.terms == 0 || size > kMaxTermBytes) return Status::success();
  const auto* const key = static_cast<const uint8_t*>(term);
  uint64_t block = 0;
  Status status = find_block(key, size, &block);
  if (!status.ok()) return status;
  const uint8_t* at = nullptr;
  const uint8_t* end = nullptr;
  if (!block_bytes(block, &at, &end)) return corrupt("a block of the dictionary is damaged");
  uint64_t postings = head(block).postings;
  // Terms before the searched one share `matched` bytes with it at most; an entry that shares more with the term
  // before it is below as well, one that shares less is above.
  size_t matched = 0;
  while (at < end) {
    Entry entry;
    at = read_entry(at, end, &entry);
    if (at == nullptr) return corrupt("an entry of the dictionary is damaged");
    if (entry.shared < matched) return Status::success();
    if (entry.shared == matched) {
      const size_t rest = size - matched;
      const size_t most = std::min<size_t>(rest, entry.size);
      size_t same = 0;
      while (same < most && entry.suffix[same] == key[matched + same]) ++same;
      if (same == rest && same == entry.size) {
        if (!list_at(postings, entry.bytes, entry.count, list)) return corrupt("a posting list lies outside the file");
        return Status::success();
      }
      const bool is_above = same == rest || (same < entry.size && entry.suffix[same] > key[matched + same]);
      if (is_above) return Status::success();
      matched += same;
    }
    postings += entry.bytes;
  }
  return Status::success();
}

Status TermsView::check_unchanged() const {
  if (changed_ == nullptr || !changed_->load(std::memory_order_acquire)) return Status::success();
  return Status::failure(StatusCode::file_changed, "the terms file was cut short while it was in use");
}

void TermsIterator::begin_at(uint64_t block) {
  number_ = block * kDictionaryBlock;
  postings_ = view_.head(block).postings;
  at_ = nullptr;
}

Status TermsIterator::next(bool* done) try {
  *done = number_ == view_.header_.terms;
  if (*done) {
    return at_ == end_ ? Status::success() : corrupt("the dictionary has bytes behind its last term");
  }
  if (number_ % kDictionaryBlock == 0) {
    const uint64_t block = number_ / kDictionaryBlock;
    const uint8_t* begin = nullptr;
    if (!view_.block_bytes(block, &begin, &end_)) return corrupt("a block of the dictionary is damaged");
    // Blocks follow each other, whatever their heads say.
    if (at_ != nullptr && at_ != begin) return corrupt("a block of the dictionary does not end where the next begins");
    if (view_.head(block).postings != postings_) return corrupt("a block of the dictionary names the wrong postings");
    at_ = begin;
    term_.clear();
  }
  Entry entry;
  at_ = read_entry(at_, end_, &entry);
  if (at_ == nullptr || entry.shared > term_.size() || entry.shared + static_cast<size_t>(entry.size) > kMaxTermBytes) {
    return corrupt("an entry of the dictionary is damaged");
  }
  term_.resize(entry.shared);
  term_.append(reinterpret_cast<const char*>(entry.suffix), entry.size);
  if (!view_.list_at(postings_, entry.bytes, entry.count, &list_)) {
    return corrupt("a posting list lies outside the file");
  }
  postings_ += entry.bytes;
  ++number_;
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
