#ifndef SEMANTIC_INDEX_KERNEL_TERMS_TAIL_TERMS_IMAGE_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_TAIL_TERMS_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/status.h"

namespace semantic_index {

class TermsTail;

/** A term of an image: bytes, and documents that have it. */
struct ImageTerm {
  uint32_t size;
  uint32_t count;
};

/** The terms of a tail as arrays, which `TermsTail::load` takes back term by term. Owns nothing. */
struct TermsImageView {
  /** Documents, and the length of each. */
  uint32_t items = 0;
  const uint32_t* lengths = nullptr;
  /** Distinct terms, ascending; their bytes, one after the other. */
  const ImageTerm* terms = nullptr;
  size_t term_count = 0;
  const uint8_t* bytes = nullptr;
  size_t byte_count = 0;
  /**
   * A word for each posting: the item, and above its 28 bits the frequency; a frequency of 15 or more is the word that
   * follows, and 15 stands above the item.
   */
  const uint32_t* postings = nullptr;
  size_t word_count = 0;
};

/** The same with its memory. */
struct TermsImage {
  std::vector<uint32_t> lengths;
  std::vector<ImageTerm> terms;
  std::vector<uint8_t> bytes;
  std::vector<uint32_t> postings;

  /** The first `items` documents of a tail. The same documents give the same arrays. out_of_memory. */
  Status set(const TermsTail& tail, int32_t items);
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_TAIL_TERMS_IMAGE_H_
