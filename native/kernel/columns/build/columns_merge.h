#ifndef SEMANTIC_INDEX_KERNEL_COLUMNS_BUILD_COLUMNS_MERGE_H_
#define SEMANTIC_INDEX_KERNEL_COLUMNS_BUILD_COLUMNS_MERGE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/memory_block.h"
#include "base/status.h"
#include "columns/columns_view.h"

namespace semantic_index {

/** An item of a source that the merged file does not have. */
constexpr uint32_t kNoItem = UINT32_MAX;

/** A file that is merged, and the number that each of its items gets in the merged file, or kNoItem. Owns nothing. */
struct ColumnsSource {
  const ColumnsView* view = nullptr;
  const uint32_t* items = nullptr;
};

struct ColumnsMergeOptions {
  /** Threads that encode columns; 0 for all of the machine's. */
  int threads = 0;
  const std::atomic<bool>* cancel = nullptr;
  /** See ColumnsHeader. */
  uint64_t source = 0;
};

/**
 * Writes a columns file with `items` documents, each of which at most one of the sources has. The bytes are those that
 * a build from the documents gives, however they were spread over the sources; where there are more than kMaxColumns
 * paths, they depend on the columns that the sources have. corrupt when a source is, invalid_argument when there are
 * too many items, out_of_memory, cancelled.
 */
Status merge_columns(const std::vector<ColumnsSource>& sources, int64_t items, const ColumnsMergeOptions& options,
                     MemoryBlock* file);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_COLUMNS_BUILD_COLUMNS_MERGE_H_
