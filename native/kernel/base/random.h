#ifndef SEMANTIC_INDEX_KERNEL_BASE_RANDOM_H_
#define SEMANTIC_INDEX_KERNEL_BASE_RANDOM_H_

#include <cstdint>

#include "base/bits.h"

namespace semantic_index {

/**
 * A small generator of random numbers: xoshiro256** (Blackman, Vigna: "Scrambled linear pseudorandom number
 * generators", 2018), its state filled from the seed by splitmix64. Equal seeds give equal sequences everywhere.
 */
class Random {
 public:
  explicit Random(uint64_t seed) {
    for (uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15u;
      uint64_t mixed = seed;
      mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
      mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
      word = mixed ^ (mixed >> 31);
    }
  }

  uint64_t next() {
    const uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate_left(state_[3], 45);
    return result;
  }

  /** A number in 0..count-1, by multiplication of 32 bits (bias below count / 2^32). `count` must not be 0. */
  uint32_t below(uint32_t count) { return static_cast<uint32_t>(((next() >> 32) * count) >> 32); }

  bool flip() { return (next() >> 63) != 0; }

 private:
  uint64_t state_[4];
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_BASE_RANDOM_H_
