// NEON (every 64-bit ARM). 16 lanes are four registers.

#include "distance/distance_tables.h"

#if defined(__aarch64__) || defined(_M_ARM64)

#include <arm_neon.h>

namespace semantic_index {

namespace {

/** 16 lanes: register r holds lanes 4r..4r+3. */
struct Lanes {
  float32x4_t part[4];
};

inline Lanes zero() { return {{vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0)}}; }

inline Lanes load(const float* x) { return {{vld1q_f32(x), vld1q_f32(x + 4), vld1q_f32(x + 8), vld1q_f32(x + 12)}}; }

/** The first `count` of 16 lanes, zeros after them. */
inline Lanes load(const float* x, size_t count) {
  float padded[kLanes] = {};
  for (size_t i = 0; i < count; ++i) padded[i] = x[i];
  return load(padded);
}

inline float reduce(const Lanes& lanes) {
  const float32x4_t low = vaddq_f32(lanes.part[0], lanes.part[2]);
  const float32x4_t high = vaddq_f32(lanes.part[1], lanes.part[3]);
  const float32x4_t four = vaddq_f32(low, high);
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

struct Product {
  static inline float32x4_t step(float32x4_t x, float32x4_t y, float32x4_t sum) { return vfmaq_f32(sum, x, y); }
};

struct SquaredDifference {
  static inline float32x4_t step(float32x4_t x, float32x4_t y, float32x4_t sum) {
    const float32x4_t difference = vsubq_f32(x, y);
    return vfmaq_f32(sum, difference, difference);
  }
};

struct AbsoluteDifference {
  static inline float32x4_t step(float32x4_t x, float32x4_t y, float32x4_t sum) {
    return vaddq_f32(sum, vabsq_f32(vsubq_f32(x, y)));
  }
};

template <typename Term>
inline void step(const Lanes& x, const Lanes& y, Lanes& sum) {
  for (int part = 0; part < 4; ++part) sum.part[part] = Term::step(x.part[part], y.part[part], sum.part[part]);
}

template <typename Term>
float sum_terms(const float* x, const float* y, size_t n) {
  Lanes sum = zero();
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) step<Term>(load(x + i), load(y + i), sum);
  if (i < n) step<Term>(load(x + i, n - i), load(y + i, n - i), sum);
  return reduce(sum);
}

template <typename Term, size_t kCount>
void sum_terms_of(const float* one, const float* const* others, size_t n, float* out) {
  Lanes sums[kCount];
  for (size_t index = 0; index < kCount; ++index) sums[index] = zero();
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Lanes block = load(one + i);
    for (size_t index = 0; index < kCount; ++index) step<Term>(block, load(others[index] + i), sums[index]);
  }
  if (i < n) {
    const Lanes block = load(one + i, n - i);
    for (size_t index = 0; index < kCount; ++index) step<Term>(block, load(others[index] + i, n - i), sums[index]);
  }
  for (size_t index = 0; index < kCount; ++index) out[index] = reduce(sums[index]);
}

template <typename Term>
void sum_block(const float* const* ones, const float* const* others, size_t n, float* out) {
  for (size_t index = 0; index < 4; ++index) sum_terms_of<Term, 4>(ones[index], others, n, out + 4 * index);
}

uint64_t hamming(const uint64_t* x, const uint64_t* y, size_t n) {
  uint64_t count = 0;
  for (size_t i = 0; i < n; ++i) count += vaddv_u8(vcnt_u8(vcreate_u8(x[i] ^ y[i])));
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
  const float32x4_t factor = vdupq_n_f32(scale);
  size_t i = 0;
  for (; i + 4 <= n; i += 4) vst1q_f32(x + i, vfmaq_f32(vld1q_f32(x + i), factor, vld1q_f32(y + i)));
  for (; i < n; ++i) {
    x[i] = vget_lane_f32(vfma_f32(vdup_n_f32(x[i]), vdup_n_f32(scale), vdup_n_f32(y[i])), 0);
  }
}

void move_towards(float* x, const float* y, float scale, size_t n) {
  const float32x4_t factor = vdupq_n_f32(scale);
  size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const float32x4_t from = vld1q_f32(x + i);
    vst1q_f32(x + i, vfmaq_f32(from, factor, vsubq_f32(vld1q_f32(y + i), from)));
  }
  for (; i < n; ++i) {
    const float32x2_t from = vdup_n_f32(x[i]);
    x[i] = vget_lane_f32(vfma_f32(from, vdup_n_f32(scale), vsub_f32(vdup_n_f32(y[i]), from)), 0);
  }
}

