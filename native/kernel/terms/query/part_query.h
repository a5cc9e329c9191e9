#ifndef SEMANTIC_INDEX_KERNEL_TERMS_QUERY_PART_QUERY_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_QUERY_PART_QUERY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/item_bits.h"
#include "factors/item_factors.h"
#include "terms/postings/bm25.h"
#include "terms/postings/range_maxima.h"

namespace semantic_index {

/** A term of the query in one part: its list there, and its weight. */
struct WeightedList {
  PostingList list;
  double weight;
};

/** What a search of one part needs. `lists` have a posting each. */
struct PartQuery {
  const WeightedList* lists = nullptr;
  size_t count = 0;
  Bm25 scorer;
  int32_t part = 0;
  uint32_t items = 0;
  ItemBits dead;
  const ItemBits* allowed = nullptr;
  const ItemFactors* factors = nullptr;
  /** Of the lists that are in a file; nullptr for a tail. */
  RangeMaximaCache* maxima = nullptr;
  const std::atomic<bool>* cancel = nullptr;

  /** As bits, which of 64 items may be found, from one that is a multiple of 64. */
  uint64_t living_bits(uint32_t item) const {
    uint64_t word = ~word_at(dead, item);
    if (allowed != nullptr) word &= word_at(*allowed, item);
    return word;
  }
  bool is_living(uint32_t item) const { return ((living_bits(item / 64 * 64) >> (item % 64)) & 1) != 0; }

  uint64_t total_postings() const {
    uint64_t total = 0;
    for (size_t index = 0; index < count; ++index) total += lists[index].list.count;
    return total;
  }

 private:
  static uint64_t word_at(const ItemBits& set, uint32_t item) {
    const int64_t place = item / 32;
    uint64_t word = place < set.words ? set.bits[place] : 0;
    if (place + 1 < set.words) word |= static_cast<uint64_t>(set.bits[place + 1]) << 32;
    return word;
  }
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_QUERY_PART_QUERY_H_
