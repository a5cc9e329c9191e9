#ifndef SEMANTIC_INDEX_KERNEL_COLUMNS_LAYERS_COLUMN_ROWS_H_
#define SEMANTIC_INDEX_KERNEL_COLUMNS_LAYERS_COLUMN_ROWS_H_

#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "columns/layers/columns_snapshot.h"

namespace semantic_index {

/** What all items of a part have at one path. */
struct ColumnRows {
  /** For each item the end of its ids in `ids`; they begin where those of the item before end. */
  std::vector<uint32_t> ends;
  std::vector<uint32_t> ids;
  /**
   * For each id its kind as a byte; after a number its 8 bytes, after a string the number of its bytes as 4 bytes and
   * these. Values of different layers may be equal.
   */
  std::vector<uint8_t> values;
  uint32_t value_count = 0;
  /** Items whose values at the path are not known: documents that no column describes. Empty where there are none. */
  std::vector<uint32_t> unknown;
};

/** Reads the values of all items at a path, of which there may be none. corrupt, cancelled, file_changed,
 * out_of_memory. */
Status read_column_rows(const ColumnsSnapshot& snapshot, std::string_view path, ColumnRows* rows,
                        const std::atomic<bool>* cancel = nullptr);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_COLUMNS_LAYERS_COLUMN_ROWS_H_
