#include "sign_sketch.h"

#include <algorithm>

#include "random.h"

namespace semantic_index {

namespace {

/** Where the random signs come from: part of the format, for stored sketches are compared with those of queries. */
constexpr uint64_t kSignSeed = 0x5349474e;
constexpr size_t kMostWords = 8;
/** Below this many dimensions, the bytes of an item are as quickly compared as a sketch. */
constexpr size_t kLeastDimensions = 192;

size_t power_of_two(size_t least) {
  size_t power = 64;
  while (power < least) power *= 2;
  return power;
}

}  // namespace

size_t SignSketch::words_for(size_t dimensions) {
  return dimensions < kLeastDimensions ? 0 : std::min(kMostWords, power_of_two(dimensions) / 64);
}

SignSketch::SignSketch(size_t dimensions)
    : dimensions_(dimensions), padded_(power_of_two(dimensions)), words_(words_for(dimensions)), signs_(dimensions) {
  Random random(kSignSeed);
  for (float& sign : signs_) sign = random.flip() ? 1.0f : -1.0f;
}

void SignSketch::make(const float* vector, float* room, uint64_t* sketch) const {
  for (size_t i = 0; i < dimensions_; ++i) room[i] = vector[i] * signs_[i];
  std::fill(room + dimensions_, room + padded_, 0.0f);
  for (size_t half = padded_ / 2; half > 0; half /= 2) {
    for (size_t start = 0; start < padded_; start += 2 * half) {
      float* low = room + start;
      float* high = low + half;
      for (size_t i = 0; i < half; ++i) {
        const float sum = low[i] + high[i];
        high[i] = low[i] - high[i];
        low[i] = sum;
      }
    }
  }
  for (size_t word = 0; word < words_; ++word) {
    uint64_t bits = 0;
    for (size_t bit = 0; bit < 64; ++bit) bits |= static_cast<uint64_t>(room[64 * word + bit] > 0) << bit;
    sketch[word] = bits;
  }
}

}  // namespace semantic_index
