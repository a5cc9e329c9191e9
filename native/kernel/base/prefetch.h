#ifndef SEMANTIC_INDEX_KERNEL_BASE_PREFETCH_H_
#define SEMANTIC_INDEX_KERNEL_BASE_PREFETCH_H_

#include <cstddef>

#if defined(_MSC_VER) && defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace semantic_index {

constexpr size_t kCacheLine = 64;

/** Asks for `size` bytes to be brought into the cache. Harmless for any address. */
static inline void prefetch(const void* address, size_t size) {
  const char* bytes = static_cast<const char*>(address);
  for (size_t offset = 0; offset < size; offset += kCacheLine) {
#if defined(__GNUC__) || defined(__clang__)
    __builtin_prefetch(bytes + offset, 0, 3);
#elif defined(_M_X64)
    _mm_prefetch(bytes + offset, _MM_HINT_T0);
#endif
  }
}

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_BASE_PREFETCH_H_
