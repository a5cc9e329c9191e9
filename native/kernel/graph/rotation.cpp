#include "graph/rotation.h"

#include <cmath>

#include "base/random.h"

namespace semantic_index {

namespace {

/** Seed of the random signs. Part of the format: stored sketches are compared with those of queries. */
constexpr uint64_t kSignSeed = 0x524f5441;

void hadamard(float* numbers, size_t count) {
  for (size_t half = count / 2; half > 0; half /= 2) {
    for (size_t low = 0; low < count; low += 2 * half) {
      for (size_t i = low; i < low + half; ++i) {
        const float left = numbers[i];
        const float right = numbers[i + half];
        numbers[i] = left + right;
        numbers[i + half] = left - right;
      }
    }
  }
  const float scale = 1.0f / std::sqrt(static_cast<float>(count));
  for (size_t i = 0; i < count; ++i) numbers[i] *= scale;
}

}  // namespace

Rotation::Rotation(size_t dimensions) : signs_(dimensions) {
  Random random(kSignSeed);
  for (float& sign : signs_) sign = random.flip() ? 1.0f : -1.0f;
  while (block_ * 2 <= dimensions) block_ *= 2;
}

void Rotation::apply(float* vector) const {
  for (size_t i = 0; i < signs_.size(); ++i) vector[i] *= signs_[i];
  hadamard(vector, block_);
  if (block_ < signs_.size()) hadamard(vector + signs_.size() - block_, block_);
}

}  // namespace semantic_index
