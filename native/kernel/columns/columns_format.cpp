#include "columns/columns_format.h"

#include "base/status.h"
#include "columns/packed_array.h"

namespace semantic_index {

namespace {

constexpr const char* kSectionNames[kColumnsSections] = {"marks", "heads", "paths", "data"};

uint64_t rounded(uint64_t bytes) { return (bytes + 7) / 8 * 8; }

uint32_t width_below(uint64_t count) { return packed_width(count == 0 ? 0 : count - 1); }

}  // namespace

const SectionedFormat kColumnsFormat = {{'S', 'I', 'C', 'O', 'L', 'S', '\r', '\n'}, 1, "columns file", kSectionNames};

bool is_path(std::string_view path) {
  if (path.size() > kMaxPathBytes) return false;
  uint32_t steps = 0;
  for (size_t at = 0; at < path.size(); ++steps) {
    size_t size = static_cast<uint8_t>(path[at++]);
    if (size >= 0x80) {
      if (at == path.size()) return false;
      const size_t high = static_cast<uint8_t>(path[at++]);
      if (high == 0 || high >= 0x80) return false;
      size = (size & 0x7f) | high << 7;
    }
    if (size > path.size() - at) return false;
    at += size;
  }
  return steps >= 1 && steps <= kMaxPathSteps;
}

ColumnLayout column_layout(const ColumnHead& head, int32_t items) {
  ColumnLayout layout = {};
  const uint32_t values = head.counts().values();
  const bool is_sparse = (head.flags & kColumnSparse) != 0;
  const bool has_several = (head.flags & kColumnSeveral) != 0;
  layout.string_end_width = packed_width(head.string_bytes);
  layout.entry_width = packed_width(head.entries);
  layout.item_width = width_below(static_cast<uint64_t>(items));
  layout.units = is_sparse ? head.rows : static_cast<uint32_t>(items);
  layout.row_end_width = has_several ? layout.entry_width : 0;
  // By item and without several values, 0 stands for none and id + 1 for a value.
  layout.row_id_width = is_sparse || has_several ? width_below(values) : packed_width(values);
  uint64_t at = 0;
  const auto place = [&at](uint64_t bytes) {
    const uint64_t begin = at;
    at += bytes;
    return begin;
  };
  layout.numbers = place(uint64_t{8} * head.numbers);
  layout.lists = place(rounded(uint64_t{4} * head.lists));
  layout.string_ends = place(packed_array_bytes(head.strings, layout.string_end_width));
  layout.strings = place(rounded(head.string_bytes));
  layout.value_ends = place(packed_array_bytes(values, layout.entry_width));
  layout.postings = place(packed_array_bytes(head.entries, layout.item_width));
  layout.row_items = place(is_sparse ? packed_array_bytes(head.rows, layout.item_width) : 0);
  layout.row_ends = place(packed_array_bytes(layout.units, layout.row_end_width));
  layout.row_ids = place(packed_array_bytes(has_several ? head.entries : layout.units, layout.row_id_width));
  layout.bytes = at;
  return layout;
}

bool is_smaller_sparse(const ColumnHead& head, int32_t items) {
  ColumnHead by_item = head;
  by_item.flags &= ~kColumnSparse;
  ColumnHead by_row = head;
  by_row.flags |= kColumnSparse;
  return column_layout(by_row, items).bytes < column_layout(by_item, items).bytes;
}

Status check_column_head(const ColumnHead& head, int32_t items, uint64_t paths_bytes, uint64_t data_bytes) {
  constexpr uint32_t kSingles =
      1u << static_cast<uint32_t>(ValueKind::null) | 1u << static_cast<uint32_t>(ValueKind::no) |
      1u << static_cast<uint32_t>(ValueKind::yes) | 1u << static_cast<uint32_t>(ValueKind::object) |
      1u << static_cast<uint32_t>(ValueKind::long_string) | 1u << static_cast<uint32_t>(ValueKind::opaque);
  if (head.path > paths_bytes || head.path_bytes > paths_bytes - head.path) {
    return corrupt("the path of a column lies outside its section");
  }
  if ((head.singles & ~kSingles) != 0 || head.flags > 7 || head.reserved != 0) {
    return corrupt("the head of a column has unknown bits");
  }
  const uint64_t values = uint64_t{6} + head.numbers + head.strings + head.lists;
  if (values > UINT32_MAX || head.lists > kMaxListElements + 1 ||
      head.string_bytes > uint64_t{head.strings} * kMaxColumnString) {
    return corrupt("the counts of a column are impossible");
  }
  // Every value and every row has an entry, and an item has less than 2^11 of them.
  const auto documents = static_cast<uint64_t>(items);
  if (head.rows == 0 || head.rows > documents || head.entries > UINT32_MAX || head.entries < head.rows ||
      head.entries > documents * (kMaxListElements + 1) || head.counts().values() > head.entries ||
      ((head.flags & kColumnSeveral) != 0) != (head.entries > head.rows)) {
    return corrupt("the counts of a column are impossible");
  }
  if (head.data % 8 != 0 || head.data > data_bytes || column_layout(head, items).bytes > data_bytes - head.data) {
    return corrupt("a column lies outside its section");
  }
  return Status::success();
}

Status check_columns_header(const uint8_t* bytes, int64_t size, ColumnsHeader* header) {
  SectionedHeader sections(header);
  Status status = sections.read(kColumnsFormat, bytes, size);
  if (!status.ok()) return status;
  // The checksum finds accidents; the rest also refuses headers that were made to deceive.
  const auto items = static_cast<uint32_t>(header->items);
  if (header->items < 0 || header->items > kMaxColumnsItems || header->columns > kMaxColumns ||
      header->opaque > items || header->incomplete > items || header->reserved != 0) {
    return corrupt("the counts of the columns file are impossible");
  }
  status = sections.check_places(kColumnsFormat, size);
  if (!status.ok()) return status;
  const auto bytes_of = [header](ColumnsSection part) { return header->sections[static_cast<size_t>(part)].bytes; };
  const int64_t sets = (header->opaque > 0 ? 1 : 0) + (header->incomplete > 0 ? 1 : 0);
  if (bytes_of(ColumnsSection::marks) != sets * item_words(header->items) * 4 ||
      bytes_of(ColumnsSection::heads) != static_cast<int64_t>(header->columns * sizeof(ColumnHead))) {
    return corrupt("the sections of the columns file do not have the sizes that its counts ask for");
  }
  return Status::success();
}

}  // namespace semantic_index
