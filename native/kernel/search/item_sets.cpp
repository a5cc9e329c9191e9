#include "search/item_sets.h"

#include <algorithm>

#include "base/bits.h"

namespace semantic_index {

namespace {

/** The bits of a word that stand for items below `items`. */
uint32_t valid_bits(int64_t word, int64_t items) {
  const int64_t left = items - word * 32;
  return left >= 32 ? UINT32_MAX : left <= 0 ? 0 : (uint32_t{1} << left) - 1;
}

uint32_t word_of(const Allowed& set, int64_t word) {
  return set.bits == nullptr ? UINT32_MAX : word < set.words ? set.bits[word] : 0;
}

}  // namespace

int64_t count_items(const Allowed& set, int64_t items) {
  if (set.bits == nullptr) return items;
  int64_t count = 0;
  for (int64_t word = 0; word < std::min(set.words, (items + 31) / 32); ++word) {
    count += count_bits(set.bits[word] & valid_bits(word, items));
  }
  return count;
}

std::vector<uint32_t> complement(const std::vector<uint32_t>& set, int64_t items) {
  std::vector<uint32_t> others(static_cast<size_t>((items + 31) / 32));
  for (size_t word = 0; word < others.size(); ++word) {
    const uint32_t bits = word < set.size() ? set[word] : 0;
    others[word] = ~bits & valid_bits(static_cast<int64_t>(word), items);
  }
  return others;
}

int64_t intersect(const Allowed& left, const Allowed& right, int64_t items, std::vector<uint32_t>* both) {
  both->resize(static_cast<size_t>((items + 31) / 32));
  int64_t count = 0;
  for (size_t word = 0; word < both->size(); ++word) {
    const auto place = static_cast<int64_t>(word);
    (*both)[word] = word_of(left, place) & word_of(right, place) & valid_bits(place, items);
    count += count_bits((*both)[word]);
  }
  return count;
}

}  // namespace semantic_index
