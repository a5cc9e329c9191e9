// The oracle: plain C++ for any processor. It defines the bits that every other instruction set must give.

#include <cmath>
#include <cstring>

#include "distance/distance_tables.h"

namespace semantic_index {

namespace {

#ifdef FP_FAST_FMAF
inline float fused(float x, float y, float sum) { return std::fma(x, y, sum); }
#else
/**
 * x * y + sum, rounded once. The product of two floats is exact in double. Their sum is rounded to odd: when it is
 * inexact and its last bit is even, it moves one step towards the lost part; the later rounding to float then sees on
 * which side the exact value was (Boldo, Melquiond: "Emulation of FMA and correctly rounded sums: proved algorithms
 * using rounding to odd", 2008). Faster and the same everywhere, unlike the C library's function.
 */
inline float fused(float x, float y, float sum) {
  const double product = static_cast<double>(x) * y;
  const double addend = sum;
  const double total = product + addend;
  const double part = total - product;
  const double lost = (product - (total - part)) + (addend - part);
  uint64_t bits;
  std::memcpy(&bits, &total, sizeof bits);
  const uint64_t inexact = static_cast<uint64_t>(lost > 0) | static_cast<uint64_t>(lost < 0);
  const uint64_t away = static_cast<uint64_t>((lost > 0) == (total > 0));
  // One up in magnitude when the lost part points away from zero, else one down; only for an even last bit.
  const uint64_t step = (away << 1) - 1;
  bits += step & (0 - (inexact & ~bits & 1));
  double odd;
  std::memcpy(&odd, &bits, sizeof odd);
  return static_cast<float>(odd);
}
#endif

struct Product {
  static float step(float x, float y, float sum) { return fused(x, y, sum); }
};

struct SquaredDifference {
  static float step(float x, float y, float sum) {
    const float difference = x - y;
    return fused(difference, difference, sum);
  }
};

struct AbsoluteDifference {
  static float step(float x, float y, float sum) { return sum + std::fabs(x - y); }
};

template <typename Term>
float sum_terms(const float* x, const float* y, size_t n) {
  float lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] = Term::step(x[i + lane], y[i + lane], lanes[lane]);
  }
  // A lane that the padding would reach adds 0 * 0 to a sum that is never -0: nothing changes.
  for (size_t lane = 0; i + lane < n; ++lane) lanes[lane] = Term::step(x[i + lane], y[i + lane], lanes[lane]);
  for (size_t width = kLanes / 2; width > 0; width /= 2) {
    for (size_t lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  }
  return lanes[0];
}

template <typename Term, size_t kCount>
void sum_terms_of(const float* one, const float* const* others, size_t n, float* out) {
  for (size_t index = 0; index < kCount; ++index) out[index] = sum_terms<Term>(one, others[index], n);
}

template <typename Term>
void sum_block(const float* const* ones, const float* const* others, size_t n, float* out) {
  for (size_t index = 0; index < 4; ++index) sum_terms_of<Term, 4>(ones[index], others, n, out + 4 * index);
}

uint64_t hamming(const uint64_t* x, const uint64_t* y, size_t n) {
  uint64_t count = 0;
  for (size_t i = 0; i < n; ++i) {
    // Bits are counted in pairs, then fours, then bytes; the multiplication adds the bytes.
    uint64_t bits = x[i] ^ y[i];
    bits -= (bits >> 1) & 0x5555555555555555u;
    bits = (bits & 0x3333333333333333u) + ((bits >> 2) & 0x3333333333333333u);
    bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    count += (bits * 0x0101010101010101u) >> 56;
  }
  return count;
}

void hamming_columns(const uint64_t* one, const uint64_t* columns, size_t words, size_t n, uint8_t* out) {
  for (size_t i = 0; i < n; ++i) {
    uint64_t count = 0;
    for (size_t word = 0; word < words; ++word) count += hamming(one + word, columns + word * n + i, 1);
    out[i] = static_cast<uint8_t>(count);
  }
}

void add_scaled(float* x, const float* y, float scale, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] = fused(scale, y[i], x[i]);
}

void move_towards(float* x, const float* y, float scale, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] = fused(scale, y[i] - x[i], x[i]);
}

