// AVX2 + FMA (x86-64-v3: Intel since 2013, AMD since 2015). 16 lanes are two registers.
// vfmadd ps ymm: latency 4, two a cycle on Intel and AMD.

#include "distance/distance_tables.h"

#if defined(__x86_64__) || defined(_M_X64)

#include <immintrin.h>

namespace semantic_index {

namespace {

/** 16 lanes: 0..7 in low, 8..15 in high. */
struct Lanes {
  __m256 low;
  __m256 high;
};

struct Masks {
  __m256i low;
  __m256i high;
};

inline Lanes zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }

inline Lanes load(const float* x) { return {_mm256_loadu_ps(x), _mm256_loadu_ps(x + 8)}; }

/** Ones for the first `count` of 16 lanes. */
inline Masks first_lanes(size_t count) {
  const __m256i wanted = _mm256_set1_epi32(static_cast<int>(count));
  return {_mm256_cmpgt_epi32(wanted, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)),
          _mm256_cmpgt_epi32(wanted, _mm256_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15))};
}

inline Lanes load(const float* x, const Masks& masks) {
  return {_mm256_maskload_ps(x, masks.low), _mm256_maskload_ps(x + 8, masks.high)};
}

inline float reduce(const Lanes& lanes) {
  const __m256 eight = _mm256_add_ps(lanes.low, lanes.high);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

/** Four sums at once, with the very additions of `reduce`. */
inline __m128 reduce_four(const Lanes* sums) {
  __m128 fours[4];
  for (int index = 0; index < 4; ++index) {
    const __m256 eight = _mm256_add_ps(sums[index].low, sums[index].high);
    fours[index] = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  }
  const __m128 first = _mm_add_ps(_mm_movelh_ps(fours[0], fours[1]), _mm_movehl_ps(fours[1], fours[0]));
  const __m128 second = _mm_add_ps(_mm_movelh_ps(fours[2], fours[3]), _mm_movehl_ps(fours[3], fours[2]));
  return _mm_add_ps(_mm_shuffle_ps(first, second, 0x88), _mm_shuffle_ps(first, second, 0xdd));
}

struct Product {
  static inline __m256 step(__m256 x, __m256 y, __m256 sum) { return _mm256_fmadd_ps(x, y, sum); }
};

struct SquaredDifference {
  static inline __m256 step(__m256 x, __m256 y, __m256 sum) {
    const __m256 difference = _mm256_sub_ps(x, y);
    return _mm256_fmadd_ps(difference, difference, sum);
  }
};

struct AbsoluteDifference {
  static inline __m256 step(__m256 x, __m256 y, __m256 sum) {
    return _mm256_add_ps(sum, _mm256_andnot_ps(_mm256_set1_ps(-0.0f), _mm256_sub_ps(x, y)));
  }
};

template <typename Term>
inline Lanes step(const Lanes& x, const Lanes& y, const Lanes& sum) {
  return {Term::step(x.low, y.low, sum.low), Term::step(x.high, y.high, sum.high)};
}

template <typename Term>
float sum_terms(const float* x, const float* y, size_t n) {
  Lanes sum = zero();
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) sum = step<Term>(load(x + i), load(y + i), sum);
  if (i < n) {
    const Masks masks = first_lanes(n - i);
    sum = step<Term>(load(x + i, masks), load(y + i, masks), sum);
  }
  return reduce(sum);
}

