#ifndef SEMANTIC_INDEX_KERNEL_COLUMNS_BUILD_COLUMN_ENCODER_H_
#define SEMANTIC_INDEX_KERNEL_COLUMNS_BUILD_COLUMN_ENCODER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory_block.h"
#include "base/status.h"
#include "columns/columns_view.h"

namespace semantic_index {

/** The distinct values of a column, each kind ascending. Strings are owned by someone else. */
struct ColumnValues {
  uint32_t singles = 0;
  std::vector<double> numbers;
  std::vector<std::string_view> strings;
  std::vector<uint32_t> lists;

  ValueCounts counts() const {
    return {singles, static_cast<uint32_t>(numbers.size()), static_cast<uint32_t>(strings.size()),
            static_cast<uint32_t>(lists.size())};
  }
};

/** A column before it is encoded: some values may have no row. */
struct ColumnContent {
  std::string_view path;
  bool is_partial = false;
  ColumnValues values;
  /** Rows by ascending item; `begin` and `end` are places in `ids`, none of them empty. */
  std::vector<ColumnRow> rows;
  /** Ids of `values`; ascending within each row. */
  std::vector<uint32_t> ids;
};

/** The bytes of a column, which are placed in a file by `assemble_columns`. */
struct EncodedColumn {
  ColumnHead head = {};
  std::string path;
  std::vector<uint8_t> data;
};

/**
 * Encodes a column of a file of so many items; values without a row are left out. `content` must have a row.
 * invalid_argument when it has 2^32 entries or more.
 */
Status encode_column(const ColumnContent& content, int32_t items, EncodedColumn* column);

/** What a file holds beside its columns. */
struct ColumnsMarks {
  int32_t items = 0;
  /** Sets of item_words(items) words; empty for none. */
  std::vector<uint32_t> opaque;
  std::vector<uint32_t> incomplete;
  uint64_t source = 0;
};

/** Adds an item to a set, which gets its words with the first one. */
void mark_item(uint32_t item, int32_t items, std::vector<uint32_t>* set);

/** Writes the bytes of a columns file. The columns come by ascending path. out_of_memory. */
Status assemble_columns(const std::vector<EncodedColumn>& columns, const ColumnsMarks& marks, MemoryBlock* file);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_COLUMNS_BUILD_COLUMN_ENCODER_H_
