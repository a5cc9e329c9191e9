#include "sign_sketch.h"

#include "random.h"

namespace semantic_index {

namespace {

/** Where the random signs come from: part of the format, for stored sketches are compared with those of queries. */
constexpr uint64_t kSignSeed = 0x5349474e;
constexpr size_t kBits = 64;

}  // namespace

SignSketch::SignSketch(size_t dimensions) : signs_(dimensions) {
  Random random(kSignSeed);
  for (float& sign : signs_) sign = random.flip() ? 1.0f : -1.0f;
}

uint64_t SignSketch::of(const float* vector) const {
  // The first 64 numbers of the transform of a longer vector are the transform of the sum of its pieces of 64.
  float numbers[kBits] = {};
  size_t start = 0;
  for (; start + kBits <= signs_.size(); start += kBits) {
    for (size_t i = 0; i < kBits; ++i) numbers[i] += vector[start + i] * signs_[start + i];
  }
  for (size_t i = 0; start + i < signs_.size(); ++i) numbers[i] += vector[start + i] * signs_[start + i];
  for (size_t half = kBits / 2; half > 0; half /= 2) {
    for (size_t low = 0; low < kBits; low += 2 * half) {
      for (size_t i = low; i < low + half; ++i) {
        const float sum = numbers[i] + numbers[i + half];
        numbers[i + half] = numbers[i] - numbers[i + half];
        numbers[i] = sum;
      }
    }
  }
  uint64_t bits = 0;
  for (size_t bit = 0; bit < kBits; ++bit) bits |= static_cast<uint64_t>(numbers[bit] > 0) << bit;
  return bits;
}

}  // namespace semantic_index
