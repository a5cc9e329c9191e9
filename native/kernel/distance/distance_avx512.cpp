// AVX-512 F + BW + VL + DQ (x86-64-v4: Intel servers since 2017, AMD since Zen 4). 16 lanes are one register.
// vfmadd ps zmm: latency 4, two a cycle on Intel servers. One chain per sum is enough: rows follow each other, and the
// processor overlaps their sums.

#include "distance/distance_tables.h"

#if defined(__x86_64__) || defined(_M_X64)

#include "distance/distance_avx512.h"

namespace semantic_index {

namespace {

/** Ones for the first `count` of 16 lanes, count < 16. */
inline __mmask16 first_lanes(size_t count) { return static_cast<__mmask16>((1u << count) - 1u); }

inline float reduce(__m512 lanes) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(lanes), _mm512_extractf32x8_ps(lanes, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

/** Four sums at once, with the very additions of `reduce`. */
inline __m128 reduce_four(const __m512* sums) {
  __m128 fours[4];
  for (int index = 0; index < 4; ++index) {
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(sums[index]), _mm512_extractf32x8_ps(sums[index], 1));
    fours[index] = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  }
  const __m128 first = _mm_add_ps(_mm_movelh_ps(fours[0], fours[1]), _mm_movehl_ps(fours[1], fours[0]));
  const __m128 second = _mm_add_ps(_mm_movelh_ps(fours[2], fours[3]), _mm_movehl_ps(fours[3], fours[2]));
  return _mm_add_ps(_mm_shuffle_ps(first, second, 0x88), _mm_shuffle_ps(first, second, 0xdd));
}

struct Product {
  static inline __m512 step(__m512 x, __m512 y, __m512 sum) { return _mm512_fmadd_ps(x, y, sum); }
};

struct SquaredDifference {
  static inline __m512 step(__m512 x, __m512 y, __m512 sum) {
    const __m512 difference = _mm512_sub_ps(x, y);
    return _mm512_fmadd_ps(difference, difference, sum);
  }
};

struct AbsoluteDifference {
  static inline __m512 step(__m512 x, __m512 y, __m512 sum) {
    return _mm512_add_ps(sum, _mm512_abs_ps(_mm512_sub_ps(x, y)));
  }
};

template <typename Term>
float sum_terms(const float* x, const float* y, size_t n) {
  __m512 sum = _mm512_setzero_ps();
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) sum = Term::step(_mm512_loadu_ps(x + i), _mm512_loadu_ps(y + i), sum);
  if (i < n) {
    const __mmask16 mask = first_lanes(n - i);
    sum = Term::step(_mm512_maskz_loadu_ps(mask, x + i), _mm512_maskz_loadu_ps(mask, y + i), sum);
  }
  return reduce(sum);
}

template <typename Term, size_t kCount>
void sum_terms_of(const float* one, const float* const* others, size_t n, float* out) {
  __m512 sums[kCount];
  for (size_t index = 0; index < kCount; ++index) sums[index] = _mm512_setzero_ps();
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const __m512 block = _mm512_loadu_ps(one + i);
    for (size_t index = 0; index < kCount; ++index) {
      sums[index] = Term::step(block, _mm512_loadu_ps(others[index] + i), sums[index]);
    }
  }
  if (i < n) {
    const __mmask16 mask = first_lanes(n - i);
    const __m512 block = _mm512_maskz_loadu_ps(mask, one + i);
    for (size_t index = 0; index < kCount; ++index) {
      sums[index] = Term::step(block, _mm512_maskz_loadu_ps(mask, others[index] + i), sums[index]);
    }
  }
  if (kCount == 4) {
    _mm_storeu_ps(out, reduce_four(sums));
  } else {
    for (size_t index = 0; index < kCount; ++index) out[index] = reduce(sums[index]);
  }
}

template <typename Term>
void sum_block(const float* const* ones, const float* const* others, size_t n, float* out) {
  __m512 sums[4][4];
  for (auto& row : sums) {
    for (__m512& sum : row) sum = _mm512_setzero_ps();
  }
  for (size_t i = 0; i < n; i += kLanes) {
    const __mmask16 mask = n - i >= kLanes ? static_cast<__mmask16>(0xffff) : first_lanes(n - i);
    __m512 blocks[4];
    for (size_t index = 0; index < 4; ++index) blocks[index] = _mm512_maskz_loadu_ps(mask, others[index] + i);
    for (size_t row = 0; row < 4; ++row) {
      const __m512 block = _mm512_maskz_loadu_ps(mask, ones[row] + i);
      for (size_t index = 0; index < 4; ++index) sums[row][index] = Term::step(block, blocks[index], sums[row][index]);
    }
  }
  for (size_t row = 0; row < 4; ++row) _mm_storeu_ps(out + 4 * row, reduce_four(sums[row]));
}

uint64_t hamming(const uint64_t* x, const uint64_t* y, size_t n) {
  uint64_t count = 0;
  for (size_t i = 0; i < n; ++i) count += static_cast<uint64_t>(_mm_popcnt_u64(x[i] ^ y[i]));
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
  const __m512 factor = _mm512_set1_ps(scale);
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    _mm512_storeu_ps(x + i, _mm512_fmadd_ps(factor, _mm512_loadu_ps(y + i), _mm512_loadu_ps(x + i)));
  }
  if (i < n) {
    const __mmask16 mask = first_lanes(n - i);
    const __m512 to = _mm512_maskz_loadu_ps(mask, y + i);
    _mm512_mask_storeu_ps(x + i, mask, _mm512_fmadd_ps(factor, to, _mm512_maskz_loadu_ps(mask, x + i)));
  }
}

