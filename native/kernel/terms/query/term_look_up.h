#ifndef SEMANTIC_INDEX_KERNEL_TERMS_QUERY_TERM_LOOK_UP_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_QUERY_TERM_LOOK_UP_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "terms/query/terms_snapshot.h"

namespace semantic_index {

/** A document by its part, as the snapshot numbers them, and its item there. */
struct TermDocument {
  int32_t part;
  int32_t item;
};

/** A term of the dictionary of a snapshot. */
struct FoundTerm {
  std::string term;
  /** Edits from the term that was looked up; 0 for a prefix. */
  uint32_t distance = 0;
  /** Living, allowed documents that have it; at least one. */
  int64_t documents = 0;
  /** The first of these. */
  std::vector<TermDocument> sample;
};

/** What is looked up in the dictionaries of a snapshot. */
struct TermLookUp {
  /** Begin of the terms, or the term that they are similar to. */
  TermBytes term;
  /**
   * Terms that begin with `term`; else similar ones, but `term` alone if it has a living document, allowed or not.
   * Exact forms of words (see exact_form.h) are similar to each other alone.
   */
  bool is_prefix = false;
  /**
   * Most edits of a similar term: insertions, deletions, substitutions and transpositions of adjacent characters, none
   * of them edited twice (optimal string alignment). Characters are code points.
   */
  uint32_t max_distance = 0;
  /** Whether a similar term begins with the same character. */
  bool same_first = false;
  size_t limit = 10;
  /** Documents of each term that are returned. */
  size_t sample = 0;
  /** For each part the items that count; nullptr allows all, and so do bits that are nullptr. */
  const ItemBits* allowed = nullptr;
  const std::atomic<bool>* cancel = nullptr;
};

/**
 * The best `limit` terms of all parts with a living, allowed document: by distance, then by number of documents, most
 * first, then by bytes. `*is_cut`: there are more. `*failed_part` is the part with damaged bytes after corrupt and
 * file_changed. invalid_argument when the term is not UTF-8, cancelled, out_of_memory.
 */
Status look_up_terms(const TermsSnapshot& snapshot, const TermLookUp& look_up, std::vector<FoundTerm>* found,
                     bool* is_cut, int32_t* failed_part);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_QUERY_TERM_LOOK_UP_H_
