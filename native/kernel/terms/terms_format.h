#ifndef SEMANTIC_INDEX_KERNEL_TERMS_TERMS_FORMAT_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_TERMS_FORMAT_H_

#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "io/sectioned_file.h"

namespace semantic_index {

/** Terms of one block of the dictionary; only the last block may have fewer. */
constexpr uint32_t kDictionaryBlock = 16;
/** A document has less than this many items before it in its file, so a posting list stays below 4 GiB. */
constexpr int32_t kMaxTermsItems = 1 << 28;
constexpr uint32_t kMaxTermFrequency = 1u << 24;
constexpr uint32_t kMaxDocumentLength = 0x7fffffffu;
constexpr size_t kMaxTermBytes = 1u << 15;
/** Long work over a dictionary looks at its cancel flag once in so many terms. */
constexpr uint64_t kTermsBetweenChecks = 1u << 10;

/** The parts of the file, in their order. */
enum class TermsSection : uint32_t {
  /** For each item: the length of its document, 4 bytes. */
  lengths,
  /** For each block of the dictionary: a DictionaryHead. */
  heads,
  /** Front-coded terms with document frequency and bytes of their posting lists. */
  dictionary,
  /** Posting lists, in the order of their terms. */
  postings,
};
constexpr size_t kTermsSections = 4;

/** The format of terms files (.terms). See native/kernel/terms/FORMAT.md. */
extern const SectionedFormat kTermsFormat;

/** The begin of a dictionary block: binary search reads the prefix and rarely the term itself. */
struct DictionaryHead {
  /** The first eight bytes of the first term, zero-padded, as a big-endian number. */
  uint64_t prefix;
  /** Begin of the block in `dictionary`. */
  uint64_t terms;
  /** Begin of the first term's posting list in `postings`. */
  uint64_t postings;
};

/** The beginning of the file. Integers are little-endian. */
struct TermsHeader {
  char magic[8];
  uint32_t version;
  /** Documents: items are 0..items-1. */
  int32_t items;
  /** Distinct terms, and postings of all of them. */
  uint64_t terms;
  uint64_t postings;
  /** Sum of the lengths. */
  uint64_t total_length;
  /** Chosen by the caller, to recognise the file of another segment. */
  uint64_t source;
  SectionRange sections[kTermsSections];
  /** XXH64 of what comes before. */
  uint64_t header_checksum;
};

/** Number of dictionary blocks. */
static inline uint64_t dictionary_blocks(uint64_t terms) { return (terms + kDictionaryBlock - 1) / kDictionaryBlock; }

/**
 * Whether `size` bytes begin with a header of this version whose sections fill the file exactly. wrong_layout when it
 * is not a terms file or has another version, corrupt when the header contradicts itself.
 */
Status check_terms_header(const uint8_t* bytes, int64_t size, TermsHeader* header);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_TERMS_FORMAT_H_
