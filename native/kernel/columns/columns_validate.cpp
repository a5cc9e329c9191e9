#include <cmath>
#include <new>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "columns/columns_view.h"

namespace semantic_index {

namespace {

/** Entries between two looks at the cancel flag. */
constexpr uint64_t kEntriesPerCheck = 1 << 16;

uint64_t count_bits(ItemBits set, int32_t items, bool* is_inside) {
  uint64_t count = 0;
  for (int64_t word = 0; word < set.words; ++word) {
    for (uint32_t rest = set.bits[word]; rest != 0; rest &= rest - 1) ++count;
  }
  const uint32_t used = static_cast<uint32_t>(items) % 32;
  *is_inside = set.words == 0 || used == 0 || set.bits[set.words - 1] >> used == 0;
  return count;
}

/** Checks one column against itself. */
class ColumnCheck {
 public:
  ColumnCheck(const ColumnView& column, const ColumnsView& file, const std::atomic<bool>* cancel)
      : column_(column), items_(static_cast<uint32_t>(file.items())), opaque_(file.opaque()), cancel_(cancel) {}

  Status run() {
    if (!is_path(column_.path())) return corrupt("the path of a column is damaged");
    const bool is_sparse = (column_.head().flags & kColumnSparse) != 0;
    if (is_sparse != is_smaller_sparse(column_.head(), static_cast<int32_t>(items_))) {
      return corrupt("a column has the larger of two layouts");
    }
    Status status = check_values();
    if (status.ok()) status = check_postings();
    return status.ok() ? check_rows() : status;
  }

 private:
  Status check_values() const {
    for (uint32_t index = 0; index < column_.counts().numbers; ++index) {
      const double number = column_.number(index);
      if (!std::isfinite(number) || (number == 0 && std::signbit(number)) ||
          (index > 0 && !(column_.number(index - 1) < number))) {
        return corrupt("the numbers of a column do not ascend");
      }
    }
    for (uint32_t index = 0; index < column_.counts().lists; ++index) {
      const uint32_t size = column_.list_size(index);
      if (size > kMaxListElements || (index > 0 && column_.list_size(index - 1) >= size)) {
        return corrupt("the sizes of lists of a column do not ascend");
      }
    }
    std::string_view previous;
    uint64_t bytes = 0;
    for (uint32_t index = 0; index < column_.counts().strings; ++index) {
      std::string_view string;
      if (!column_.string(index, &string) || string.size() > kMaxColumnString || (index > 0 && previous >= string)) {
        return corrupt("the strings of a column do not ascend");
      }
      previous = string;
      bytes += string.size();
    }
    return bytes == column_.head().string_bytes ? Status::success() : corrupt("a column has bytes behind its strings");
  }

  Status check_postings() {
    uint64_t expected = 0;
    for (uint32_t id = 0; id < column_.values(); ++id) {
      uint64_t begin = 0;
      uint64_t end = 0;
      if (!column_.entries_of({id, id + 1}, &begin, &end) || begin != expected || begin == end) {
        return corrupt("the ends of the values of a column do not ascend");
      }
      for (uint64_t entry = begin; entry < end; ++entry) {
        if (entry % kEntriesPerCheck == 0 && is_raised(cancel_)) return cancelled();
        if (column_.posting(entry) >= items_ ||
            (entry > begin && column_.posting(entry - 1) >= column_.posting(entry))) {
          return corrupt("the postings of a column do not ascend");
        }
      }
      cursors_.push_back(begin);
      expected = end;
    }
    return expected == column_.head().entries ? Status::success()
                                              : corrupt("a column has entries behind its last value");
  }

