#ifndef SEMANTIC_INDEX_KERNEL_DISTANCE_VECTOR_CHECK_H_
#define SEMANTIC_INDEX_KERNEL_DISTANCE_VECTOR_CHECK_H_

#include <cstddef>
#include <cstdint>

namespace semantic_index {

/** The index of the first number that is NaN or infinite, or -1. */
int64_t find_not_finite(const float* numbers, size_t count);

/**
 * The index of the first row whose length is neither 0 nor from 1e-18 to 1e18, or -1. Sums of squares of other lengths
 * overflow or vanish. Sets `*length` to the length of that row. The numbers must be finite.
 */
int64_t find_bad_length(const float* rows, size_t count, int32_t dimensions, double* length);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_DISTANCE_VECTOR_CHECK_H_
