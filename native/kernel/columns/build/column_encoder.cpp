#include "columns/build/column_encoder.h"

#include <cstring>

#include "base/checksum.h"

namespace semantic_index {

namespace {

/** Numbers the values that occur: `ids[old]` is the new id; `ends[new]` is the number of entries up to its last. */
struct Renumbering {
  std::vector<uint32_t> ids;
  std::vector<uint64_t> ends;
};

Renumbering renumber(const ColumnContent& content) {
  Renumbering result;
  std::vector<uint64_t> counts(content.values.counts().values());
  for (const ColumnRow& row : content.rows) {
    for (uint64_t place = row.begin; place < row.end; ++place) ++counts[content.ids[place]];
  }
  result.ids.resize(counts.size());
  uint64_t total = 0;
  for (size_t id = 0; id < counts.size(); ++id) {
    result.ids[id] = static_cast<uint32_t>(result.ends.size());
    if (counts[id] == 0) continue;
    total += counts[id];
    result.ends.push_back(total);
  }
  return result;
}

/** Writes the arrays of values, and counts them in the head. */
class ColumnEncoder {
 public:
  ColumnEncoder(const ColumnContent& content, int32_t items, EncodedColumn* column)
      : content_(content), values_(content.values), items_(items), column_(column), head_(column->head) {}

  Status run() {
    numbering_ = renumber(content_);
    head_ = {};
    head_.path_bytes = static_cast<uint32_t>(content_.path.size());
    head_.rows = static_cast<uint32_t>(content_.rows.size());
    head_.entries = numbering_.ends.back();
    if (head_.entries > UINT32_MAX) {
      return Status::failure(StatusCode::invalid_argument, "expected less than 2^32 values of one column");
    }
    count_values();
    head_.flags = (content_.is_partial ? kColumnPartial : 0) | (head_.entries > head_.rows ? kColumnSeveral : 0);
    if (is_smaller_sparse(head_, items_)) head_.flags |= kColumnSparse;
    layout_ = column_layout(head_, items_);
    column_->path = content_.path;
    column_->data.assign(layout_.bytes, 0);
    write_values();
    write_postings();
    write_rows();
    return Status::success();
  }

 private:
  bool is_used(uint32_t id) const {
    const uint32_t next =
        id + 1 < numbering_.ids.size() ? numbering_.ids[id + 1] : static_cast<uint32_t>(numbering_.ends.size());
    return next > numbering_.ids[id];
  }

  /** Calls `body(index)` for each used value of a kind. */
  template <typename Body>
  void each_used(ValueKind kind, const Body& body) const {
    const IdRange range = values_.counts().range(kind);
    for (uint32_t id = range.begin; id < range.end; ++id) {
      if (is_used(id)) body(id - range.begin);
    }
  }

  void count_values() {
    for (uint32_t kind = 0; kind < kValueKinds; ++kind) {
      const auto value_kind = static_cast<ValueKind>(kind);
      if (!is_single(value_kind)) continue;
      each_used(value_kind, [this, kind](uint32_t) { head_.singles |= 1u << kind; });
    }
    each_used(ValueKind::number, [this](uint32_t) { ++head_.numbers; });
    each_used(ValueKind::list, [this](uint32_t) { ++head_.lists; });
    each_used(ValueKind::string, [this](uint32_t index) {
      ++head_.strings;
      head_.string_bytes += values_.strings[index].size();
    });
  }

  uint8_t* at(uint64_t offset) { return column_->data.data() + offset; }

  void write_values() {
    uint64_t place = layout_.numbers;
    each_used(ValueKind::number, [this, &place](uint32_t index) {
      std::memcpy(at(place), &values_.numbers[index], sizeof(double));
      place += sizeof(double);
    });
    place = layout_.lists;
    each_used(ValueKind::list, [this, &place](uint32_t index) {
      std::memcpy(at(place), &values_.lists[index], sizeof(uint32_t));
      place += sizeof(uint32_t);
    });
    std::vector<uint64_t> ends;
    uint64_t bytes = 0;
    each_used(ValueKind::string, [this, &ends, &bytes](uint32_t index) {
      const std::string_view string = values_.strings[index];
      if (!string.empty()) std::memcpy(at(layout_.strings + bytes), string.data(), string.size());
      bytes += string.size();
      ends.push_back(bytes);
    });
    write_packed(at(layout_.string_ends), ends.size(), layout_.string_end_width,
                 [&ends](uint64_t index) { return ends[index]; });
  }

  void write_postings() {
    const std::vector<uint64_t>& value_ends = numbering_.ends;
    write_packed(at(layout_.value_ends), value_ends.size(), layout_.entry_width,
                 [&value_ends](uint64_t index) { return value_ends[index]; });
    // By value, then by item: rows come by item.
    std::vector<uint32_t> postings(head_.entries);
    std::vector<uint64_t> next(value_ends.size());
    for (size_t id = 1; id < next.size(); ++id) next[id] = value_ends[id - 1];
    for (const ColumnRow& row : content_.rows) {
      for (uint64_t place = row.begin; place < row.end; ++place) {
        postings[next[numbering_.ids[content_.ids[place]]]++] = row.item;
      }
    }
    write_packed(at(layout_.postings), postings.size(), layout_.item_width,
                 [&postings](uint64_t index) { return postings[index]; });
  }

