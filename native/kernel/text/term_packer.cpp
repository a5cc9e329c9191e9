#include "text/term_packer.h"

#include <algorithm>
#include <cstring>

namespace semantic_index {

namespace {

constexpr uint8_t kVersion = 1;
/** Larger counts of a term in one document make no difference to its score. */
constexpr uint32_t kMaxFrequency = 1 << 24;
constexpr uint64_t kMaxLength = 0x7fffffff;

void append(uint64_t value, std::vector<uint8_t>* bytes) {
  for (; value > 0x7f; value >>= 7) bytes->push_back(static_cast<uint8_t>(value | 0x80));
  bytes->push_back(static_cast<uint8_t>(value));
}

/** A term with its first bytes as a number, most of which differ. */
struct SortedTerm {
  uint64_t prefix;
  uint32_t number;
};

uint64_t prefix_of(StringView term) {
  uint64_t prefix = 0;
  for (size_t at = 0; at < 8; ++at) {
    prefix = prefix << 8 | (at < term.size ? static_cast<uint8_t>(term.bytes[at]) : 0);
  }
  return prefix;
}

}  // namespace

void TermPacker::count(uint32_t term) {
  if (term >= counts_.size()) {
    const size_t size = std::max<size_t>(2 * counts_.size(), dictionary_.size());
    counts_.resize(size, 0);
    is_used_.resize(size, 0);
  }
  ++length_;
  if (counts_[term]++ > 0) return;
  entries_.push_back({term, 0});
  if (is_used_[term] != 0) return;
  is_used_[term] = 1;
  used_.push_back(term);
}

void TermPacker::end_document(uint64_t key) {
  const size_t first = documents_.empty() ? 0 : documents_.back().end;
  for (size_t at = first; at < entries_.size(); ++at) {
    Entry& entry = entries_[at];
    entry.frequency = std::min(kMaxFrequency, counts_[entry.term]);
    counts_[entry.term] = 0;
  }
  documents_.push_back({key, entries_.size(), std::min(kMaxLength, length_)});
  length_ = 0;
}

std::vector<uint32_t> TermPacker::sorted_terms() const {
  std::vector<SortedTerm> sorted;
  sorted.reserve(used_.size());
  for (const uint32_t number : used_) sorted.push_back({prefix_of(dictionary_.at(number)), number});
  std::sort(sorted.begin(), sorted.end(), [this](const SortedTerm& a, const SortedTerm& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    const StringView left = dictionary_.at(a.number);
    const StringView right = dictionary_.at(b.number);
    const int order = std::memcmp(left.bytes, right.bytes, std::min(left.size, right.size));
    return order != 0 ? order < 0 : left.size < right.size;
  });
  std::vector<uint32_t> numbers;
  numbers.reserve(sorted.size());
  for (const SortedTerm& term : sorted) numbers.push_back(term.number);
  return numbers;
}

void TermPacker::take(std::vector<uint8_t>* packed) {
  const std::vector<uint32_t> order = sorted_terms();
  packed->reserve(packed->size() + 64 + 12 * order.size() + 3 * entries_.size() + 8 * documents_.size());
  append(kVersion, packed);
  append(documents_.size(), packed);
  append(order.size(), packed);
  // The counts are all zero between documents: they hold the places of terms meanwhile.
  for (size_t place = 0; place < order.size(); ++place) {
    const StringView term = dictionary_.at(order[place]);
    append(term.size, packed);
    packed->insert(packed->end(), term.bytes, term.bytes + term.size);
    counts_[order[place]] = static_cast<uint32_t>(place);
  }
  uint64_t previous_key = documents_.empty() ? 0 : documents_.front().key;
  size_t at = 0;
  for (const Document& document : documents_) {
    const auto first = entries_.begin() + static_cast<ptrdiff_t>(at);
    const auto last = entries_.begin() + static_cast<ptrdiff_t>(document.end);
    for (auto entry = first; entry != last; ++entry) entry->term = counts_[entry->term];
    std::sort(first, last, [](const Entry& a, const Entry& b) { return a.term < b.term; });
    append(document.key - previous_key, packed);
    previous_key = document.key;
    append(document.length, packed);
    append(document.end - at, packed);
    uint32_t previous = 0;
    for (auto entry = first; entry != last; ++entry) {
      append(entry->term - previous, packed);
      append(entry->frequency, packed);
      previous = entry->term;
    }
    at = document.end;
  }
  for (const uint32_t number : order) counts_[number] = 0;
  drop();
}

void TermPacker::drop() {
  // Those of a document that was not ended.
  const size_t ended = documents_.empty() ? 0 : documents_.back().end;
  for (size_t at = ended; at < entries_.size(); ++at) counts_[entries_[at].term] = 0;
  for (const uint32_t number : used_) is_used_[number] = 0;
  used_.clear();
  documents_.clear();
  entries_.clear();
  length_ = 0;
}

}  // namespace semantic_index
