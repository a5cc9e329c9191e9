#ifndef SEMANTIC_INDEX_KERNEL_TEXT_TERM_PACKER_H_
#define SEMANTIC_INDEX_KERNEL_TEXT_TERM_PACKER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "text/string_numbers.h"

namespace semantic_index {

/** Counts the terms of documents and packs them, batch by batch; see native/kernel/terms/FORMAT.md, "Packed terms". */
class TermPacker {
 public:
  explicit TermPacker(const HashKey& key) : dictionary_(key) {}

  /** The number of a term; valid until `forget_terms`. */
  uint32_t number_of(const char* bytes, size_t size) { return dictionary_.number_of(bytes, size); }
  /** Number of known terms, also those of earlier batches. */
  uint32_t terms() const { return dictionary_.size(); }

  /** Counts an occurrence in the current document. */
  void count(uint32_t term);
  /** Ends the current document. Keys must ascend. */
  void end_document(uint64_t key);
  /** Documents since the last `take`. */
  size_t documents() const { return documents_.size(); }

  /** Appends the packed documents since the last `take`, and begins another batch. */
  void take(std::vector<uint8_t>* packed);
  /** Drops the documents since the last `take`. */
  void drop();
  /** Forgets all terms; only between batches. */
  void forget_terms() { dictionary_.clear(); }

 private:
  struct Document {
    uint64_t key;
    /** End of its entries in `entries_`. */
    size_t end;
    uint64_t length;
  };
  struct Entry {
    uint32_t term;
    uint32_t frequency;
  };

  /** The terms of the batch, ascending by bytes. */
  std::vector<uint32_t> sorted_terms() const;

  StringNumbers dictionary_;
  /** By term: occurrences in the current document, and whether it occurs in the batch. */
  std::vector<uint32_t> counts_;
  std::vector<uint8_t> is_used_;
  std::vector<uint32_t> used_;
  std::vector<Document> documents_;
  std::vector<Entry> entries_;
  uint64_t length_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TEXT_TERM_PACKER_H_
