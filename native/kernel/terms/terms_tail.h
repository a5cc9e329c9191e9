#ifndef SEMANTIC_INDEX_KERNEL_TERMS_TERMS_TAIL_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_TERMS_TAIL_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/sip_hash.h"
#include "base/status.h"
#include "terms/postings/posting_list.h"
#include "terms/tail_terms_image.h"
#include "terms/term_signature.h"
#include "terms/terms_format.h"

namespace semantic_index {

/** A term as bytes, owned by someone else. */
struct TermBytes {
  const void* bytes = nullptr;
  size_t size = 0;
};

/** Whether a term comes before another one by its bytes. */
inline bool is_term_before(const TermBytes& left, const TermBytes& right) {
  const size_t shared = std::min(left.size, right.size);
  const int order = shared == 0 ? 0 : std::memcmp(left.bytes, right.bytes, shared);
  return order != 0 ? order < 0 : left.size < right.size;
}

/** A term of a document, and how often the document has it. */
struct DocumentTerm {
  TermBytes term;
  uint32_t frequency = 1;
};

/** A document to be indexed. Terms may come in any order; a term that comes twice has the sum of its frequencies. */
struct TermsDocument {
  const DocumentTerm* terms = nullptr;
  size_t count = 0;
  /** Document length for BM25; usually the sum of the frequencies. */
  uint32_t length = 0;
};

class PackedTerms;

/** A term of a tail and its list. */
struct TailTerm {
  TermBytes term;
  PostingList list;
};

/**
 * An inverted index in memory that grows. One thread appends while others search: a reader takes `items()` as its
 * snapshot and sees the documents below it, whatever is appended later. The lock is held for one document, or for some
 * terms of a batch, by the writer, and for one look-up of all terms of a query by readers; postings are read without
 * it, since they never move. Nothing is removed: a tail that was sealed is destroyed as a whole.
 */
class TermsTail {
 public:
  /** With a random key, terms that slow look-ups down cannot be chosen. */
  explicit TermsTail(const HashKey& key = {}) : key_(key) {}
  TermsTail(const TermsTail&) = delete;
  TermsTail& operator=(const TermsTail&) = delete;

  /**
   * Appends documents: the first gets item `items()`, and so on. They become visible together. invalid_argument when a
   * frequency, a length or a term is out of range, out_of_memory: nothing was appended then.
   */
  Status append(const TermsDocument* documents, size_t count);

  /**
   * Appends `count` documents of a batch: those at the positions in `selected`, ascending. Goes through the batch term
   * by term, which takes a fraction of the time that its documents would take one by one. Fails as above.
   */
  Status append(const PackedTerms& batch, const uint32_t* selected, size_t count);

  /**
   * Sets the documents of an empty tail to those of an image, in a fraction of the time that appending them takes.
   * corrupt when the image contradicts itself, cancelled, out_of_memory: the tail takes nothing more then.
   */
  Status load(const TermsImageView& image, const std::atomic<bool>* cancel = nullptr);

  /** Documents so far: the snapshot of a reader. */
  int32_t items() const { return items_.load(std::memory_order_acquire); }

  /** Sum of the lengths of the first `items` documents. */
  uint64_t total_length(int32_t items) const;

  /** Lengths of all documents below `items()`; they stay where they are. */
  const uint32_t* lengths() const;

  /** Looks terms up in the first `items` documents: one list for each, count 0 where none has the term. */
  void find(const TermBytes* terms, size_t count, int32_t items, PostingList* lists) const;

  /** All terms of the first `items` documents, ascending. out_of_memory. */
  Status list_terms(int32_t items, std::vector<TailTerm>* terms) const;

  /**
   * The terms of the first `items` documents that a function wants, in no order. With a filter, it is called for those
   * that pass. May throw bad_alloc.
   */
  void select_terms(int32_t items, const SignatureFilter* filter, const std::function<bool(const TermBytes&)>& wants,
                    std::vector<TailTerm>* terms) const;

  /** Bytes of memory, about. */
  size_t memory() const;

 private:
  struct Term {
    const uint8_t* bytes;
    uint32_t size;
    uint32_t hash;
    uint32_t count;
    uint32_t last_item;
    Impact impact;
    TailBlock** blocks;
    uint32_t block_capacity;
    uint32_t block_count;
  };

  static uint32_t hash_of(const HashKey& key, const TermBytes& term) {
    return static_cast<uint32_t>(sip_hash(key, term.bytes, term.size));
  }

  /** Documents that there is room for at least. */
  static constexpr uint32_t kFewestDocuments = 256;

  void add_chunk(size_t words);
  void* allocate(size_t bytes);
  void reserve_image(const TermsImageView& image);
  bool read_postings(Term* term, const TermsImageView& image, uint32_t count, size_t* word);
  struct BatchPostings;

  static BatchPostings invert(const PackedTerms& batch, const uint32_t* selected, size_t count, uint32_t first_item);
  uint32_t find_or_add(const TermBytes& term, uint32_t hash);
  void add_in_slot(size_t slot, const TermBytes& term, uint32_t hash);
  Term* add_unknown(const TermBytes& term, uint32_t hash);
  size_t slot_of(const TermBytes& term, uint32_t hash) const;
  void reserve_posting(Term* term);
  void reserve_documents(uint32_t end);
  void grow_slots();
  Status check_room(size_t count) const;
  void append_postings(uint32_t length, uint32_t item);
  void append_document(const TermsDocument& document, uint32_t item);
  void append_to(Term* term, const uint32_t* items, const uint32_t* frequencies, uint32_t count);
  void append_terms(const TermBytes* terms, const uint32_t* hashes, size_t count, const uint32_t* begins,
                    const BatchPostings& postings);
  PostingList list_of(const Term& term, int32_t items) const;

  const HashKey key_;
  mutable std::mutex mutex_;
  std::atomic<int32_t> items_{0};
  /** Documents whose postings are in the lists. */
  uint32_t written_ = 0;
  /** False after a failure, which may have left postings of documents that are not visible. */
  bool is_whole_ = true;
  std::vector<Term> terms_;
  /** Of the first terms: computed when they are first searched for similar ones. */
  mutable std::vector<TermSignature> signatures_;
  /** Open addressing: number of the term + 1, 0 for free; a power of two of them. */
  std::vector<uint32_t> slots_;
  /** Of one document, while it is appended: its terms, and how often it has each. */
  std::vector<uint32_t> numbers_;
  std::vector<uint32_t> frequencies_;
  std::vector<std::unique_ptr<uint64_t[]>> memory_;
  /** Memory that is free: the end of the last chunk. */
  uint64_t* next_ = nullptr;
  size_t free_ = 0;
  size_t bytes_ = 0;
  /** Both are replaced by larger ones; the old ones stay for readers. */
  uint32_t* lengths_ = nullptr;
  uint64_t* totals_ = nullptr;
  uint32_t document_capacity_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_TERMS_TAIL_H_