template <typename Term, size_t kCount>
void sum_terms_of(const float* one, const float* const* others, size_t n, float* out) {
  Lanes sums[kCount];
  for (size_t index = 0; index < kCount; ++index) sums[index] = zero();
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Lanes block = load(one + i);
    for (size_t index = 0; index < kCount; ++index) {
      sums[index] = step<Term>(block, load(others[index] + i), sums[index]);
    }
  }
  if (i < n) {
    const Masks masks = first_lanes(n - i);
    const Lanes block = load(one + i, masks);
    for (size_t index = 0; index < kCount; ++index) {
      sums[index] = step<Term>(block, load(others[index] + i, masks), sums[index]);
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
  for (size_t index = 0; index < 4; ++index) sum_terms_of<Term, 4>(ones[index], others, n, out + 4 * index);
}

uint64_t hamming(const uint64_t* x, const uint64_t* y, size_t n) {
  uint64_t count = 0;
  for (size_t i = 0; i < n; ++i) count += static_cast<uint64_t>(_mm_popcnt_u64(x[i] ^ y[i]));
  return count;
}

/** The bits set in each byte: those of its nibbles are looked up. */
inline __m256i count_bits_of_bytes(__m256i bytes) {
  const __m256i counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                          0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i mask = _mm256_set1_epi8(15);
  return _mm256_add_epi8(_mm256_shuffle_epi8(counts, _mm256_and_si256(bytes, mask)),
                         _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask)));
}

/** 32 rows at once: the number of row 4 i + j is byte i of word j, before bytes change places. */
void hamming_columns(const uint64_t* one, const uint64_t* columns, size_t words, size_t n, uint8_t* out) {
  const __m256i pairs =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15));
  size_t row = 0;
  for (; row + 32 <= n; row += 32) {
    __m256i all = _mm256_setzero_si256();
    for (size_t four = 8; four-- > 0;) {
      // At most three words differ in no more bits than a byte holds.
      __m256i counts = _mm256_setzero_si256();
      for (size_t word = 0; word < words; ++word) {
        const auto* const rows = reinterpret_cast<const __m256i*>(columns + word * n + row + 4 * four);
        const __m256i own = _mm256_set1_epi64x(static_cast<int64_t>(one[word]));
        counts = _mm256_add_epi8(counts, count_bits_of_bytes(_mm256_xor_si256(_mm256_loadu_si256(rows), own)));
      }
      const __m256i sums = _mm256_sad_epu8(counts, _mm256_setzero_si256());
      all = _mm256_or_si256(_mm256_slli_epi64(all, 8), sums);
    }
    all = _mm256_shuffle_epi8(all, pairs);
    const __m128i low = _mm256_castsi256_si128(all);
    const __m128i high = _mm256_extracti128_si256(all, 1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + row), _mm_unpacklo_epi16(low, high));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + row + 16), _mm_unpackhi_epi16(low, high));
  }
  for (; row < n; ++row) {
    uint64_t count = 0;
    for (size_t word = 0; word < words; ++word) count += hamming(one + word, columns + word * n + row, 1);
    out[row] = static_cast<uint8_t>(count);
  }
}

void add_scaled(float* x, const float* y, float scale, size_t n) {
  const __m256 factor = _mm256_set1_ps(scale);
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    _mm256_storeu_ps(x + i, _mm256_fmadd_ps(factor, _mm256_loadu_ps(y + i), _mm256_loadu_ps(x + i)));
  }
  if (i < n) {
    const __m256i mask = first_lanes(n - i).low;
    const __m256 result = _mm256_fmadd_ps(factor, _mm256_maskload_ps(y + i, mask), _mm256_maskload_ps(x + i, mask));
    _mm256_maskstore_ps(x + i, mask, result);
  }
}

void move_towards(float* x, const float* y, float scale, size_t n) {
  const __m256 factor = _mm256_set1_ps(scale);
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256 from = _mm256_loadu_ps(x + i);
    _mm256_storeu_ps(x + i, _mm256_fmadd_ps(factor, _mm256_sub_ps(_mm256_loadu_ps(y + i), from), from));
  }
  if (i < n) {
    const __m256i mask = first_lanes(n - i).low;
    const __m256 from = _mm256_maskload_ps(x + i, mask);
    const __m256 to = _mm256_maskload_ps(y + i, mask);
    _mm256_maskstore_ps(x + i, mask, _mm256_fmadd_ps(factor, _mm256_sub_ps(to, from), from));
  }
}