  void write_rows() {
    const bool is_sparse = (head_.flags & kColumnSparse) != 0;
    const bool has_several = (head_.flags & kColumnSeveral) != 0;
    const std::vector<ColumnRow>& rows = content_.rows;
    if (is_sparse) {
      write_packed(at(layout_.row_items), rows.size(), layout_.item_width,
                   [&rows](uint64_t index) { return rows[index].item; });
    }
    const uint32_t shift = is_sparse || has_several ? 0 : 1;
    std::vector<uint64_t> ends(layout_.units);
    std::vector<uint32_t> ids(has_several ? head_.entries : layout_.units);
    uint64_t entry = 0;
    uint32_t unit = 0;
    for (const ColumnRow& row : rows) {
      for (; !is_sparse && unit < row.item; ++unit) ends[unit] = entry;
      for (uint64_t place = row.begin; place < row.end; ++place) {
        ids[has_several ? entry : unit] = numbering_.ids[content_.ids[place]] + shift;
        ++entry;
      }
      ends[unit++] = entry;
    }
    for (; unit < layout_.units; ++unit) ends[unit] = entry;
    if (has_several) {
      write_packed(at(layout_.row_ends), ends.size(), layout_.row_end_width,
                   [&ends](uint64_t index) { return ends[index]; });
    }
    write_packed(at(layout_.row_ids), ids.size(), layout_.row_id_width, [&ids](uint64_t index) { return ids[index]; });
  }

  const ColumnContent& content_;
  const ColumnValues& values_;
  const int32_t items_;
  EncodedColumn* const column_;
  ColumnHead& head_;
  Renumbering numbering_;
  ColumnLayout layout_ = {};
};

uint32_t count_marks(const std::vector<uint32_t>& set) {
  uint32_t count = 0;
  for (uint32_t word : set) {
    for (; word != 0; word &= word - 1) ++count;
  }
  return count;
}

}  // namespace

Status encode_column(const ColumnContent& content, int32_t items, EncodedColumn* column) {
  return ColumnEncoder(content, items, column).run();
}

void mark_item(uint32_t item, int32_t items, std::vector<uint32_t>* set) {
  set->resize(static_cast<size_t>(item_words(items)));
  (*set)[item / 32] |= 1u << (item % 32);
}

Status assemble_columns(const std::vector<EncodedColumn>& columns, const ColumnsMarks& marks, MemoryBlock* file) {
  ColumnsHeader header = {};
  header.items = marks.items;
  header.columns = static_cast<uint32_t>(columns.size());
  header.opaque = count_marks(marks.opaque);
  header.incomplete = count_marks(marks.incomplete);
  header.source = marks.source;
  std::vector<ColumnHead> heads;
  uint64_t path_bytes = 0;
  uint64_t data_bytes = 0;
  for (const EncodedColumn& column : columns) {
    heads.push_back(column.head);
    heads.back().path = path_bytes;
    heads.back().data = data_bytes;
    // A file without incomplete documents has no partial columns.
    if (header.incomplete == 0) heads.back().flags &= ~kColumnPartial;
    path_bytes += column.path.size();
    data_bytes += column.data.size();
  }
  const auto section = [&header](ColumnsSection part) -> SectionRange& {
    return header.sections[static_cast<size_t>(part)];
  };
  const int64_t set_bytes = item_words(marks.items) * 4;
  section(ColumnsSection::marks).bytes = ((header.opaque > 0 ? 1 : 0) + (header.incomplete > 0 ? 1 : 0)) * set_bytes;
  section(ColumnsSection::heads).bytes = static_cast<int64_t>(heads.size() * sizeof(ColumnHead));
  section(ColumnsSection::paths).bytes = static_cast<int64_t>(path_bytes);
  section(ColumnsSection::data).bytes = static_cast<int64_t>(data_bytes);
  SectionedHeader sections(&header);
  sections.place(kColumnsFormat);
  if (!file->resize(0) || !file->resize(static_cast<size_t>(sections.file_bytes()))) return Status::no_memory();
  uint8_t* at = file->data() + section(ColumnsSection::marks).offset;
  for (const std::vector<uint32_t>* set : {&marks.opaque, &marks.incomplete}) {
    if (count_marks(*set) == 0) continue;
    std::memcpy(at, set->data(), static_cast<size_t>(set_bytes));
    at += set_bytes;
  }
  if (!heads.empty()) {
    std::memcpy(file->data() + section(ColumnsSection::heads).offset, heads.data(), heads.size() * sizeof(ColumnHead));
  }
  for (size_t index = 0; index < columns.size(); ++index) {
    std::memcpy(file->data() + section(ColumnsSection::paths).offset + heads[index].path, columns[index].path.data(),
                columns[index].path.size());
    if (columns[index].data.empty()) continue;
    std::memcpy(file->data() + section(ColumnsSection::data).offset + heads[index].data, columns[index].data.data(),
                columns[index].data.size());
  }
  sections.sum_sections(file->data());
  sections.write(file->data());
  return Status::success();
}

}  // namespace semantic_index
