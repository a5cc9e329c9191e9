#ifndef SEMANTIC_INDEX_KERNEL_DISTANCE_INT8_VECTOR_H_
#define SEMANTIC_INDEX_KERNEL_DISTANCE_INT8_VECTOR_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace semantic_index {

/** Rounds number / scale, given 1 / scale, to the nearest integer and clamps it to -127..127. NaN becomes -127. */
static inline int8_t to_int8(float number, float inverse) {
  const float scaled = number * inverse;
  const float low = scaled > -127.0f ? scaled : -127.0f;
  const float clamped = low < 127.0f ? low : 127.0f;
  // At this magnitude the lowest bits of a float hold the nearest integer to the number added.
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
 * The value of the high nibble alone. An int8 v is stored as two nibbles, v + 128 = 16 * high + low; this is the middle
 * of the 16 values that share a high nibble.
 */
static inline int32_t high_value(int8_t number) { return ((number + 128) & ~15) - 120; }

/** Packs n 4-bit values: element i into the low nibble of byte i, element i + n / 2 into the high nibble. */
template <typename Element>
static inline void pack_int4(size_t n, uint8_t* bytes, const Element& element) {
  const size_t half = n / 2;
  for (size_t i = 0; i < half; ++i) bytes[i] = static_cast<uint8_t>(element(i) | element(half + i) << 4);
}

/** Splits n int8 values into their high nibbles and their low nibbles, n / 2 bytes each. */
static inline void split_int8(const int8_t* row, size_t n, uint8_t* high, uint8_t* low) {
  pack_int4(n, high, [row](size_t i) { return (row[i] + 128) >> 4; });
  pack_int4(n, low, [row](size_t i) { return (row[i] + 128) & 15; });
}

/** The scale that maps the largest magnitude to 127; 1 when all numbers are zero. */
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
