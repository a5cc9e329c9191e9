#include "distance/vector_check.h"

#include <cmath>
#include <cstring>

#include "distance/distance.h"

namespace semantic_index {

namespace {

bool is_finite(const float* number) {
  constexpr uint32_t kExponent = 0x7f800000u;
  uint32_t bits;
  std::memcpy(&bits, number, sizeof bits);
  return (bits & kExponent) != kExponent;
}

}  // namespace

int64_t find_not_finite(const float* numbers, size_t count) {
  // In blocks: the common case is one pass that the compiler vectorizes.
  constexpr size_t kBlock = 256;
  for (size_t start = 0; start < count; start += kBlock) {
    const size_t end = start + kBlock < count ? start + kBlock : count;
    uint32_t found = 0;
    for (size_t index = start; index < end; index++) found |= static_cast<uint32_t>(!is_finite(numbers + index));
    if (found == 0) continue;
    for (size_t index = start; index < end; index++) {
      if (!is_finite(numbers + index)) return static_cast<int64_t>(index);
    }
  }
  return -1;
}

int64_t find_bad_length(const float* rows, size_t count, int32_t dimensions, double* length) {
  constexpr double kMinLength = 1e-18;
  constexpr double kMaxLength = 1e18;
  const auto size = static_cast<size_t>(dimensions);
  for (size_t row = 0; (row + 1) * size <= count; ++row) {
    const float* vector = rows + row * size;
    const float fast = distances().dot(vector, vector, size);
    if (fast > 1e-30f && fast < 1e30f) continue;
    double square = 0;
    for (size_t i = 0; i < size; ++i) square += static_cast<double>(vector[i]) * vector[i];
    *length = std::sqrt(square);
    if (*length != 0 && !(*length >= kMinLength && *length <= kMaxLength)) return static_cast<int64_t>(row);
  }
  return -1;
}

}  // namespace semantic_index