void dot_int8_four(const int8_t* one, const int8_t* const* others, size_t n, int32_t* out) {
  int32x4_t sums[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
  for (size_t i = 0; i < n; i += 16) {
    const int8x16_t block = vld1q_s8(one + i);
    for (size_t index = 0; index < 4; ++index) {
      const int8x16_t other = vld1q_s8(others[index] + i);
      // Two products of at most 127 * 127 fit into 16 bits.
      int16x8_t products = vmull_s8(vget_low_s8(block), vget_low_s8(other));
      products = vmlal_s8(products, vget_high_s8(block), vget_high_s8(other));
      sums[index] = vpadalq_s16(sums[index], products);
    }
  }
  for (size_t index = 0; index < 4; ++index) out[index] = vaddvq_s32(sums[index]);
}

void dot_int4_four(const int8_t* one, const uint8_t* const* others, size_t n, int32_t* out) {
  const size_t half = n / 2;
  int32x4_t sums[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
  for (size_t i = 0; i < half; i += 16) {
    const int8x16_t first = vld1q_s8(one + i);
    const int8x16_t second = vld1q_s8(one + half + i);
    for (size_t index = 0; index < 4; ++index) {
      const uint8x16_t bytes = vld1q_u8(others[index] + i);
      const int8x16_t lower = vreinterpretq_s8_u8(vandq_u8(bytes, vdupq_n_u8(15)));
      const int8x16_t upper = vreinterpretq_s8_u8(vshrq_n_u8(bytes, 4));
      // Four products of at most 127 * 15 fit into 16 bits.
      int16x8_t products = vmull_s8(vget_low_s8(first), vget_low_s8(lower));
      products = vmlal_s8(products, vget_high_s8(first), vget_high_s8(lower));
      products = vmlal_s8(products, vget_low_s8(second), vget_low_s8(upper));
      products = vmlal_s8(products, vget_high_s8(second), vget_high_s8(upper));
      sums[index] = vpadalq_s16(sums[index], products);
    }
  }
  for (size_t index = 0; index < 4; ++index) out[index] = vaddvq_s32(sums[index]);
}

/** Adds 16 scaled values to four registers. */
inline void add_values(int8x16_t values, float32x4_t scale, float32x4_t* totals) {
  const int16x8_t low = vmovl_s8(vget_low_s8(values));
  const int16x8_t high = vmovl_s8(vget_high_s8(values));
  const int32x4_t parts[4] = {vmovl_s16(vget_low_s16(low)), vmovl_s16(vget_high_s16(low)),
                              vmovl_s16(vget_low_s16(high)), vmovl_s16(vget_high_s16(high))};
  for (int index = 0; index < 4; ++index) {
    totals[index] = vaddq_f32(totals[index], vmulq_f32(scale, vcvtq_f32_s32(parts[index])));
  }
}

struct Int8Rows {
  static constexpr size_t kColumns = 16;
  static constexpr size_t kBlocks = 4;
  static inline void add(const uint8_t* bytes, float32x4_t scale, float32x4_t* totals) {
    add_values(vreinterpretq_s8_u8(vld1q_u8(bytes)), scale, totals);
  }
};

struct Int4Rows {
  static constexpr size_t kColumns = 32;
  static constexpr size_t kBlocks = 2;
  static inline void add(const uint8_t* bytes, float32x4_t scale, float32x4_t* totals) {
    const uint8x16_t both = vld1q_u8(bytes);
    const int8x16_t offset = vdupq_n_s8(8);
    const int8x16_t low = vsubq_s8(vreinterpretq_s8_u8(vandq_u8(both, vdupq_n_u8(15))), offset);
    const int8x16_t high = vsubq_s8(vreinterpretq_s8_u8(vshrq_n_u8(both, 4)), offset);
    add_values(vzip1q_s8(low, high), scale, totals);
    add_values(vzip2q_s8(low, high), scale, totals + 4);
  }
};

template <typename Rows, size_t kBlocks>
void sum_blocks(const TableRows& rows, size_t first, float* sums) {
  constexpr size_t kSums = kBlocks * Rows::kColumns / 4;
  float32x4_t totals[kSums];
  for (size_t index = 0; index < kSums; ++index) totals[index] = vdupq_n_f32(0);
  for (size_t row = 0; row < rows.count; ++row) {
    const auto id = static_cast<size_t>(rows.ids[row]);
    const float32x4_t scale = vdupq_n_f32(rows.scales[row]);
    const uint8_t* bytes = rows.table + id * rows.row_bytes + first;
    for (size_t block = 0; block < kBlocks; ++block) {
      Rows::add(bytes + block * kRowBlock, scale, totals + block * Rows::kColumns / 4);
    }
  }
  for (size_t index = 0; index < kSums; ++index) {
    float* target = sums + index * 4;
    vst1q_f32(target, vaddq_f32(vld1q_f32(target), totals[index]));
  }
}

template <typename Rows>
void sum_rows(const TableRows& rows, float* sums) {
  // Several blocks per pass over the rows, as many as fit into the registers.
  constexpr size_t kPass = Rows::kBlocks * kRowBlock;
  size_t byte = 0;
  for (; byte + kPass <= rows.row_bytes; byte += kPass) {
    sum_blocks<Rows, Rows::kBlocks>(rows, byte, sums + byte * Rows::kColumns / kRowBlock);
  }
  for (; byte < rows.row_bytes; byte += kRowBlock) {
    sum_blocks<Rows, 1>(rows, byte, sums + byte * Rows::kColumns / kRowBlock);
  }
}

}  // namespace

bool fill_neon(DistanceTable* table) {
  table->name = "neon";
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
  table->sum_int8_rows = sum_rows<Int8Rows>;
  table->sum_int4_rows = sum_rows<Int4Rows>;
  return true;
}

}  // namespace semantic_index

#else

namespace semantic_index {

bool fill_neon(DistanceTable*) { return false; }

}  // namespace semantic_index

#endif