void move_towards(float* x, const float* y, float scale, size_t n) {
  const __m512 factor = _mm512_set1_ps(scale);
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const __m512 from = _mm512_loadu_ps(x + i);
    _mm512_storeu_ps(x + i, _mm512_fmadd_ps(factor, _mm512_sub_ps(_mm512_loadu_ps(y + i), from), from));
  }
  if (i < n) {
    const __mmask16 mask = first_lanes(n - i);
    const __m512 from = _mm512_maskz_loadu_ps(mask, x + i);
    const __m512 to = _mm512_maskz_loadu_ps(mask, y + i);
    _mm512_mask_storeu_ps(x + i, mask, _mm512_fmadd_ps(factor, _mm512_sub_ps(to, from), from));
  }
}

void dot_int8_four(const int8_t* one, const int8_t* const* others, size_t n, int32_t* out) {
  __m512i sums[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
  const auto load32 = [](const int8_t* bytes) {
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)));
  };
  for (size_t i = 0; i < n; i += 32) {
    const __m512i block = load32(one + i);
    for (size_t index = 0; index < 4; ++index) {
      sums[index] = _mm512_add_epi32(sums[index], _mm512_madd_epi16(block, load32(others[index] + i)));
    }
  }
  store_sums(sums, out);
}

void dot_int4_four(const int8_t* one, const uint8_t* const* others, size_t n, int32_t* out) {
  const size_t half = n / 2;
  const __m512i mask = _mm512_set1_epi8(15);
  const __m512i ones = _mm512_set1_epi16(1);
  __m512i sums[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
  for (size_t i = 0; i < half; i += 64) {
    const __mmask64 part = first_bytes(half - i);
    const __m512i first = _mm512_maskz_loadu_epi8(part, one + i);
    const __m512i second = _mm512_maskz_loadu_epi8(part, one + half + i);
    for (size_t index = 0; index < 4; ++index) {
      const __m512i bytes = _mm512_maskz_loadu_epi8(part, others[index] + i);
      const __m512i lower = _mm512_maddubs_epi16(_mm512_and_si512(bytes, mask), first);
      const __m512i upper = _mm512_maddubs_epi16(_mm512_and_si512(_mm512_srli_epi16(bytes, 4), mask), second);
      // Four products of at most 127 * 15 fit into 16 bits.
      sums[index] = _mm512_add_epi32(sums[index], _mm512_madd_epi16(_mm512_add_epi16(lower, upper), ones));
    }
  }
  store_sums(sums, out);
}

/** Adds 16 scaled values. */
inline void add_values(__m128i values, __m512 scale, __m512* total) {
  *total = _mm512_add_ps(*total, _mm512_mul_ps(scale, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(values))));
}

struct Int8Rows {
  static constexpr size_t kColumns = 16;
  static constexpr size_t kBlocks = 8;
  static inline void add(const uint8_t* bytes, __m512 scale, __m512* totals) {
    add_values(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)), scale, totals);
  }
};

struct Int4Rows {
  static constexpr size_t kColumns = 32;
  static constexpr size_t kBlocks = 4;
  static inline void add(const uint8_t* bytes, __m512 scale, __m512* totals) {
    const __m128i mask = _mm_set1_epi8(15);
    const __m128i offset = _mm_set1_epi8(8);
    const __m128i both = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    const __m128i low = _mm_sub_epi8(_mm_and_si128(both, mask), offset);
    const __m128i high = _mm_sub_epi8(_mm_and_si128(_mm_srli_epi16(both, 4), mask), offset);
    add_values(_mm_unpacklo_epi8(low, high), scale, totals);
    add_values(_mm_unpackhi_epi8(low, high), scale, totals + 1);
  }
};

template <typename Rows, size_t kBlocks>
void sum_blocks(const TableRows& rows, size_t first, float* sums) {
  constexpr size_t kSums = kBlocks * Rows::kColumns / 16;
  __m512 totals[kSums];
  for (size_t index = 0; index < kSums; ++index) totals[index] = _mm512_setzero_ps();
  for (size_t row = 0; row < rows.count; ++row) {
    const auto id = static_cast<size_t>(rows.ids[row]);
    const __m512 scale = _mm512_set1_ps(rows.scales[row]);
    const uint8_t* bytes = rows.table + id * rows.row_bytes + first;
    for (size_t block = 0; block < kBlocks; ++block) {
      Rows::add(bytes + block * kRowBlock, scale, totals + block * Rows::kColumns / 16);
    }
  }
  for (size_t index = 0; index < kSums; ++index) {
    float* target = sums + index * 16;
    _mm512_storeu_ps(target, _mm512_add_ps(_mm512_loadu_ps(target), totals[index]));
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

bool fill_avx512(DistanceTable* table) {
  table->name = "avx512";
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

bool fill_avx512(DistanceTable*) { return false; }

}  // namespace semantic_index

#endif
