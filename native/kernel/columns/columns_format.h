#ifndef SEMANTIC_INDEX_KERNEL_COLUMNS_COLUMNS_FORMAT_H_
#define SEMANTIC_INDEX_KERNEL_COLUMNS_COLUMNS_FORMAT_H_

#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "columns/column_value.h"
#include "io/sectioned_file.h"

namespace semantic_index {

/** The parts of the file, in their order. */
enum class ColumnsSection : uint32_t {
  /** The sets of opaque and of incomplete documents, each only where it is not empty. */
  marks,
  /** A ColumnHead for each column, by ascending path. */
  heads,
  /** The paths, in the order of the heads. */
  paths,
  /** The arrays of the columns. */
  data,
};
constexpr size_t kColumnsSections = 4;

/** The format of columns files (.columns). See native/kernel/columns/FORMAT.md. */
extern const SectionedFormat kColumnsFormat;

/** The beginning of the file. Integers are little-endian. */
struct ColumnsHeader {
  char magic[8];
  uint32_t version;
  /** Documents: items are 0..items-1. */
  int32_t items;
  uint32_t columns;
  /** Documents whose metadata no column describes. */
  uint32_t opaque;
  /** Documents with paths that have no column. */
  uint32_t incomplete;
  uint32_t reserved;
  /** Chosen by the caller, to recognise the file of another segment. */
  uint64_t source;
  SectionRange sections[kColumnsSections];
  /** XXH64 of what comes before. */
  uint64_t header_checksum;
};

/** Incomplete documents without a value here may have one: the column was left out of a file that was merged. */
constexpr uint32_t kColumnPartial = 1;
/** Some items have several ids. */
constexpr uint32_t kColumnSeveral = 2;
/** The forward arrays are by row: only for items that have the path. */
constexpr uint32_t kColumnSparse = 4;

/** Describes a column; the places of its arrays follow from it, see `ColumnLayout`. */
struct ColumnHead {
  /** The path: its offset in `paths`, and its size. */
  uint64_t path;
  uint32_t path_bytes;
  uint32_t flags;
  /** See ValueCounts. */
  uint32_t singles;
  uint32_t numbers;
  uint32_t strings;
  uint32_t lists;
  /** Items that have the path. */
  uint32_t rows;
  uint32_t reserved;
  /** Pairs of an item and a value. */
  uint64_t entries;
  /** Bytes of all strings. */
  uint64_t string_bytes;
  /** Where its arrays begin in `data`; a multiple of 8. */
  uint64_t data;

  ValueCounts counts() const { return {singles, numbers, strings, lists}; }
};

/** Offsets of the arrays of a column in its data, and the widths of the packed ones, in the order of the file. */
struct ColumnLayout {
  uint64_t numbers;
  uint64_t lists;
  uint64_t string_ends;
  uint64_t strings;
  uint64_t value_ends;
  uint64_t postings;
  uint64_t row_items;
  uint64_t row_ends;
  uint64_t row_ids;
  uint64_t bytes;

  uint32_t string_end_width;
  uint32_t entry_width;
  uint32_t item_width;
  uint32_t row_end_width;
  uint32_t row_id_width;
  /** Items or rows of the forward arrays. */
  uint32_t units;
};

/**
 * The layout of a column in a file of so many items. Its counts must be plausible, see `check_column_head`, so that
 * nothing overflows.
 */
ColumnLayout column_layout(const ColumnHead& head, int32_t items);

/** Whether the forward arrays of the column are smaller by row than by item. */
bool is_smaller_sparse(const ColumnHead& head, int32_t items);

/** Whether the counts are possible and path and arrays lie inside their sections. */
Status check_column_head(const ColumnHead& head, int32_t items, uint64_t paths_bytes, uint64_t data_bytes);

/** Words of a set of items. */
static inline int64_t item_words(int32_t items) { return (static_cast<int64_t>(items) + 31) / 32; }

/**
 * Whether `size` bytes begin with a header of this version whose sections fill the file exactly. wrong_layout when it
 * is not a columns file or has another version, corrupt when the header contradicts itself.
 */
Status check_columns_header(const uint8_t* bytes, int64_t size, ColumnsHeader* header);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_COLUMNS_COLUMNS_FORMAT_H_
