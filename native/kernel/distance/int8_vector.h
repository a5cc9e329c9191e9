#ifndef SEMANTIC_INDEX_KERNEL_DISTANCE_INT8_VECTOR_H_
#define SEMANTIC_INDEX_KERNEL_DISTANCE_INT8_VECTOR_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace semantic_index {

/** The nearest of the integers -127..127 to number / scale, given 1 / scale; 127 stands for all above it. NaN is -127.
 */
static inline int8_t to_int8(float number, float inverse) {
  const float scaled = number * inverse;
  const float low = scaled > -127.0f ? scaled : -127.0f;
  const float clamped = low < 127.0f ? low : 127.0f;
  // In a float of this size, the lowest bits are the integer that is nearest to what was added.
  const float shifted = clamped + 12582912.0f;
  int32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  return static_cast<int8_t>(bits);
}

/** Writes `count` numbers as integers of `scale`, and zeros up to `padded`. */
static inline void write_int8(const float* numbers, size_t count, float scale, int8_t* row, size_t padded) {
  const float inverse = 1.0f / scale;
  for (size_t i = 0; i < count; ++i) row[i] = to_int8(numbers[i], inverse);
  std::fill(row + count, row + padded, static_cast<int8_t>(0));
}

/**
 * An integer v is kept in two halves of four bits: v + 128 = 16 * upper + lower. This is what the upper one alone
 * stands for: the middle of the 16 integers that have it.
 */
static inline int32_t high_value(int8_t number) { return ((number + 128) & ~15) - 120; }

/** Writes n 4-bit integers: element i into the lower four bits of byte i, element i + n / 2 into the upper ones. */
template <typename Element>
static inline void pack_int4(size_t n, uint8_t* bytes, const Element& element) {
  const size_t half = n / 2;
  for (size_t i = 0; i < half; ++i) bytes[i] = static_cast<uint8_t>(element(i) | element(half + i) << 4);
}

/** Writes the upper halves of n integers, and the lower ones, n / 2 bytes each. */
static inline void split_int8(const int8_t* row, size_t n, uint8_t* upper, uint8_t* lower) {
  pack_int4(n, upper, [row](size_t i) { return (row[i] + 128) >> 4; });
  pack_int4(n, lower, [row](size_t i) { return (row[i] + 128) & 15; });
}

/** The scale at which the largest of the numbers is 127; 1 when there is nothing to scale. */
static inline float int8_scale(const float* numbers, size_t count) {
  float largest = 0;
  for (size_t i = 0; i < count; ++i) {
    const float size = std::fabs(numbers[i]);
    largest = largest > size ? largest : size;
  }
  const float scale = largest / 127.0f;
  return scale > 1e-30f && scale < 1e30f ? scale : 1.0f;
}

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_DISTANCE_INT8_VECTOR_H_
