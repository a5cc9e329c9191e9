#ifndef SEMANTIC_INDEX_KERNEL_DISTANCE_DISTANCE_AVX512_H_
#define SEMANTIC_INDEX_KERNEL_DISTANCE_DISTANCE_AVX512_H_

// Shared by the translation units with AVX-512. Everything has internal linkage, because their flags differ.

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace semantic_index {

namespace {

/** Ones for the first `count` of 64 bytes, for all when there are more. */
inline __mmask64 first_bytes(size_t count) { return count >= 64 ? ~__mmask64{0} : (__mmask64{1} << count) - 1; }

/** Writes the sum of the numbers of each of four registers. */
inline void store_sums(const __m512i* sums, int32_t* out) {
  __m256i eights[4];
  for (size_t index = 0; index < 4; ++index) {
    eights[index] = _mm256_add_epi32(_mm512_castsi512_si256(sums[index]), _mm512_extracti64x4_epi64(sums[index], 1));
  }
  const __m256i pairs =
      _mm256_hadd_epi32(_mm256_hadd_epi32(eights[0], eights[1]), _mm256_hadd_epi32(eights[2], eights[3]));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                   _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1)));
}

}  // namespace

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_DISTANCE_DISTANCE_AVX512_H_
