#include "columns/columns_view.h"

#include <cstring>

#include "base/status.h"

namespace semantic_index {

double ColumnView::number(uint32_t index) const {
  double number;
  std::memcpy(&number, data_ + layout_.numbers + size_t{8} * index, sizeof number);
  return number;
}

uint32_t ColumnView::list_size(uint32_t index) const {
  uint32_t size;
  std::memcpy(&size, data_ + layout_.lists + size_t{4} * index, sizeof size);
  return size;
}

bool ColumnView::string(uint32_t index, std::string_view* string) const {
  const uint64_t begin = index == 0 ? 0 : string_ends_[index - 1];
  const uint64_t end = string_ends_[index];
  if (begin > end || end > head_.string_bytes) return false;
  *string = {reinterpret_cast<const char*>(data_ + layout_.strings + begin), static_cast<size_t>(end - begin)};
  return true;
}

bool ColumnView::entries_of(IdRange ids, uint64_t* begin, uint64_t* end) const {
  *begin = ids.begin == 0 ? 0 : value_ends_[ids.begin - 1];
  *end = ids.end == ids.begin ? *begin : value_ends_[ids.end - 1];
  return *begin <= *end && *end <= head_.entries;
}

bool ColumnView::row(uint32_t unit, ColumnRow* row) const {
  row->item = (head_.flags & kColumnSparse) != 0 ? static_cast<uint32_t>(row_items_[unit]) : unit;
  if (has_several()) {
    row->begin = unit == 0 ? 0 : row_ends_[unit - 1];
    row->end = row_ends_[unit];
    return row->begin <= row->end && row->end <= head_.entries;
  }
  row->begin = unit;
  row->end = is_shifted_ && row_ids_[unit] == 0 ? uint64_t{unit} : uint64_t{unit} + 1;
  return true;
}

Status ColumnsView::open(const uint8_t* bytes, int64_t size, ColumnsView* view, const std::atomic<bool>* changed) {
  ColumnsView result;
  const Status status = check_columns_header(bytes, size, &result.header_);
  if (!status.ok()) return status;
  result.bytes_ = bytes;
  result.changed_ = changed;
  *view = result;
  return view->check_unchanged();
}

const uint8_t* ColumnsView::section(ColumnsSection section) const {
  return bytes_ + header_.sections[static_cast<size_t>(section)].offset;
}

uint64_t ColumnsView::section_bytes(ColumnsSection section) const {
  return static_cast<uint64_t>(header_.sections[static_cast<size_t>(section)].bytes);
}

ItemBits ColumnsView::opaque() const {
  if (header_.opaque == 0) return {};
  return {reinterpret_cast<const uint32_t*>(section(ColumnsSection::marks)), item_words(header_.items)};
}

ItemBits ColumnsView::incomplete() const {
  if (header_.incomplete == 0) return {};
  const int64_t words = item_words(header_.items);
  const auto* const marks = reinterpret_cast<const uint32_t*>(section(ColumnsSection::marks));
  return {marks + (header_.opaque > 0 ? words : 0), words};
}

ColumnHead ColumnsView::head(uint32_t number) const {
  ColumnHead head;
  std::memcpy(&head, section(ColumnsSection::heads) + size_t{number} * sizeof head, sizeof head);
  return head;
}

Status ColumnsView::column(uint32_t number, ColumnView* column) const {
  column->head_ = head(number);
  const ColumnHead& head = column->head_;
  const Status status =
      check_column_head(head, header_.items, section_bytes(ColumnsSection::paths), section_bytes(ColumnsSection::data));
  if (!status.ok()) return status;
  column->path_ = {reinterpret_cast<const char*>(section(ColumnsSection::paths) + head.path), head.path_bytes};
  const ColumnLayout& layout = column->layout_ = column_layout(head, header_.items);
  column->counts_ = head.counts();
  column->values_ = column->counts_.values();
  column->is_shifted_ = (head.flags & (kColumnSparse | kColumnSeveral)) == 0;
  const uint8_t* const data = column->data_ = section(ColumnsSection::data) + head.data;
  column->string_ends_ = PackedArray(data + layout.string_ends, layout.string_end_width);
  column->value_ends_ = PackedArray(data + layout.value_ends, layout.entry_width);
  column->postings_ = PackedArray(data + layout.postings, layout.item_width);
  column->row_items_ = PackedArray(data + layout.row_items, layout.item_width);
  column->row_ends_ = PackedArray(data + layout.row_ends, layout.row_end_width);
  column->row_ids_ = PackedArray(data + layout.row_ids, layout.row_id_width);
  return status;
}

Status ColumnsView::find(std::string_view path, ColumnView* column, bool* found) const {
  *found = false;
  uint32_t below = 0;
  uint32_t above = header_.columns;
  while (below < above) {
    const uint32_t middle = below + (above - below) / 2;
    const ColumnHead candidate = head(middle);
    const uint64_t paths = section_bytes(ColumnsSection::paths);
    if (candidate.path > paths || candidate.path_bytes > paths - candidate.path) {
      return corrupt("the path of a column lies outside its section");
    }
    const std::string_view other = {reinterpret_cast<const char*>(section(ColumnsSection::paths) + candidate.path),
                                    candidate.path_bytes};
    const int order = path.compare(other);
    if (order == 0) {
      *found = true;
      return this->column(middle, column);
    }
    if (order < 0) {
      above = middle;
    } else {
      below = middle + 1;
    }
  }
  return Status::success();
}

Status ColumnsView::check_unchanged() const {
  if (changed_ == nullptr || !changed_->load(std::memory_order_acquire)) return Status::success();
  return Status::failure(StatusCode::file_changed, "the columns file was cut short while it was in use");
}

}  // namespace semantic_index