/** The sum of each register. */
void store_sums(const __m256i* sums, int32_t* out) {
  const __m256i pairs = _mm256_hadd_epi32(_mm256_hadd_epi32(sums[0], sums[1]), _mm256_hadd_epi32(sums[2], sums[3]));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                   _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1)));
}

void dot_int8_four(const int8_t* one, const int8_t* const* others, size_t n, int32_t* out) {
  __m256i sums[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
  const auto load16 = [](const int8_t* bytes) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
  };
  for (size_t i = 0; i < n; i += 16) {
    const __m256i block = load16(one + i);
    for (size_t index = 0; index < 4; ++index) {
      sums[index] = _mm256_add_epi32(sums[index], _mm256_madd_epi16(block, load16(others[index] + i)));
    }
  }
  store_sums(sums, out);
}

void dot_int4_four(const int8_t* one, const uint8_t* const* others, size_t n, int32_t* out) {
  const size_t half = n / 2;
  const __m256i mask = _mm256_set1_epi8(15);
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
  const auto load32 = [](const void* bytes) { return _mm256_loadu_si256(static_cast<const __m256i*>(bytes)); };
  for (size_t i = 0; i < half; i += 32) {
    const __m256i first = load32(one + i);
    const __m256i second = load32(one + half + i);
    for (size_t index = 0; index < 4; ++index) {
      const __m256i bytes = load32(others[index] + i);
      const __m256i lower = _mm256_maddubs_epi16(_mm256_and_si256(bytes, mask), first);
      const __m256i upper = _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask), second);
      // Four products of at most 127 * 15 fit into 16 bits.
      sums[index] = _mm256_add_epi32(sums[index], _mm256_madd_epi16(_mm256_add_epi16(lower, upper), ones));
    }
  }
  store_sums(sums, out);
}

/** Adds 16 scaled values to two registers. */
inline void add_values(__m128i values, __m256 scale, __m256* totals) {
  const __m256 low = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(values));
  const __m256 high = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(values, 8)));
  totals[0] = _mm256_add_ps(totals[0], _mm256_mul_ps(scale, low));
  totals[1] = _mm256_add_ps(totals[1], _mm256_mul_ps(scale, high));
}

struct Int8Rows {
  static constexpr size_t kColumns = 16;
  static constexpr size_t kBlocks = 4;
  static inline void add(const uint8_t* bytes, __m256 scale, __m256* totals) {
    add_values(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)), scale, totals);
  }
};

struct Int4Rows {
  static constexpr size_t kColumns = 32;
  static constexpr size_t kBlocks = 2;
  static inline void add(const uint8_t* bytes, __m256 scale, __m256* totals) {
    const __m128i mask = _mm_set1_epi8(15);
    const __m128i offset = _mm_set1_epi8(8);
    const __m128i both = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    const __m128i low = _mm_sub_epi8(_mm_and_si128(both, mask), offset);
    const __m128i high = _mm_sub_epi8(_mm_and_si128(_mm_srli_epi16(both, 4), mask), offset);
    add_values(_mm_unpacklo_epi8(low, high), scale, totals);
    add_values(_mm_unpackhi_epi8(low, high), scale, totals + 2);
  }
};

template <typename Rows, size_t kBlocks>
void sum_blocks(const TableRows& rows, size_t first, float* sums) {
  constexpr size_t kSums = kBlocks * Rows::kColumns / 8;
  __m256 totals[kSums];
  for (size_t index = 0; index < kSums; ++index) totals[index] = _mm256_setzero_ps();
  for (size_t row = 0; row < rows.count; ++row) {
    const auto id = static_cast<size_t>(rows.ids[row]);
    const __m256 scale = _mm256_set1_ps(rows.scales[row]);
    const uint8_t* bytes = rows.table + id * rows.row_bytes + first;
    for (size_t block = 0; block < kBlocks; ++block) {
      Rows::add(bytes + block * kRowBlock, scale, totals + block * Rows::kColumns / 8);
    }
  }
  for (size_t index = 0; index < kSums; ++index) {
    float* target = sums + index * 8;
    _mm256_storeu_ps(target, _mm256_add_ps(_mm256_loadu_ps(target), totals[index]));
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

/** The greatest of each four bytes, in the lowest of the four. */
inline __m256i greatest_of_four(const uint8_t* numbers, __m256i least) {
  const __m256i fours = _mm256_sub_epi8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(numbers)), least);
  const __m256i twos = _mm256_max_epu8(fours, _mm256_srli_epi32(fours, 16));
  return _mm256_and_si256(_mm256_max_epu8(twos, _mm256_srli_epi32(twos, 8)), _mm256_set1_epi32(255));
}

