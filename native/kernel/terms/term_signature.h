#ifndef SEMANTIC_INDEX_KERNEL_TERMS_TERM_SIGNATURE_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_TERM_SIGNATURE_H_

#include <cstddef>
#include <cstdint>

namespace semantic_index {

/** Reads the next character of UTF-8: its bytes, 0 when they are not UTF-8. */
inline size_t next_character(const uint8_t* bytes, size_t size, uint32_t* character) {
  const uint8_t first = bytes[0];
  const size_t length = first < 0x80   ? 1
                        : first < 0xc2 ? 0
                        : first < 0xe0 ? 2
                        : first < 0xf0 ? 3
                        : first < 0xf5 ? 4
                                       : 0;
  if (length == 0 || length > size) return 0;
  *character = length == 1 ? first : first & (0x7fu >> length);
  for (size_t index = 1; index < length; ++index) {
    const uint8_t next = bytes[index];
    if ((next & 0xc0) != 0x80) return 0;
    *character = *character << 6 | (next & 0x3fu);
  }
  return length;
}

/**
 * Which characters a term has, in 64 bits: two for each of 32 classes of characters (`code point mod 32`, so that the
 * letters of an alphabet are in different ones), set when the term has at least one, and two, of the class. An edit
 * takes at most one character away and adds at most one, so it clears at most one bit and sets at most one: terms whose
 * signatures differ in more bits than that are further apart.
 */
struct TermSignature {
  uint64_t bits = 0;
  /** Number of characters; 0 for what is not UTF-8, and for the empty term. */
  uint32_t characters = 0;

  static TermSignature of(const void* term, size_t size) {
    TermSignature signature;
    const auto* const bytes = static_cast<const uint8_t*>(term);
    for (size_t at = 0; at < size;) {
      uint32_t character = 0;
      const size_t length = next_character(bytes + at, size - at, &character);
      if (length == 0) return {};
      const uint64_t one = uint64_t{1} << (character & 31);
      signature.bits |= (signature.bits & one) << 32 | one;
      ++signature.characters;
      at += length;
    }
    return signature;
  }
};

/** Terms that may be within a number of edits of one. */
class SignatureFilter {
 public:
  SignatureFilter(const TermSignature& signature, uint32_t max_distance)
      : bits_(signature.bits),
        max_distance_(max_distance),
        min_characters_(signature.characters > max_distance ? signature.characters - max_distance : 1),
        max_characters_(signature.characters + max_distance) {}

  uint32_t min_characters() const { return min_characters_; }
  uint32_t max_characters() const { return max_characters_; }

  bool passes(const TermSignature& other) const {
    return other.characters >= min_characters_ && other.characters <= max_characters_ && passes(other.bits);
  }

  /** The same for a term of a possible length. */
  bool passes(uint64_t bits) const {
    uint64_t missing = bits_ & ~bits;
    uint64_t added = bits & ~bits_;
    for (uint32_t edit = 0; edit < max_distance_; ++edit) {
      missing &= missing - 1;
      added &= added - 1;
    }
    return (missing | added) == 0;
  }

 private:
  uint64_t bits_;
  uint32_t max_distance_;
  uint32_t min_characters_;
  uint32_t max_characters_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_TERM_SIGNATURE_H_
