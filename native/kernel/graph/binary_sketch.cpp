#include "graph/binary_sketch.h"

#include "base/random.h"

namespace semantic_index {

namespace {

/** Seed of the random signs. Part of the format: stored sketches are compared with those of queries. */
constexpr uint64_t kSignSeed = 0x5349474e;
constexpr size_t kBits = 64;

}  // namespace

BinarySketch::BinarySketch(size_t dimensions) : dimensions_(dimensions), signs_(kSketchWords * dimensions) {
  Random random(kSignSeed);
  for (float& sign : signs_) sign = random.flip() ? 1.0f : -1.0f;
}

void BinarySketch::write(const float* vector, uint64_t* words) const {
  for (size_t index = 0; index < kSketchWords; ++index) {
    words[index] = word(vector, signs_.data() + index * dimensions_);
  }
}

uint64_t BinarySketch::word(const float* vector, const float* signs) const {
  // The first 64 numbers of the transform of a longer vector are the transform of the sum of its pieces of 64.
  float numbers[kBits] = {};
  size_t start = 0;
  for (; start + kBits <= dimensions_; start += kBits) {
    for (size_t i = 0; i < kBits; ++i) numbers[i] += vector[start + i] * signs[start + i];
  }
  for (size_t i = 0; start + i < dimensions_; ++i) numbers[i] += vector[start + i] * signs[start + i];
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