void dot_int8_four(const int8_t* one, const int8_t* const* others, size_t n, int32_t* out) {
  for (size_t index = 0; index < 4; ++index) {
    int32_t sum = 0;
    for (size_t i = 0; i < n; ++i) sum += static_cast<int32_t>(one[i]) * others[index][i];
    out[index] = sum;
  }
}

void dot_int4_four(const int8_t* one, const uint8_t* const* others, size_t n, int32_t* out) {
  const size_t half = n / 2;
  for (size_t index = 0; index < 4; ++index) {
    int32_t sum = 0;
    for (size_t i = 0; i < half; ++i) {
      const int32_t byte = others[index][i];
      sum += one[i] * (byte & 15) + one[half + i] * (byte >> 4);
    }
    out[index] = sum;
  }
}

void sum_int8_rows(const TableRows& rows, float* sums) {
  for (size_t first = 0; first < rows.row_bytes; first += kRowBlock) {
    float totals[kRowBlock] = {};
    for (size_t row = 0; row < rows.count; ++row) {
      const auto id = static_cast<size_t>(rows.ids[row]);
      const float scale = rows.scales[row];
      const uint8_t* bytes = rows.table + id * rows.row_bytes + first;
      for (size_t i = 0; i < kRowBlock; ++i) totals[i] += scale * static_cast<float>(static_cast<int8_t>(bytes[i]));
    }
    for (size_t i = 0; i < kRowBlock; ++i) sums[first + i] += totals[i];
  }
}

void sum_int4_rows(const TableRows& rows, float* sums) {
  for (size_t first = 0; first < rows.row_bytes; first += kRowBlock) {
    float even[kRowBlock] = {};
    float odd[kRowBlock] = {};
    for (size_t row = 0; row < rows.count; ++row) {
      const auto id = static_cast<size_t>(rows.ids[row]);
      const float scale = rows.scales[row];
      const uint8_t* bytes = rows.table + id * rows.row_bytes + first;
      for (size_t i = 0; i < kRowBlock; ++i) {
        even[i] += scale * static_cast<float>((bytes[i] & 15) - 8);
        odd[i] += scale * static_cast<float>((bytes[i] >> 4) - 8);
      }
    }
    for (size_t i = 0; i < kRowBlock; ++i) {
      sums[2 * (first + i)] += even[i];
      sums[2 * (first + i) + 1] += odd[i];
    }
  }
}

void greatest_of_four(const uint8_t* numbers, uint8_t least, size_t n, uint8_t* out) {
  for (size_t i = 0; i < n; ++i) {
    uint8_t greatest = 0;
    for (size_t index = 4 * i; index < 4 * i + 4; ++index) {
      const auto difference = static_cast<uint8_t>(numbers[index] - least);
      if (difference > greatest) greatest = difference;
    }
    out[i] = greatest;
  }
}

void scale_by_class(const uint8_t* classes, const uint8_t* shares, size_t n, uint16_t* sums) {
  for (size_t i = 0; i < n; ++i) {
    sums[i] = static_cast<uint16_t>((sums[i] * (uint32_t{shares[classes[i]]} * 257) >> 16) + 1);
  }
}

}  // namespace

void fill_scalar(DistanceTable* table) {
  table->name = "scalar";
  table->dot = sum_terms<Product>;
  table->squared_euclidean = sum_terms<SquaredDifference>;
  table->manhattan = sum_terms<AbsoluteDifference>;
  table->hamming = hamming;
  table->hamming_columns = hamming_columns;
  table->dot_two = sum_terms_of<Product, 2>;
  table->squared_euclidean_two = sum_terms_of<SquaredDifference, 2>;
  table->manhattan_two = sum_terms_of<AbsoluteDifference, 2>;
  table->dot_four = sum_terms_of<Product, 4>;
  table->squared_euclidean_four = sum_terms_of<SquaredDifference, 4>;
  table->manhattan_four = sum_terms_of<AbsoluteDifference, 4>;
  table->dot_block = sum_block<Product>;
  table->squared_euclidean_block = sum_block<SquaredDifference>;
  table->add_scaled = add_scaled;
  table->move_towards = move_towards;
  table->dot_int8_four = dot_int8_four;
  table->dot_int4_four = dot_int4_four;
  table->sum_int8_rows = sum_int8_rows;
  table->sum_int4_rows = sum_int4_rows;
  table->greatest_of_four = greatest_of_four;
  table->scale_by_class = scale_by_class;
}

}  // namespace semantic_index
