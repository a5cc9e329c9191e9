#ifndef SEMANTIC_INDEX_KERNEL_TERMS_PACKED_TERMS_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_PACKED_TERMS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "terms/terms_tail.h"

namespace semantic_index {

/** The first byte of packed terms. */
constexpr uint8_t kPackedTermsVersion = 1;
/** Keys are below this, as integers that a double represents exactly. */
constexpr uint64_t kMaxPackedKey = uint64_t{1} << 53;

/** A term of a document by its number in the batch. */
struct PackedTerm {
  uint32_t number;
  uint32_t frequency;
};

/** A document of a batch: its terms are `count` of `PackedTerms::terms_of`, from `first` on. */
struct PackedDocument {
  /** Key less the first key of the batch. */
  uint64_t key;
  size_t first;
  uint32_t count;
  uint32_t length;
};

/**
 * The decoded terms of a batch of documents, as `src/analysis` packs them; see FORMAT.md. Points into the bytes that it
 * was decoded from.
 */
class PackedTerms {
 public:
  /**
   * Decodes and checks everything: the bytes may be anything. Takes memory in proportion to their number. wrong_layout
   * for another version, corrupt, out_of_memory.
   */
  static Status decode(const uint8_t* bytes, size_t size, PackedTerms* packed);

  /** The distinct terms of the batch, ascending by bytes. */
  const std::vector<TermBytes>& terms() const { return terms_; }
  /** The documents, by ascending key. */
  const std::vector<PackedDocument>& documents() const { return documents_; }
  /** The terms of a document, by ascending number. */
  const PackedTerm* terms_of(const PackedDocument& document) const { return document_terms_.data() + document.first; }

 private:
  Status decode_terms(const uint8_t** at, const uint8_t* end, uint32_t count);
  Status decode_documents(const uint8_t** at, const uint8_t* end, uint32_t count);

  std::vector<TermBytes> terms_;
  std::vector<PackedDocument> documents_;
  std::vector<PackedTerm> document_terms_;
};

/** The number of times of a term that joins the one before it. */
constexpr uint32_t kJoinedTerm = kMaxTermFrequency + 1;

/**
 * A term of a query, and how many times it counts. 0: it is another form of the last one before it that counts, as the
 * analysis of another language has it; both count as one term.
 */
struct QueryTerm {
  TermBytes term;
  uint32_t times = 1;
  /** It and the term before it are one, which a document has as often as both. Its `times` are not used then. */
  bool joins = false;
};

/**
 * Decodes the terms of a query: for each the number of its bytes, its bytes, and how many times it counts, numbers as
 * varints; `kJoinedTerm` for a term that joins the one before. The terms point into the bytes. corrupt.
 */
Status decode_query_terms(const uint8_t* bytes, size_t size, std::vector<QueryTerm>* terms);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_PACKED_TERMS_H_
