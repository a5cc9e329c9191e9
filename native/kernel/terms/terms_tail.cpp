#include "terms/terms_tail.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/prefetch.h"
#include "terms/packed_terms.h"

namespace semantic_index {

namespace {

constexpr size_t kFirstChunk = 1 << 14;
constexpr size_t kLargestChunk = 1 << 20;

/** Terms of a batch that are looked up under one lock, and fetched from memory together. */
constexpr size_t kTermsAtOnce = 16;
/** Terms that are passed over under one lock. */
constexpr size_t kTermsBetweenLocks = 1 << 10;

Status check_document(const TermsDocument& document) {
  if (document.length > kMaxDocumentLength) {
    return Status::failure(StatusCode::invalid_argument, "expected a document length below 2^31");
  }
  for (size_t index = 0; index < document.count; ++index) {
    const DocumentTerm& term = document.terms[index];
    if (term.term.size > kMaxTermBytes) {
      return Status::failure(StatusCode::invalid_argument, "expected terms of at most 32768 bytes");
    }
    if (term.frequency < 1 || term.frequency > kMaxTermFrequency) {
      return Status::failure(StatusCode::invalid_argument, "expected term frequencies from 1 to 2^24");
    }
  }
  return Status::success();
}

uint32_t block_capacity(uint32_t block) { return tail_block_begin(block + 1) - tail_block_begin(block); }

}  // namespace

/** The postings of a batch in the order of its terms: those of term i from begins[i] to begins[i + 1]. */
struct TermsTail::BatchPostings {
  std::vector<uint32_t> begins;
  std::vector<uint32_t> items;
  std::vector<uint32_t> frequencies;
};

TermsTail::BatchPostings TermsTail::invert(const PackedTerms& batch, const uint32_t* selected, size_t count,
                                           uint32_t first_item) {
  BatchPostings postings;
  std::vector<uint32_t>& begins = postings.begins;
  begins.assign(batch.terms().size() + 2, 0);
  for (size_t index = 0; index < count; ++index) {
    const PackedDocument& document = batch.documents()[selected[index]];
    const PackedTerm* const terms = batch.terms_of(document);
    for (uint32_t place = 0; place < document.count; ++place) ++begins[terms[place].number + 2];
  }
  for (size_t term = 2; term < begins.size(); ++term) begins[term] += begins[term - 1];
  postings.items.resize(begins.back());
  postings.frequencies.resize(begins.back());
  // Moves each begin to the end of its term, which is the begin of the next one.
  for (size_t index = 0; index < count; ++index) {
    const PackedDocument& document = batch.documents()[selected[index]];
    const PackedTerm* const terms = batch.terms_of(document);
    for (uint32_t place = 0; place < document.count; ++place) {
      const uint32_t posting = begins[terms[place].number + 1]++;
      postings.items[posting] = first_item + static_cast<uint32_t>(index);
      postings.frequencies[posting] = terms[place].frequency;
    }
  }
  return postings;
}

void TermsTail::add_chunk(size_t words) {
  memory_.push_back(std::unique_ptr<uint64_t[]>(new uint64_t[words]));
  next_ = memory_.back().get();
  free_ = words * 8;
  bytes_ += free_;
}

void* TermsTail::allocate(size_t bytes) {
  const size_t words = std::max<size_t>(1, (bytes + 7) / 8);
  if (words * 8 > free_) {
    const size_t grown = std::min(kLargestChunk, std::max(kFirstChunk, bytes_ / 4));
    add_chunk(std::max(words, grown / 8));
  }
  uint64_t* const place = next_;
  next_ += words;
  free_ -= words * 8;
  return place;
}

size_t TermsTail::slot_of(const TermBytes& term, uint32_t hash) const {
  const size_t mask = slots_.size() - 1;
  for (size_t slot = hash & mask;; slot = (slot + 1) & mask) {
    if (slots_[slot] == 0) return slot;
    const Term& other = terms_[slots_[slot] - 1];
    if (other.hash == hash && other.size == term.size &&
        (term.size == 0 || std::memcmp(other.bytes, term.bytes, term.size) == 0)) {
      return slot;
    }
  }
}

void TermsTail::grow_slots() {
  std::vector<uint32_t> grown(std::max<size_t>(1024, slots_.size() * 2), 0);
  for (size_t number = 0; number < terms_.size(); ++number) {
    size_t slot = terms_[number].hash & (grown.size() - 1);
    while (grown[slot] != 0) slot = (slot + 1) & (grown.size() - 1);
    grown[slot] = static_cast<uint32_t>(number) + 1;
  }
  slots_.swap(grown);
}

uint32_t TermsTail::find_or_add(const TermBytes& term, uint32_t hash) {
  if (terms_.size() * 2 >= slots_.size()) grow_slots();
  const size_t slot = slot_of(term, hash);
  if (slots_[slot] == 0) add_in_slot(slot, term, hash);
  return slots_[slot] - 1;
}

void TermsTail::add_in_slot(size_t slot, const TermBytes& term, uint32_t hash) {
  auto* const bytes = static_cast<uint8_t*>(allocate(term.size));
  if (term.size > 0) std::memcpy(bytes, term.bytes, term.size);
  terms_.push_back({bytes, static_cast<uint32_t>(term.size), hash, 0, 0, {0, 0}, nullptr, 0, 0});
  slots_[slot] = static_cast<uint32_t>(terms_.size());
}

void TermsTail::reserve_posting(Term* term) {
  const uint32_t block = tail_block_of(term->count);
  if (block < term->block_count) return;
  if (block == term->block_capacity) {
    const uint32_t capacity = std::max(1u, term->block_capacity * 2);
    auto** const blocks = static_cast<TailBlock**>(allocate(capacity * sizeof(TailBlock*)));
    std::copy_n(term->blocks, term->block_count, blocks);
    term->blocks = blocks;
    term->block_capacity = capacity;
  }
  const uint32_t capacity = tail_block_begin(block + 1) - tail_block_begin(block);
  auto* const made = static_cast<TailBlock*>(allocate(sizeof(TailBlock) + size_t{8} * capacity));
  *made = {capacity, 0, UINT32_MAX};
  term->blocks[block] = made;
  term->block_count = block + 1;
}

/** Makes room for the documents below `end`. */
void TermsTail::reserve_documents(uint32_t end) {
  if (end <= document_capacity_) return;
  const uint32_t capacity = std::max({kFewestDocuments, end, document_capacity_ * 2});
  const uint32_t item = written_;
  auto* const lengths = static_cast<uint32_t*>(allocate(size_t{4} * capacity));
  auto* const totals = static_cast<uint64_t*>(allocate(size_t{8} * (capacity + 1)));
  totals[0] = 0;
  if (item > 0) {
    std::copy_n(lengths_, item, lengths);
    std::copy_n(totals_, item + 1, totals);
  }
  lengths_ = lengths;
  totals_ = totals;
  document_capacity_ = capacity;
}

/** Appends one posting to the list of each of `numbers_`, where there is room for it. */
void TermsTail::append_postings(uint32_t length, uint32_t item) {
  lengths_[item] = length;
  totals_[item + 1] = totals_[item] + length;
  for (size_t index = 0; index < numbers_.size(); ++index) {
    Term& term = terms_[numbers_[index]];
    const bool is_repeated = term.count > 0 && term.last_item == item;
    const uint32_t posting = is_repeated ? term.count - 1 : term.count;
    TailBlock* const block = term.blocks[tail_block_of(posting)];
    const uint32_t place = posting - tail_block_begin(tail_block_of(posting));
    const uint32_t before = is_repeated ? block->frequencies()[place] : 0;
    const uint32_t frequency = std::min(kMaxTermFrequency, before + frequencies_[index]);
    block->items()[place] = item;
    block->frequencies()[place] = frequency;
    block->max_frequency = std::max(block->max_frequency, frequency);
    block->min_length = std::min(block->min_length, length);
    term.impact.frequency = std::max(term.impact.frequency, frequency);
    term.impact.length = term.count == 0 ? length : std::min(term.impact.length, length);
    term.last_item = item;
    term.count = posting + 1;
  }
}

void TermsTail::append_document(const TermsDocument& document, uint32_t item) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // First whatever can run out of memory, then the postings, so that a document is in all its lists or in none.
  numbers_.clear();
  frequencies_.clear();
  for (size_t index = 0; index < document.count; ++index) {
    const uint32_t number = find_or_add(document.terms[index].term, hash_of(key_, document.terms[index].term));
    reserve_posting(&terms_[number]);
    numbers_.push_back(number);
    frequencies_.push_back(document.terms[index].frequency);
  }
  reserve_documents(item + 1);
  append_postings(document.length, item);
}

