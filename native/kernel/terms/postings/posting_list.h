#ifndef SEMANTIC_INDEX_KERNEL_TERMS_POSTINGS_POSTING_LIST_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_POSTINGS_POSTING_LIST_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "terms/postings/bm25.h"
#include "terms/postings/impacts.h"
#include "terms/postings/posting_codec.h"

namespace semantic_index {

inline Status damaged_list() { return corrupt("a posting list is damaged"); }

/** A block of a posting list in memory: what follows it is `capacity` items, then as many frequencies. */
struct TailBlock {
  uint32_t capacity;
  uint32_t max_frequency;
  uint32_t min_length;

  const uint32_t* items() const { return reinterpret_cast<const uint32_t*>(this + 1); }
  uint32_t* items() { return reinterpret_cast<uint32_t*>(this + 1); }
  const uint32_t* frequencies() const { return items() + capacity; }
  uint32_t* frequencies() { return items() + capacity; }
};

/** Blocks of a list in memory grow: they begin at 0, 4, 16, 64, 128, 256, 384 ... */
static inline uint32_t tail_block_begin(uint32_t block) {
  return block < 4 ? (block == 0 ? 0 : 1u << (2 * block)) : (block - 3) * kPostingBlock;
}
static inline uint32_t tail_block_of(uint32_t posting) {
  return posting < 64 ? (posting < 4 ? 0 : posting < 16 ? 1 : 2) : posting / kPostingBlock + 3;
}

/** Where the postings of one term are: in a file or in memory. Owns nothing. */
struct PostingList {
  /** Document frequency; 0: there is no such term. */
  uint32_t count = 0;
  /** Items are below this; `lengths` has as many. */
  uint32_t items = 0;
  const uint32_t* lengths = nullptr;
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  /** Of a list in memory, else nullptr. */
  const TailBlock* const* blocks = nullptr;
  /** Of a list in memory: dominates all postings. */
  Impact impact = {0, 0};
};

/**
 * Reads a posting list block by block, forwards. Nothing about the bytes is believed: `false` means that they
 * contradict themselves, and items that were read are ascending and below `PostingList::items`.
 */
class PostingCursor {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  /** Begins at the start of a list with at least one posting, which must stay in place. */
  [[nodiscard]] bool open(const PostingList& list);

  const PostingList& list() const { return list_; }
  uint32_t blocks() const { return blocks_; }

  /** The first block from the current one on that ends at `item` or behind it; blocks() when there is none. */
  uint32_t locate(uint32_t item);

  /** Decodes the items of a block, unless it is the loaded one. Blocks must be loaded in ascending order. */
  [[nodiscard]] bool load(uint32_t block);
  /** Decodes the frequencies of the loaded block, unless that was done. */
  [[nodiscard]] bool load_frequencies();

  /** The loaded block, kNone before the first. */
  uint32_t block() const { return loaded_; }
  uint32_t size() const { return size_; }
  const uint32_t* items() const { return item_values_; }
  const uint32_t* frequencies() const { return frequency_values_; }
  uint32_t last() const { return item_values_[size_ - 1]; }

  /** The place of the first item of the loaded block, from `from` on, that is not below `item`; size() if none. */
  uint32_t lower_bound(uint32_t from, uint32_t item) const;

  /** Not below the score of any posting of the block, or of the list. */
  double block_bound(uint32_t block, const Bm25& scorer, double weight) const;
  double list_bound(const Bm25& scorer, double weight) const;

 private:
  uint32_t block_last(uint32_t block) const;
  bool load_varints(const uint8_t* at, const uint8_t* end, uint32_t count, uint32_t previous);
  bool load_packed(uint32_t block, uint32_t previous);

  PostingList list_;
  uint32_t blocks_ = 0;
  uint32_t hint_ = 0;
  uint32_t loaded_ = kNone;
  uint32_t size_ = 0;
  bool has_frequencies_ = false;
  const uint8_t* lasts_ = nullptr;
  const uint8_t* ends_ = nullptr;
  const uint8_t* impacts_ = nullptr;
  const uint8_t* data_ = nullptr;
  size_t data_size_ = 0;
  const uint8_t* packed_frequencies_ = nullptr;
  uint32_t frequency_bits_ = 0;
  const uint32_t* item_values_ = nullptr;
  const uint32_t* frequency_values_ = nullptr;
  alignas(16) uint32_t item_buffer_[kPostingBlock];
  alignas(16) uint32_t frequency_buffer_[kPostingBlock];
};

/** Encodes a list: the bytes that PostingCursor reads. `lengths` are those of all items. */
void encode_postings(const std::vector<uint32_t>& items, const std::vector<uint32_t>& frequencies,
                     const uint32_t* lengths, std::vector<uint8_t>* bytes);

/** Bytes of a long list before its blocks; 0 for short ones. */
size_t posting_directory_bytes(uint32_t count);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_POSTINGS_POSTING_LIST_H_
