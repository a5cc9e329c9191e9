#ifndef SEMANTIC_INDEX_KERNEL_TERMS_TERMS_FORMAT_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_TERMS_FORMAT_H_

#include <cstddef>
#include <cstdint>

#include "base/status.h"

namespace semantic_index {

/** The first bytes of a terms file. See native/kernel/terms/FORMAT.md. */
constexpr char kTermsMagic[8] = {'S', 'I', 'T', 'E', 'R', 'M', 'S', '\n'};
constexpr uint32_t kTermsVersion = 1;
/** Every section begins at a multiple of this, counted from the start of the file. */
constexpr int64_t kTermsAlignment = 64;
/** Terms of one block of the dictionary; only the last block may have fewer. */
constexpr uint32_t kDictionaryBlock = 16;
/** A document has less than this many items before it in its file, so a posting list stays below 4 GiB. */
constexpr int32_t kMaxTermsItems = 1 << 28;
constexpr uint32_t kMaxTermFrequency = 1u << 24;
constexpr uint32_t kMaxDocumentLength = 0x7fffffffu;
constexpr size_t kMaxTermBytes = 1u << 15;

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

/** Where a section is, and the XXH64 of its bytes. */
struct TermsSectionPlace {
  int64_t offset;
  int64_t bytes;
  uint64_t checksum;
};

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
  TermsSectionPlace sections[kTermsSections];
  /** XXH64 of what comes before. */
  uint64_t header_checksum;
};

/** Number of dictionary blocks. */
static inline uint64_t dictionary_blocks(uint64_t terms) { return (terms + kDictionaryBlock - 1) / kDictionaryBlock; }

/** Sets the offsets of the sections from their sizes. */
void place_terms_sections(TermsHeader* header);

/** Bytes of the whole file. */
int64_t terms_file_bytes(const TermsHeader& header);

/**
 * Whether `size` bytes begin with a header of this version whose sections fill the file exactly. wrong_layout when it
 * is not a terms file or has another version, corrupt when the header contradicts itself.
 */
Status check_terms_header(const uint8_t* bytes, int64_t size, TermsHeader* header);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_TERMS_FORMAT_H_