Status TermsTail::check_room(size_t count) const {
  if (!is_whole_) return Status::no_memory();
  if (count > static_cast<size_t>(kMaxTermsItems) - written_) {
    return Status::failure(StatusCode::invalid_argument, "expected at most 2^28 documents");
  }
  return Status::success();
}

Status TermsTail::append(const TermsDocument* documents, size_t count) try {
  Status status = check_room(count);
  for (size_t index = 0; status.ok() && index < count; ++index) status = check_document(documents[index]);
  if (!status.ok()) return status;
  is_whole_ = false;
  for (size_t index = 0; index < count; ++index) {
    append_document(documents[index], written_);
    ++written_;
  }
  is_whole_ = true;
  items_.store(static_cast<int32_t>(written_), std::memory_order_release);
  return Status::success();
} catch (const std::bad_alloc&) {
  // What was written of the batch is never visible, and a second try would write it twice: the tail takes no more.
  return Status::no_memory();
}

/** Appends the postings of one term: ascending items, all above those that it has. */
void TermsTail::append_to(Term* term, const uint32_t* items, const uint32_t* frequencies, uint32_t count) {
  for (uint32_t done = 0; done < count;) {
    reserve_posting(term);
    const uint32_t number = tail_block_of(term->count);
    TailBlock* const block = term->blocks[number];
    const uint32_t place = term->count - tail_block_begin(number);
    const uint32_t taken = std::min(count - done, block->capacity - place);
    uint32_t most = 0;
    uint32_t least = UINT32_MAX;
    for (uint32_t index = done; index < done + taken; ++index) {
      most = std::max(most, frequencies[index]);
      least = std::min(least, lengths_[items[index]]);
    }
    std::copy_n(items + done, taken, block->items() + place);
    std::copy_n(frequencies + done, taken, block->frequencies() + place);
    block->max_frequency = std::max(block->max_frequency, most);
    block->min_length = std::min(block->min_length, least);
    term->impact.frequency = std::max(term->impact.frequency, most);
    term->impact.length = term->count == 0 ? least : std::min(term->impact.length, least);
    term->count += taken;
    done += taken;
  }
  term->last_item = items[count - 1];
}