  Status check_rows() {
    uint32_t rows = 0;
    uint64_t place = 0;
    for (uint32_t unit = 0; unit < column_.units(); ++unit) {
      if (unit % kEntriesPerCheck == 0 && is_raised(cancel_)) return cancelled();
      ColumnRow row;
      if (!column_.row(unit, &row)) return corrupt("the rows of a column do not ascend");
      if (column_.has_several() && row.begin != place) return corrupt("the rows of a column do not ascend");
      place = row.end;
      if (row.begin == row.end) continue;
      ++rows;
      const Status status = check_row(row);
      if (!status.ok()) return status;
    }
    if (rows != column_.head().rows) return corrupt("a column has another number of rows than its head states");
    for (uint32_t id = 0; id < column_.values(); ++id) {
      uint64_t begin = 0;
      uint64_t end = 0;
      static_cast<void>(column_.entries_of({id, id + 1}, &begin, &end));
      if (cursors_[id] != end) return corrupt("the rows of a column lack an entry");
    }
    return Status::success();
  }

  /** Every id has the item as its next posting, and the ids together are one value. */
  Status check_row(const ColumnRow& row) {
    uint32_t elements = 0;
    uint32_t others = 0;
    uint32_t list = UINT32_MAX;
    uint32_t previous = 0;
    if (opaque_.contains(row.item)) return corrupt("a column has a row of an opaque document");
    for (uint64_t place = row.begin; place < row.end; ++place) {
      const uint32_t id = column_.row_id(place);
      if (id >= column_.values() || (place > row.begin && id <= previous)) {
        return corrupt("the ids of a row do not ascend");
      }
      previous = id;
      uint64_t begin = 0;
      uint64_t end = 0;
      static_cast<void>(column_.entries_of({id, id + 1}, &begin, &end));
      if (cursors_[id] >= end || column_.posting(cursors_[id]) != row.item) {
        return corrupt("the rows of a column do not fit to its postings");
      }
      ++cursors_[id];
      const ValueKind kind = column_.counts().kind_of(id);
      if (kind == ValueKind::list && list == UINT32_MAX) {
        list = column_.list_size(id - column_.counts().range(kind).begin);
      } else if (is_scalar(kind)) {
        ++elements;
      } else {
        ++others;
      }
    }
    const bool is_possible =
        list != UINT32_MAX ? others == 0 && elements <= list && (elements > 0) == (list > 0) : elements + others == 1;
    return is_possible ? Status::success() : corrupt("a row of a column is not a value");
  }

  const ColumnView& column_;
  const uint32_t items_;
  const ItemBits opaque_;
  const std::atomic<bool>* const cancel_;
  std::vector<uint64_t> cursors_;
};

}  // namespace

Status ColumnsView::check_marks() const {
  bool is_inside = true;
  bool are_inside = true;
  const ItemBits opaque_items = opaque();
  const ItemBits incomplete_items = incomplete();
  if (count_bits(opaque_items, header_.items, &is_inside) != header_.opaque || !is_inside ||
      count_bits(incomplete_items, header_.items, &are_inside) != header_.incomplete || !are_inside) {
    return corrupt("a set of documents does not have the size that the header states");
  }
  return Status::success();
}

Status ColumnsView::verify(const std::atomic<bool>* cancel) const try {
  const Status status =
      verify_sections(kColumnsFormat, bytes_, sizeof header_, header_.sections, kColumnsSections, cancel);
  const Status changed = check_unchanged();
  return changed.ok() ? status : changed;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status ColumnsView::validate(const std::atomic<bool>* cancel) const try {
  Status status = verify(cancel);
  if (status.ok()) status = check_marks();
  uint64_t paths = 0;
  uint64_t data = 0;
  std::string_view previous;
  for (uint32_t number = 0; number < header_.columns && status.ok(); ++number) {
    ColumnView column;
    status = this->column(number, &column);
    if (!status.ok()) break;
    if (column.head().path != paths || column.head().data != data || (number > 0 && previous >= column.path())) {
      return corrupt("the columns do not follow each other");
    }
    previous = column.path();
    paths += column.head().path_bytes;
    data += column_layout(column.head(), header_.items).bytes;
    status = ColumnCheck(column, *this, cancel).run();
  }
  if (status.ok() && (paths != section_bytes(ColumnsSection::paths) || data != section_bytes(ColumnsSection::data))) {
    return corrupt("the file has bytes behind its last column");
  }
  const Status changed = check_unchanged();
  return changed.ok() ? status : changed;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
