#include "terms/postings/posting_list.h"

#include <algorithm>

namespace semantic_index {

namespace {

/** So many bits of 128 differences cannot add up beyond 32 bits, whatever they are. */
constexpr uint32_t kSafeBits = 24;
/** Look-ups ascend, so the next item is often among so many postings. */
constexpr uint32_t kNear = 16;

void encode_varints(const uint32_t* items, const uint32_t* frequencies, uint32_t count, uint32_t previous,
                    std::vector<uint8_t>* bytes) {
  for (uint32_t index = 0; index < count; ++index) {
    const uint32_t step = items[index] - previous - 1;
    append_varint(step << 1 | (frequencies[index] == 1 ? 1u : 0u), bytes);
    if (frequencies[index] != 1) append_varint(frequencies[index] - 2, bytes);
    previous = items[index];
  }
}

void encode_packed(const uint32_t* items, const uint32_t* frequencies, uint32_t previous, std::vector<uint8_t>* bytes) {
  uint32_t steps[kPostingBlock];
  uint32_t others[kPostingBlock];
  uint32_t all_steps = 0;
  uint32_t all_others = 0;
  for (uint32_t index = 0; index < kPostingBlock; ++index) {
    steps[index] = items[index] - previous - 1;
    others[index] = frequencies[index] - 1;
    all_steps |= steps[index];
    all_others |= others[index];
    previous = items[index];
  }
  const uint32_t step_bits = bits_of(all_steps);
  const uint32_t other_bits = bits_of(all_others);
  bytes->push_back(static_cast<uint8_t>(step_bits));
  bytes->push_back(static_cast<uint8_t>(other_bits));
  pack_values(steps, step_bits, bytes);
  pack_values(others, other_bits, bytes);
}

/** Makes items of gaps. Four quarters side by side: one sum would have to wait for the one before. */
void add_up(uint32_t previous, uint32_t* values) {
  constexpr uint32_t kQuarter = kPostingBlock / 4;
  uint32_t sums[4] = {previous, 0, 0, 0};
  for (uint32_t index = 0; index < kQuarter; ++index) {
    for (uint32_t quarter = 0; quarter < 4; ++quarter) {
      uint32_t& value = values[quarter * kQuarter + index];
      value = sums[quarter] += value + 1;
    }
  }
  for (uint32_t quarter = 1; quarter < 4; ++quarter) {
    const uint32_t before = values[quarter * kQuarter - 1];
    for (uint32_t index = 0; index < kQuarter; ++index) values[quarter * kQuarter + index] += before;
  }
}

uint32_t block_count(uint32_t count) { return (count + kPostingBlock - 1) / kPostingBlock; }

}  // namespace

size_t posting_directory_bytes(uint32_t count) {
  if (count < kPostingBlock) return 0;
  return kListImpacts * kImpactBytes + static_cast<size_t>(block_count(count)) * (8 + kBlockImpacts * kImpactBytes);
}

void encode_postings(const std::vector<uint32_t>& items, const std::vector<uint32_t>& frequencies,
                     const uint32_t* lengths, std::vector<uint8_t>* bytes) {
  const auto count = static_cast<uint32_t>(items.size());
  if (count < kPostingBlock) {
    encode_varints(items.data(), frequencies.data(), count, UINT32_MAX, bytes);
    return;
  }
  std::vector<uint8_t> data;
  std::vector<uint8_t> ends;
  std::vector<uint8_t> impacts;
  std::vector<uint8_t> lasts;
  ImpactSet of_block;
  ImpactSet of_list;
  uint32_t previous = UINT32_MAX;
  for (uint32_t begin = 0; begin < count; begin += kPostingBlock) {
    const uint32_t end = std::min(count, begin + kPostingBlock);
    of_block.clear();
    for (uint32_t index = begin; index < end; ++index) of_block.add(frequencies[index], lengths[items[index]]);
    of_block.append(kBlockImpacts, &impacts);
    for (const Impact& pair : of_block.pairs()) of_list.add(pair.frequency, pair.length);
    if (end - begin == kPostingBlock) {
      encode_packed(items.data() + begin, frequencies.data() + begin, previous, &data);
    } else {
      encode_varints(items.data() + begin, frequencies.data() + begin, end - begin, previous, &data);
    }
    previous = items[end - 1];
    append_word(previous, &lasts);
    append_word(static_cast<uint32_t>(data.size()), &ends);
  }
  of_list.append(kListImpacts, bytes);
  for (const std::vector<uint8_t>* part : {&lasts, &ends, &impacts, &data}) {
    bytes->insert(bytes->end(), part->begin(), part->end());
  }
}

bool PostingCursor::open(const PostingList& list) {
  list_ = list;
  hint_ = 0;
  loaded_ = kNone;
  size_ = 0;
  if (list.count == 0 || list.count > list.items) return false;
  if (list.blocks != nullptr) {
    blocks_ = tail_block_of(list.count - 1) + 1;
    return true;
  }
  blocks_ = block_count(list.count);
  if (list.count < kPostingBlock) {
    if (!load_varints(list.bytes, list.bytes + list.size, list.count, UINT32_MAX)) return false;
    loaded_ = 0;
    return true;
  }
  const size_t directory = posting_directory_bytes(list.count);
  if (list.size < directory) return false;
  lasts_ = list.bytes + kListImpacts * kImpactBytes;
  ends_ = lasts_ + static_cast<size_t>(blocks_) * 4;
  impacts_ = ends_ + static_cast<size_t>(blocks_) * 4;
  data_ = list.bytes + directory;
  data_size_ = list.size - directory;
  return true;
}

uint32_t PostingCursor::block_last(uint32_t block) const {
  if (list_.blocks != nullptr) {
    const uint32_t end = std::min(list_.count, tail_block_begin(block + 1));
    return list_.blocks[block]->items()[end - tail_block_begin(block) - 1];
  }
  if (list_.count < kPostingBlock) return item_buffer_[list_.count - 1];
  return read_word(lasts_ + static_cast<size_t>(block) * 4);
}

uint32_t PostingCursor::locate(uint32_t item) {
  if (loaded_ != kNone && hint_ <= loaded_) {
    if (last() >= item) return loaded_;
    hint_ = loaded_ + 1;
  }
  if (hint_ >= blocks_) return blocks_;
  // Steps of doubling width, then halves.
  uint32_t below = hint_;
  uint32_t width = 1;
  uint32_t reach = hint_;
  while (reach < blocks_ && block_last(reach) < item) {
    below = reach + 1;
    reach = below + width;
    width *= 2;
  }
  uint32_t above = std::min(reach, blocks_);
  while (below < above) {
    const uint32_t middle = below + (above - below) / 2;
    if (block_last(middle) < item) {
      below = middle + 1;
    } else {
      above = middle;
    }
  }
  hint_ = below;
  return below;
}

bool PostingCursor::load(uint32_t block) {
  if (block == loaded_) return true;
  // What was read last bounds the next block from below even if the directory of the blocks lies.
  const uint32_t floor = loaded_ == kNone ? UINT32_MAX : last();
  if (list_.blocks != nullptr) {
    const TailBlock* const values = list_.blocks[block];
    const uint32_t begin = tail_block_begin(block);
    size_ = std::min(list_.count, tail_block_begin(block + 1)) - begin;
    item_values_ = values->items();
    frequency_values_ = values->frequencies();
    has_frequencies_ = true;
  } else {
    const uint32_t previous = block == 0 ? UINT32_MAX : block_last(block - 1);
    if (previous != UINT32_MAX && previous >= list_.items) return false;
    if (!load_packed(block, previous) || last() != block_last(block)) return false;
    if (floor != UINT32_MAX && item_values_[0] <= floor) return false;
  }
  loaded_ = block;
  hint_ = block;
  return true;
}

bool PostingCursor::load_packed(uint32_t block, uint32_t previous) {
  const uint32_t begin = block == 0 ? 0 : read_word(ends_ + static_cast<size_t>(block - 1) * 4);
  const uint32_t end = read_word(ends_ + static_cast<size_t>(block) * 4);
  if (begin > end || end > data_size_) return false;
  const uint32_t count = std::min(kPostingBlock, list_.count - block * kPostingBlock);
  const uint8_t* const at = data_ + begin;
  if (count < kPostingBlock) return load_varints(at, data_ + end, count, previous);
  if (end - begin < 2) return false;
  const uint32_t step_bits = at[0];
  frequency_bits_ = at[1];
  if (step_bits > kMaxPackedBits || frequency_bits_ > kMaxPackedBits ||
      end - begin != 2 + packed_bytes(step_bits) + packed_bytes(frequency_bits_)) {
    return false;
  }
  packed_frequencies_ = at + 2 + packed_bytes(step_bits);
  has_frequencies_ = false;
  unpack_values(at + 2, step_bits, item_buffer_);
  if (step_bits <= kSafeBits) {
    add_up(previous, item_buffer_);
  } else {
    uint64_t item = static_cast<uint64_t>(previous + 1);
    for (uint32_t& value : item_buffer_) {
      item += value;
      if (item >= list_.items) return false;
      value = static_cast<uint32_t>(item++);
    }
  }
  size_ = kPostingBlock;
  item_values_ = item_buffer_;
  frequency_values_ = frequency_buffer_;
  // Ascending without overflow, so the last bounds all.
  return item_buffer_[kPostingBlock - 1] < list_.items;
}

bool PostingCursor::load_varints(const uint8_t* at, const uint8_t* end, uint32_t count, uint32_t previous) {
  uint64_t item = static_cast<uint64_t>(previous + 1);
  for (uint32_t index = 0; index < count; ++index) {
    uint32_t step = 0;
    at = read_varint(at, end, &step);
    if (at == nullptr) return false;
    item += step >> 1;
    if (item >= list_.items) return false;
    item_buffer_[index] = static_cast<uint32_t>(item++);
    frequency_buffer_[index] = 1;
    if ((step & 1) == 0) {
      uint32_t more = 0;
      at = read_varint(at, end, &more);
      if (at == nullptr || more > UINT32_MAX - 2) return false;
      frequency_buffer_[index] = more + 2;
    }
  }
  size_ = count;
  item_values_ = item_buffer_;
  frequency_values_ = frequency_buffer_;
  has_frequencies_ = true;
  return at == end;
}

bool PostingCursor::load_frequencies() {
  if (has_frequencies_) return true;
  unpack_values(packed_frequencies_, frequency_bits_, frequency_buffer_);
  for (uint32_t& value : frequency_buffer_) ++value;
  has_frequencies_ = true;
  return true;
}

uint32_t PostingCursor::lower_bound(uint32_t from, uint32_t item) const {
  const uint32_t* base = item_values_ + from;
  if (*base >= item) return from;
  uint32_t length = size_ - from;
  if (length > kNear && base[kNear - 1] >= item) length = kNear;
  // Halves without branches: the comparisons are unpredictable. A product, as compilers make a branch of a choice.
  while (length > 1) {
    const uint32_t half = length / 2;
    base += half * static_cast<uint32_t>(base[half - 1] < item);
    length -= half;
  }
  const auto place = static_cast<uint32_t>(base - item_values_);
  return place + (length == 1 && *base < item ? 1 : 0);
}

double PostingCursor::block_bound(uint32_t block, const Bm25& scorer, double weight) const {
  if (list_.blocks != nullptr) {
    // The last block may still grow, and its numbers with it: those of the list were read with its count.
    if (block + 1 == blocks_) return list_bound(scorer, weight);
    return scorer.bound(weight, list_.blocks[block]->max_frequency, list_.blocks[block]->min_length);
  }
  if (list_.count < kPostingBlock) return list_bound(scorer, weight);
  double bound = 0;
  const uint8_t* pair = impacts_ + static_cast<size_t>(block) * kBlockImpacts * kImpactBytes;
  for (size_t index = 0; index < kBlockImpacts; ++index, pair += kImpactBytes) {
    const Impact impact = read_impact(pair);
    bound = std::max(bound, scorer.bound(weight, impact.frequency, impact.length));
  }
  return bound;
}

double PostingCursor::list_bound(const Bm25& scorer, double weight) const {
  if (list_.blocks != nullptr) return scorer.bound(weight, list_.impact.frequency, list_.impact.length);
  double bound = 0;
  if (list_.count < kPostingBlock) {
    for (uint32_t index = 0; index < size_; ++index) {
      bound = std::max(bound, scorer.bound(weight, frequency_buffer_[index], list_.lengths[item_buffer_[index]]));
    }
    return bound;
  }
  for (size_t index = 0; index < kListImpacts; ++index) {
    const Impact impact = read_impact(list_.bytes + index * kImpactBytes);
    bound = std::max(bound, scorer.bound(weight, impact.frequency, impact.length));
  }
  return bound;
}

}  // namespace semantic_index