/** Appends the postings of some terms. What they touch is spread over memory: it is all asked for before it is used. */
void TermsTail::append_terms(const TermBytes* terms, const uint32_t* hashes, size_t count, const uint32_t* begins,
                             const BatchPostings& postings) {
  const std::lock_guard<std::mutex> lock(mutex_);
  while ((terms_.size() + count) * 2 >= slots_.size()) grow_slots();
  const size_t mask = slots_.size() - 1;
  const Term* likely[kTermsAtOnce];
  for (size_t index = 0; index < count; ++index) prefetch(&slots_[hashes[index] & mask], sizeof(uint32_t));
  for (size_t index = 0; index < count; ++index) {
    const uint32_t slot = slots_[hashes[index] & mask];
    likely[index] = slot == 0 ? nullptr : &terms_[slot - 1];
    if (slot != 0) prefetch(likely[index], sizeof(Term));
  }
  for (size_t index = 0; index < count; ++index) {
    if (likely[index] == nullptr || likely[index]->block_count == 0) continue;
    prefetch(likely[index]->bytes, 1);
    prefetch(likely[index]->blocks + (likely[index]->block_count - 1), sizeof(TailBlock*));
  }
  for (size_t index = 0; index < count; ++index) {
    const Term* const term = likely[index];
    if (term == nullptr || term->block_count == 0) continue;
    const TailBlock* const block = term->blocks[term->block_count - 1];
    const uint32_t place = term->count - tail_block_begin(term->block_count - 1);
    prefetch(block, sizeof(TailBlock));
    if (place < block_capacity(term->block_count - 1)) prefetch(block->items() + place, sizeof(uint32_t));
  }
  for (size_t index = 0; index < count; ++index) {
    const uint32_t begin = begins[index];
    const uint32_t end = begins[index + 1];
    if (begin == end) continue;
    Term* const term = &terms_[find_or_add(terms[index], hashes[index])];
    append_to(term, postings.items.data() + begin, postings.frequencies.data() + begin, end - begin);
  }
}

