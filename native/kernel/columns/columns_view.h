#ifndef SEMANTIC_INDEX_KERNEL_COLUMNS_COLUMNS_VIEW_H_
#define SEMANTIC_INDEX_KERNEL_COLUMNS_COLUMNS_VIEW_H_

#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/item_bits.h"
#include "base/status.h"
#include "columns/columns_format.h"
#include "columns/packed_array.h"

namespace semantic_index {

/** The values of one item in a column: ids from `begin` to before `end` of ColumnView::row_id. */
struct ColumnRow {
  uint32_t item = 0;
  uint64_t begin = 0;
  uint64_t end = 0;
};

/**
 * A read-only view of one column. Its arrays lie inside the file; what they hold may be anything, so whatever is
 * followed is checked where it is read.
 */
class ColumnView {
 public:
  const ColumnHead& head() const { return head_; }
  std::string_view path() const { return path_; }
  bool is_partial() const { return (head_.flags & kColumnPartial) != 0; }
  bool has_several() const { return (head_.flags & kColumnSeveral) != 0; }
  const ValueCounts& counts() const { return counts_; }
  uint32_t values() const { return values_; }

  /** Number, string, or size of a list by its place among the values of its kind, ascending. */
  double number(uint32_t index) const;
  uint32_t list_size(uint32_t index) const;
  /** False when it lies outside the strings. */
  bool string(uint32_t index, std::string_view* string) const;
  /** The bytes of all strings, and where one ends in them. */
  std::string_view strings() const {
    return {reinterpret_cast<const char*>(data_ + layout_.strings), static_cast<size_t>(head_.string_bytes)};
  }
  uint64_t string_end(uint32_t index) const { return string_ends_[index]; }

  /** The entries of the values with these ids in `posting`; false when the ends do not ascend. */
  bool entries_of(IdRange ids, uint64_t* begin, uint64_t* end) const;
  /** The item of an entry. Entries are sorted by value, then by item. May be beyond the items. */
  uint32_t posting(uint64_t entry) const { return static_cast<uint32_t>(postings_[entry]); }

  /** Units of the forward arrays: items, or items that have the path. */
  uint32_t units() const { return layout_.units; }
  /** The row of a unit, empty where the item does not have the path; false when its ends do not ascend. */
  bool row(uint32_t unit, ColumnRow* row) const;
  /** The value of a place between begin and end of a row. May be beyond the values. */
  uint32_t row_id(uint64_t place) const {
    const auto stored = static_cast<uint32_t>(row_ids_[place]);
    return is_shifted_ ? stored - 1 : stored;
  }

 private:
  friend class ColumnsView;

  ColumnHead head_ = {};
  ColumnLayout layout_ = {};
  ValueCounts counts_;
  uint32_t values_ = 0;
  bool is_shifted_ = false;
  std::string_view path_;
  const uint8_t* data_ = nullptr;
  PackedArray string_ends_;
  PackedArray value_ends_;
  PackedArray postings_;
  PackedArray row_items_;
  PackedArray row_ends_;
  PackedArray row_ids_;
};

/**
 * A read-only view of the bytes of a columns file. It owns nothing: the bytes must outlive it and be aligned to 8. The
 * bytes may be anything: hostile bytes give `corrupt` or a poor answer in bounded time, never an access out of bounds.
 * Any number of threads may use one view at once.
 */
class ColumnsView {
 public:
  ColumnsView() = default;

  /**
   * Checks the header and the section table; reads nothing else. wrong_layout for another kind of file or another
   * version, corrupt for a damaged header. `changed` is raised by the owner of a map when the file was cut short.
   */
  static Status open(const uint8_t* bytes, int64_t size, ColumnsView* view, const std::atomic<bool>* changed = nullptr);

  const ColumnsHeader& header() const { return header_; }
  int32_t items() const { return header_.items; }
  uint32_t columns() const { return header_.columns; }

  /** Documents whose metadata no column describes. */
  ItemBits opaque() const;
  /** Documents with paths that have no column. */
  ItemBits incomplete() const;

  /** The column with a number below `columns`, by ascending path. corrupt. */
  Status column(uint32_t number, ColumnView* column) const;
  /** The column of a path; `*found` is false where there is none. corrupt. */
  Status find(std::string_view path, ColumnView* column, bool* found) const;

  /** Compares the checksums of all sections. corrupt, cancelled, file_changed. */
  Status verify(const std::atomic<bool>* cancel = nullptr) const;

  /**
   * Reads the whole file: compares the checksums, then checks that paths, values and postings ascend, that the forward
   * arrays state the same as the postings, and that every row is a possible value. corrupt with what is wrong,
   * cancelled, file_changed, out_of_memory.
   */
  Status validate(const std::atomic<bool>* cancel = nullptr) const;

  /** file_changed when the file was cut short since it was opened. */
  Status check_unchanged() const;

 private:
  const uint8_t* section(ColumnsSection section) const;
  uint64_t section_bytes(ColumnsSection section) const;
  ColumnHead head(uint32_t number) const;
  Status check_marks() const;

  ColumnsHeader header_ = {};
  const uint8_t* bytes_ = nullptr;
  const std::atomic<bool>* changed_ = nullptr;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_COLUMNS_COLUMNS_VIEW_H_
