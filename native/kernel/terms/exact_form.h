#ifndef SEMANTIC_INDEX_KERNEL_TERMS_EXACT_FORM_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_EXACT_FORM_H_

#include <cstddef>
#include <cstring>

namespace semantic_index {

/**
 * The exact form of a word is indexed beside its stem as a term that begins with U+E001, a private-use character, in
 * UTF-8. In a query it raises the scores of documents that have the word as it is written: it weighs a quarter of what
 * its rarity is worth, and a query whose words have other forms in all documents is as complete as any other.
 */
constexpr unsigned char kExactFormMark[] = {0xee, 0x80, 0x81};
constexpr double kExactFormWeight = 0.25;

static inline bool is_exact_form(const void* term, size_t size) {
  return size > sizeof(kExactFormMark) && std::memcmp(term, kExactFormMark, sizeof(kExactFormMark)) == 0;
}

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_EXACT_FORM_H_