Status TermsTail::append(const PackedTerms& batch, const uint32_t* selected, size_t count) try {
  const Status status = check_room(count);
  if (!status.ok() || count == 0) return status;
  const auto end = written_ + static_cast<uint32_t>(count);
  const BatchPostings postings = invert(batch, selected, count, written_);
  const std::vector<TermBytes>& terms = batch.terms();
  std::vector<uint32_t> hashes(terms.size());
  for (size_t term = 0; term < terms.size(); ++term) hashes[term] = hash_of(key_, terms[term]);
  is_whole_ = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    reserve_documents(end);
    for (size_t index = 0; index < count; ++index) {
      const uint32_t item = written_ + static_cast<uint32_t>(index);
      lengths_[item] = batch.documents()[selected[index]].length;
      totals_[item + 1] = totals_[item] + lengths_[item];
    }
  }
  for (size_t begin = 0; begin < terms.size(); begin += kTermsAtOnce) {
    append_terms(terms.data() + begin, hashes.data() + begin, std::min(kTermsAtOnce, terms.size() - begin),
                 postings.begins.data() + begin, postings);
  }
  is_whole_ = true;
  written_ = end;
  items_.store(static_cast<int32_t>(end), std::memory_order_release);
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

uint64_t TermsTail::total_length(int32_t items) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return totals_ == nullptr ? 0 : totals_[items];
}

const uint32_t* TermsTail::lengths() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return lengths_;
}

PostingList TermsTail::list_of(const Term& term, int32_t items) const {
  PostingList list;
  const auto end = static_cast<uint32_t>(items);
  uint32_t count = term.count;
  if (count > 0 && term.last_item >= end) {
    uint32_t below = 0;
    while (below < count) {
      const uint32_t middle = below + (count - below) / 2;
      const uint32_t block = tail_block_of(middle);
      if (term.blocks[block]->items()[middle - tail_block_begin(block)] < end) {
        below = middle + 1;
      } else {
        count = middle;
      }
    }
  }
  list.count = count;
  list.items = end;
  list.lengths = lengths_;
  list.blocks = term.blocks;
  list.impact = term.impact;
  return list;
}

void TermsTail::find(const TermBytes* terms, size_t count, int32_t items, PostingList* lists) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (size_t index = 0; index < count; ++index) {
    lists[index] = PostingList();
    if (slots_.empty() || terms[index].size > kMaxTermBytes) continue;
    const size_t slot = slot_of(terms[index], hash_of(key_, terms[index]));
    if (slots_[slot] != 0) lists[index] = list_of(terms_[slots_[slot] - 1], items);
  }
}

Status TermsTail::list_terms(int32_t items, std::vector<TailTerm>* terms) const try {
  terms->clear();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    terms->reserve(terms_.size());
    for (const Term& term : terms_) {
      const PostingList list = list_of(term, items);
      if (list.count > 0) terms->push_back({{term.bytes, term.size}, list});
    }
  }
  std::sort(terms->begin(), terms->end(),
            [](const TailTerm& left, const TailTerm& right) { return is_term_before(left.term, right.term); });
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

void TermsTail::select_terms(int32_t items, const SignatureFilter* filter,
                             const std::function<bool(const TermBytes&)>& wants, std::vector<TailTerm>* terms) const {
  terms->clear();
  // Terms keep their numbers, so the writer may go on between two locks.
  for (size_t begin = 0;; begin += kTermsBetweenLocks) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (begin >= terms_.size()) return;
    const size_t end = std::min(terms_.size(), begin + kTermsBetweenLocks);
    for (size_t number = signatures_.size(); filter != nullptr && number < end; ++number) {
      signatures_.push_back(TermSignature::of(terms_[number].bytes, terms_[number].size));
    }
    for (size_t number = begin; number < end; ++number) {
      if (filter != nullptr && !filter->passes(signatures_[number])) continue;
      const Term& term = terms_[number];
      if (!wants({term.bytes, term.size})) continue;
      const PostingList list = list_of(term, items);
      if (list.count > 0) terms->push_back({{term.bytes, term.size}, list});
    }
  }
}

size_t TermsTail::memory() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return bytes_ + terms_.capacity() * sizeof(Term) + slots_.capacity() * sizeof(uint32_t) +
         signatures_.capacity() * sizeof(TermSignature);
}

}  // namespace semantic_index