void greatest_of_four(const uint8_t* numbers, uint8_t least, size_t n, uint8_t* out) {
  const __m256i all_least = _mm256_set1_epi8(static_cast<char>(least));
  // What packing in halves puts out of order.
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const uint8_t* const own = numbers + 4 * i;
    const __m256i first = _mm256_packus_epi32(greatest_of_four(own, all_least), greatest_of_four(own + 32, all_least));
    const __m256i second =
        _mm256_packus_epi32(greatest_of_four(own + 64, all_least), greatest_of_four(own + 96, all_least));
    const __m256i packed = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(first, second), order);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), packed);
  }
  for (; i < n; ++i) {
    uint8_t greatest = 0;
    for (size_t index = 4 * i; index < 4 * i + 4; ++index) {
      const auto difference = static_cast<uint8_t>(numbers[index] - least);
      if (difference > greatest) greatest = difference;
    }
    out[i] = greatest;
  }
}

/** The bytes of a table of 128 at some places: its eight sixteenths, of which three bits of a place choose one. */
inline __m256i look_up(const __m256i* sixteenths, __m256i places) {
  __m256i found[8];
  for (int part = 0; part < 8; ++part) found[part] = _mm256_shuffle_epi8(sixteenths[part], places);
  // A blend looks at the highest bit of each byte.
  const __m256i by_first = _mm256_slli_epi16(places, 3);
  const __m256i by_second = _mm256_slli_epi16(places, 2);
  const __m256i by_third = _mm256_slli_epi16(places, 1);
  for (int part = 0; part < 4; ++part) {
    found[part] = _mm256_blendv_epi8(found[2 * part], found[2 * part + 1], by_first);
  }
  for (int part = 0; part < 2; ++part) {
    found[part] = _mm256_blendv_epi8(found[2 * part], found[2 * part + 1], by_second);
  }
  return _mm256_blendv_epi8(found[0], found[1], by_third);
}

inline void scale(__m128i shares, uint16_t* sums) {
  auto* const at = reinterpret_cast<__m256i*>(sums);
  // A byte b twice is b * 257.
  const __m256i bytes = _mm256_cvtepu8_epi16(shares);
  const __m256i factors = _mm256_or_si256(bytes, _mm256_slli_epi16(bytes, 8));
  const __m256i product = _mm256_mulhi_epu16(_mm256_loadu_si256(at), factors);
  _mm256_storeu_si256(at, _mm256_add_epi16(product, _mm256_set1_epi16(1)));
}

void scale_by_class(const uint8_t* classes, const uint8_t* shares, size_t n, uint16_t* sums) {
  __m256i sixteenths[8];
  for (size_t part = 0; part < 8; ++part) {
    sixteenths[part] = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(shares) + part));
  }
  for (size_t i = 0; i < n; i += kShareBlock) {
    const __m256i found = look_up(sixteenths, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(classes + i)));
    scale(_mm256_castsi256_si128(found), sums + i);
    scale(_mm256_extracti128_si256(found, 1), sums + i + kShareBlock / 2);
  }
}

}  // namespace

bool fill_avx2(DistanceTable* table) {
  table->name = "avx2";
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
  table->greatest_of_four = greatest_of_four;
  table->scale_by_class = scale_by_class;
  return true;
}

}  // namespace semantic_index

#else

namespace semantic_index {

bool fill_avx2(DistanceTable*) { return false; }

}  // namespace semantic_index

#endif
