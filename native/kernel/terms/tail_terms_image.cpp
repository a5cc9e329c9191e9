#include "terms/tail_terms_image.h"

#include <algorithm>
#include <new>

#include "base/cancel.h"
#include "base/prefetch.h"
#include "base/status.h"
#include "terms/terms_tail.h"

namespace semantic_index {

namespace {

constexpr uint32_t kItemBits = 28;
constexpr uint32_t kItemMask = (1u << kItemBits) - 1;
constexpr uint32_t kLongFrequency = 15;
static_assert(kMaxTermsItems <= (1 << kItemBits), "an item has 28 bits");

/** Terms that are looked up ahead. */
constexpr size_t kTermsAhead = 16;

Status contradiction() { return corrupt("the terms of the tail image contradict themselves"); }

size_t words_of(size_t bytes) { return (bytes + 7) / 8; }

uint32_t capacity_of(uint32_t block) { return tail_block_begin(block + 1) - tail_block_begin(block); }

size_t block_bytes(uint32_t block) { return sizeof(TailBlock) + size_t{8} * capacity_of(block); }

}  // namespace

/** Takes one piece of memory for all that the image becomes, which wastes nothing. */
void TermsTail::reserve_image(const TermsImageView& image) {
  const size_t documents = std::max(kFewestDocuments, image.items);
  size_t words = words_of(4 * documents) + documents + 1;
  size_t bytes = 0;
  size_t postings = 0;
  for (size_t number = 0; number < image.term_count; ++number) {
    const ImageTerm& term = image.terms[number];
    bytes += term.size;
    postings += term.count;
    // Whatever an image states, its memory is within a multiple of its size.
    if (term.count == 0 || bytes > image.byte_count || postings > image.word_count) return;
    words += std::max<size_t>(1, words_of(term.size));
    const uint32_t last = tail_block_of(term.count - 1);
    words += last + 1;
    for (uint32_t block = 0; block <= last; ++block) words += words_of(block_bytes(block));
  }
  add_chunk(words);
}

/** Adds a term that is not there, for which there is a slot: known terms need not be looked at. */
TermsTail::Term* TermsTail::add_unknown(const TermBytes& term, uint32_t hash) {
  const size_t mask = slots_.size() - 1;
  size_t slot = hash & mask;
  while (slots_[slot] != 0) slot = (slot + 1) & mask;
  add_in_slot(slot, term, hash);
  return &terms_.back();
}

/** Reads the postings of a new term from `*word`, which moves behind them. False when they are not those of a list. */
bool TermsTail::read_postings(Term* term, const TermsImageView& image, uint32_t count, size_t* word) {
  if (count > image.word_count - *word) return false;
  const uint32_t blocks = tail_block_of(count - 1) + 1;
  term->blocks = static_cast<TailBlock**>(allocate(blocks * sizeof(TailBlock*)));
  term->block_capacity = blocks;
  term->impact = {0, UINT32_MAX};
  size_t place = *word;
  uint32_t next_item = 0;
  for (uint32_t number = 0; number < blocks; ++number) {
    const uint32_t capacity = capacity_of(number);
    auto* const block = static_cast<TailBlock*>(allocate(block_bytes(number)));
    *block = {capacity, 0, UINT32_MAX};
    uint32_t* const items = block->items();
    uint32_t* const frequencies = block->frequencies();
    const uint32_t size = std::min(count - tail_block_begin(number), capacity);
    for (uint32_t index = 0; index < size; ++index) {
      if (place == image.word_count) return false;
      const uint32_t packed = image.postings[place++];
      const uint32_t item = packed & kItemMask;
      uint32_t frequency = packed >> kItemBits;
      if (frequency == kLongFrequency) {
        if (place == image.word_count) return false;
        frequency = image.postings[place++];
      }
      if (item < next_item || item >= image.items || frequency < 1 || frequency > kMaxTermFrequency) return false;
      next_item = item + 1;
      items[index] = item;
      frequencies[index] = frequency;
      block->max_frequency = std::max(block->max_frequency, frequency);
      block->min_length = std::min(block->min_length, lengths_[item]);
    }
    term->blocks[number] = block;
    term->block_count = number + 1;
    term->impact.frequency = std::max(term->impact.frequency, block->max_frequency);
    term->impact.length = std::min(term->impact.length, block->min_length);
  }
  term->count = count;
  term->last_item = next_item - 1;
  *word = place;
  return true;
}

Status TermsImage::set(const TermsTail& tail, int32_t items) try {
  std::vector<TailTerm> all;
  const Status status = tail.list_terms(items, &all);
  if (!status.ok()) return status;
  const uint32_t* const own_lengths = tail.lengths();
  lengths.assign(own_lengths, own_lengths + items);
  terms.clear();
  bytes.clear();
  postings.clear();
  for (const TailTerm& term : all) {
    const auto* const text = static_cast<const uint8_t*>(term.term.bytes);
    terms.push_back({static_cast<uint32_t>(term.term.size), term.list.count});
    bytes.insert(bytes.end(), text, text + term.term.size);
    for (uint32_t block = 0; tail_block_begin(block) < term.list.count; ++block) {
      const TailBlock& values = *term.list.blocks[block];
      const uint32_t size = std::min(term.list.count, tail_block_begin(block + 1)) - tail_block_begin(block);
      for (uint32_t index = 0; index < size; ++index) {
        const uint32_t frequency = values.frequencies()[index];
        postings.push_back(values.items()[index] | std::min(frequency, kLongFrequency) << kItemBits);
        if (frequency >= kLongFrequency) postings.push_back(frequency);
      }
    }
  }
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status TermsTail::load(const TermsImageView& image, const std::atomic<bool>* cancel) try {
  if (written_ != 0 || !is_whole_) return Status::failure(StatusCode::invalid_argument, "the tail is not empty");
  if (image.items > static_cast<uint32_t>(kMaxTermsItems) || image.term_count > image.word_count)
    return contradiction();
  const std::lock_guard<std::mutex> lock(mutex_);
  is_whole_ = false;
  reserve_image(image);
  reserve_documents(std::max(image.items, 1u));
  totals_[0] = 0;
  for (uint32_t item = 0; item < image.items; ++item) {
    if (image.lengths[item] > kMaxDocumentLength) return contradiction();
    lengths_[item] = image.lengths[item];
    totals_[item + 1] = totals_[item] + lengths_[item];
  }
  terms_.reserve(image.term_count);
  while ((image.term_count + 1) * 2 >= slots_.size()) grow_slots();
  size_t byte = 0;
  size_t word = 0;
  // Slots are spread over memory: those of the next terms are asked for before they are used.
  uint32_t hashes[kTermsAhead];
  size_t ahead = 0;
  size_t ahead_byte = 0;
  TermBytes previous;
  for (size_t number = 0; number < image.term_count; ++number) {
    if (number % kTermsBetweenChecks == 0 && is_raised(cancel)) return cancelled();
    const ImageTerm& term = image.terms[number];
    if (term.size > kMaxTermBytes || term.size > image.byte_count - byte || term.count == 0) return contradiction();
    for (; ahead < image.term_count && ahead < number + kTermsAhead; ++ahead) {
      const size_t size = image.terms[ahead].size;
      if (size > image.byte_count - ahead_byte) return contradiction();
      const uint32_t hash = hash_of(key_, {image.bytes + ahead_byte, size});
      prefetch(&slots_[hash & (slots_.size() - 1)], sizeof(uint32_t));
      hashes[ahead % kTermsAhead] = hash;
      ahead_byte += size;
    }
    const TermBytes bytes = {image.bytes + byte, term.size};
    byte += term.size;
    // So they are distinct.
    if (number > 0 && !is_term_before(previous, bytes)) return contradiction();
    previous = bytes;
    Term* const added = add_unknown(bytes, hashes[number % kTermsAhead]);
    if (!read_postings(added, image, term.count, &word)) return contradiction();
  }
  if (byte != image.byte_count || word != image.word_count) return contradiction();
  is_whole_ = true;
  written_ = image.items;
  items_.store(static_cast<int32_t>(image.items), std::memory_order_release);
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
