#ifndef SEMANTIC_INDEX_KERNEL_TERMS_TERMS_VIEW_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_TERMS_VIEW_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "terms/postings/posting_list.h"
#include "terms/postings/range_maxima.h"
#include "terms/signature_table.h"
#include "terms/terms_format.h"

namespace semantic_index {

/**
 * A read-only view of the bytes of a terms file. It does not own them: they must outlive it and be aligned to 8. The
 * bytes may be anything: what is followed is checked first, so hostile bytes give `corrupt` or a poor answer in bounded
 * time, never an access out of bounds. Any number of threads may use one view at once.
 */
class TermsView {
 public:
  TermsView() = default;

  /**
   * Checks the header and the section table; reads nothing else. wrong_layout for another kind of file or another
   * version, corrupt for a damaged header. `changed` is raised by the owner of a map when the file was cut short.
   */
  static Status open(const uint8_t* bytes, int64_t size, TermsView* view, const std::atomic<bool>* changed = nullptr);

  const TermsHeader& header() const { return header_; }
  int32_t items() const { return header_.items; }
  const uint32_t* lengths() const;

  /** Looks a term up; the list has count 0 when no document has it. corrupt. */
  Status find(const void* term, size_t size, PostingList* list) const;

  /** The numbers of terms that may be similar to one: see SignatureTable, which copies of a view share. */
  Status select_similar(const SignatureFilter& filter, std::vector<uint32_t>* numbers,
                        const std::atomic<bool>* cancel) const {
    return signatures_->select(*this, filter, numbers, cancel);
  }

  /** Those of its frequent terms, which copies of a view share. */
  RangeMaximaCache* maxima() const { return maxima_.get(); }

  /** Blocks of the dictionary, in the order of their terms. */
  uint64_t blocks() const { return dictionary_blocks(header_.terms); }
  /** The last block whose first term is not above a term; 0 when all are. corrupt. */
  Status find_block(const uint8_t* term, size_t size, uint64_t* block) const;

  /**
   * Reads the whole file: compares the checksums, then checks that terms ascend, that every list decodes to what the
   * counts say, that the impacts bound its postings, and the totals. corrupt with what is wrong, cancelled,
   * file_changed.
   */
  Status validate(const std::atomic<bool>* cancel = nullptr) const;

  /** Compares the checksums alone, at about memory speed. corrupt with the section that differs, cancelled,
   * file_changed. */
  Status verify(const std::atomic<bool>* cancel = nullptr) const;

  /** file_changed when the file was cut short since it was opened. */
  Status check_unchanged() const;

 private:
  friend class TermsIterator;

  const uint8_t* section(TermsSection section) const;
  uint64_t section_bytes(TermsSection section) const;
  DictionaryHead head(uint64_t block) const;
  /** The bytes of a block of the dictionary; false when its head lies. */
  bool block_bytes(uint64_t block, const uint8_t** begin, const uint8_t** end) const;
  /** Fills the list at a place of `postings`; false when it lies outside. */
  bool list_at(uint64_t offset, uint32_t bytes, uint32_t count, PostingList* list) const;
  Status validate_sections(const std::atomic<bool>* cancel) const;
  Status validate_lists(const std::atomic<bool>* cancel) const;

  TermsHeader header_ = {};
  const uint8_t* bytes_ = nullptr;
  const std::atomic<bool>* changed_ = nullptr;
  std::shared_ptr<SignatureTable> signatures_;
  std::shared_ptr<RangeMaximaCache> maxima_;
};

/** Reads all terms of a view in their order. */
class TermsIterator {
 public:
  explicit TermsIterator(const TermsView& view) : view_(view) {}

  /** Goes before the first term of a block of the dictionary, which must exist. */
  void begin_at(uint64_t block);

  /** Goes to the next term. `*done` is true behind the last. corrupt. */
  Status next(bool* done);

  const std::string& term() const { return term_; }
  const PostingList& list() const { return list_; }

 private:
  const TermsView& view_;
  uint64_t number_ = 0;
  uint64_t postings_ = 0;
  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
  std::string term_;
  PostingList list_;
};

/** The prefix of a term in its dictionary head. */
uint64_t term_prefix(const uint8_t* term, size_t size);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_TERMS_VIEW_H_
