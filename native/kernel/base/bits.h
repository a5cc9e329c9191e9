#ifndef SEMANTIC_INDEX_KERNEL_BASE_BITS_H_
#define SEMANTIC_INDEX_KERNEL_BASE_BITS_H_

#include <cstdint>

namespace semantic_index {

/** The place of the lowest bit that is set. `word` is not 0. */
inline uint32_t lowest_bit(uint64_t word) {
#if defined(__GNUC__) || defined(__clang__)
  return static_cast<uint32_t>(__builtin_ctzll(word));
#else
  uint32_t bit = 0;
  for (; (word & 1) == 0; word >>= 1) ++bit;
  return bit;
#endif
}

inline uint64_t rotate_left(uint64_t value, int bits) { return (value << bits) | (value >> (64 - bits)); }

/** How many bits are set. */
inline uint32_t count_bits(uint64_t word) {
  word -= (word >> 1) & 0x5555555555555555u;
  word = (word & 0x3333333333333333u) + ((word >> 2) & 0x3333333333333333u);
  return static_cast<uint32_t>((((word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u) >> 56);
}

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_BASE_BITS_H_
