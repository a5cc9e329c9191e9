#ifndef SEMANTIC_INDEX_KERNEL_DISTANCE_DISTANCE_H_
#define SEMANTIC_INDEX_KERNEL_DISTANCE_DISTANCE_H_

#include <cstddef>
#include <cstdint>

namespace semantic_index {

/** Rows of small integers in a table, and the ids of those to add, each with a scale. */
struct TableRows {
  /** Row i begins at byte i * row_bytes; row_bytes is a multiple of kRowBlock. */
  const uint8_t* table;
  size_t row_bytes;
  /** `count` ids, and what each of these rows is multiplied by. */
  const int32_t* ids;
  const float* scales;
  size_t count;
};

/**
 * The arithmetic of one instruction set. All tables give the same bits for the same input: sums run over 16 lanes
 * (element i belongs to lane i mod 16, the last block is padded with zeros), each step is one fused multiply-add, and
 * the lanes are added in a fixed tree: i + (i+8), i + (i+4), i + (i+2), i + (i+1). So results do not depend on the
 * machine. Pointers need no alignment beyond that of their type; a length of 0 gives 0.
 */
struct DistanceTable {
  /** The name that SEMANTIC_INDEX_ISA takes: "scalar", "avx2", "avx512", "avx512vnni", "neon". */
  const char* name;

  /** Sum of x[i] * y[i]. */
  float (*dot)(const float* x, const float* y, size_t n);
  /** Sum of (x[i] - y[i])^2. */
  float (*squared_euclidean)(const float* x, const float* y, size_t n);
  /** Sum of |x[i] - y[i]|. */
  float (*manhattan)(const float* x, const float* y, size_t n);
  /** Number of bits that differ in n 64-bit words. */
  uint64_t (*hamming)(const uint64_t* x, const uint64_t* y, size_t n);
  /**
   * out[i] = the number of bits in which `one` and row i differ, of n rows of `words` words, at most 3: word w of row i
   * is columns[w * n + i].
   */
  void (*hamming_columns)(const uint64_t* one, const uint64_t* columns, size_t words, size_t n, uint8_t* out);

  /** out[j] = dot(one, others[j]) for two vectors, in one pass. */
  void (*dot_two)(const float* one, const float* const* others, size_t n, float* out);
  void (*squared_euclidean_two)(const float* one, const float* const* others, size_t n, float* out);
  void (*manhattan_two)(const float* one, const float* const* others, size_t n, float* out);

  /** The same for four vectors: four sums keep the processor busy where one would wait for its own additions. */
  void (*dot_four)(const float* one, const float* const* others, size_t n, float* out);
  void (*squared_euclidean_four)(const float* one, const float* const* others, size_t n, float* out);
  void (*manhattan_four)(const float* one, const float* const* others, size_t n, float* out);

  /** out[4 * i + j] = dot(ones[i], others[j]) for four vectors against four: each number is loaded once for four sums.
   */
  void (*dot_block)(const float* const* ones, const float* const* others, size_t n, float* out);
  void (*squared_euclidean_block)(const float* const* ones, const float* const* others, size_t n, float* out);

  /** x[i] = x[i] + scale * y[i], one fused multiply-add each. */
  void (*add_scaled)(float* x, const float* y, float scale, size_t n);
  /** x[i] = x[i] + scale * (y[i] - x[i]): moves a mean towards a point. */
  void (*move_towards)(float* x, const float* y, float scale, size_t n);

  /**
   * out[j] = the sum of one[i] * others[j][i] for four vectors of 8-bit integers from -127 to 127. n is a multiple of
   * kInt8Block and at most kMaxInt8, so that no sum overflows.
   */
  void (*dot_int8_four)(const int8_t* one, const int8_t* const* others, size_t n, int32_t* out);

  /**
   * out[j] = the sum of one[i] * element i of others[j], for four vectors of 4-bit integers from 0 to 15 in n / 2 bytes
   * each: the low nibble of byte i is element i, the high nibble element i + n / 2. n as above.
   */
  void (*dot_int4_four)(const int8_t* one, const uint8_t* const* others, size_t n, int32_t* out);

  /**
   * Adds to each sums[c] the sum over the rows, in order, of scale * element c. Products and sums are rounded to float
   * one by one, never fused. One 8-bit integer per byte.
   */
  void (*sum_int8_rows)(const TableRows& rows, float* sums);
  /** The same for two 4-bit integers per byte, each stored plus 8: column 2 * i in the low nibble of byte i. */
  void (*sum_int4_rows)(const TableRows& rows, float* sums);

  /** out[i] = the greatest of numbers[4 * i] - least to numbers[4 * i + 3] - least, modulo 256. */
  void (*greatest_of_four)(const uint8_t* numbers, uint8_t least, size_t n, uint8_t* out);
  /**
   * sums[i] = sums[i] * shares[classes[i]] * 257 / 65536, rounded down, plus 1: not below the product with the share,
   * and the sum itself for a share of 255 and a sum above 0. Classes are below kShareClasses, n is a multiple of
   * kShareBlock.
   */
  void (*scale_by_class)(const uint8_t* classes, const uint8_t* shares, size_t n, uint16_t* sums);
};

/** Rows of a table are padded to a multiple of this many bytes. */
constexpr size_t kRowBlock = 16;

/** Classes of what `scale_by_class` multiplies, and how many are multiplied at once. */
constexpr size_t kShareClasses = 128;
constexpr size_t kShareBlock = 32;

/** Vectors of 8-bit integers are padded with zeros to a multiple of this length. */
constexpr size_t kInt8Block = 64;
/** 127 * 127 * this is below 2^31. */
constexpr size_t kMaxInt8 = 1 << 17;

/**
 * The table in use. Chosen once, at the first call: the first of `available_instruction_sets`, or the one that the
 * environment variable SEMANTIC_INDEX_ISA names; an unknown or unavailable name is ignored.
 */
const DistanceTable& distances();

/** The tables that this processor can run, best first, nullptr after the last. "scalar" is always there. */
const DistanceTable* const* available_instruction_sets();

/**
 * Switches to the named table for all threads. False, and nothing changed, if this processor cannot run it. For
 * tests: running work may mix tables, which does not change results.
 */
bool select_instruction_set(const char* name);

/** The lanes of a sum; part of the definition of every distance. */
constexpr size_t kLanes = 16;

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_DISTANCE_DISTANCE_H_
