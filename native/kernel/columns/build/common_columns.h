#ifndef SEMANTIC_INDEX_KERNEL_COLUMNS_BUILD_COMMON_COLUMNS_H_
#define SEMANTIC_INDEX_KERNEL_COLUMNS_BUILD_COMMON_COLUMNS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace semantic_index {

/** Chooses the `largest` columns with the most rows; of those with the same number, the first ones. */
std::vector<bool> choose_common(const std::vector<uint64_t>& rows, size_t largest);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_COLUMNS_BUILD_COMMON_COLUMNS_H_
