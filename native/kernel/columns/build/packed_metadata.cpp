#include "columns/build/packed_metadata.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <numeric>

#include "base/status.h"
#include "columns/build/common_columns.h"
#include "columns/byte_reader.h"

namespace semantic_index {

namespace {

/** The fewest bytes of a path, of a value and of a row. */
constexpr size_t kLeastPathBytes = 4;
constexpr size_t kLeastValueBytes = 1;
constexpr size_t kLeastRowBytes = 2;

/** A value of a batch's dictionary, which comes in any order. */
struct PackedValue {
  ValueKind kind = ValueKind::null;
  double number = 0;
  std::string_view string;
};

bool is_below(const PackedValue& left, const PackedValue& right) {
  if (left.kind != right.kind) return left.kind < right.kind;
  return left.kind == ValueKind::string ? left.string < right.string : left.number < right.number;
}

}  // namespace

class PackedMetadataDecoder {
 public:
  PackedMetadataDecoder(const uint8_t* bytes, size_t size, PackedMetadata* packed)
      : reader_(bytes, size), packed_(*packed) {}

  Status run() {
    uint8_t version = 0;
    if (!reader_.byte(&version) || version != kPackedMetadataVersion) {
      return Status::failure(StatusCode::wrong_layout, "the packed metadata has another version");
    }
    Status status = decode_documents();
    uint32_t paths = 0;
    if (status.ok() && !reader_.count(kLeastPathBytes, UINT32_MAX, &paths)) {
      return corrupt("the packed metadata ends before its last path");
    }
    for (uint32_t path = 0; path < paths && status.ok(); ++path) status = decode_column();
    if (!status.ok()) return status;
    if (!reader_.is_at_end()) return corrupt("the packed metadata has bytes behind its last path");
    std::vector<ColumnContent>& columns = packed_.columns_;
    std::sort(columns.begin(), columns.end(),
              [](const ColumnContent& left, const ColumnContent& right) { return left.path < right.path; });
    for (size_t index = 1; index < columns.size(); ++index) {
      if (columns[index - 1].path == columns[index].path) return corrupt("the packed metadata has a path twice");
    }
    return status;
  }

 private:
  Status decode_documents() {
    uint32_t documents = 0;
    if (!reader_.count(1, kMaxColumnsItems, &documents)) return corrupt("the packed metadata ends in its documents");
    uint64_t key = 0;
    packed_.keys_.reserve(documents);
    for (uint32_t document = 0; document < documents; ++document) {
      uint64_t gap = 0;
      if (!reader_.varint(kMaxMetadataKey - key, &gap)) return corrupt("a key of the packed metadata is damaged");
      if (document > 0 && gap == 0) return corrupt("the keys of the packed metadata do not ascend");
      key += gap;
      packed_.keys_.push_back(key);
    }
    const Status status = decode_set(&packed_.opaque_);
    return status.ok() ? decode_set(&packed_.incomplete_) : status;
  }

  Status decode_set(std::vector<uint32_t>* set) {
    uint32_t count = 0;
    if (!reader_.count(1, packed_.keys_.size(), &count)) return corrupt("a set of the packed metadata is damaged");
    set->reserve(count);
    uint32_t document = 0;
    for (uint32_t index = 0; index < count; ++index) {
      uint64_t gap = 0;
      if (!next_document(&document, index == 0, &gap)) return corrupt("a set of the packed metadata is damaged");
      set->push_back(document);
    }
    return Status::success();
  }

  /** Reads the gap to the next document; the first one comes from 0. */
  bool next_document(uint32_t* document, bool is_first, uint64_t* gap) {
    return reader_.varint(UINT32_MAX, gap) && step(document, is_first, *gap);
  }

  bool step(uint32_t* document, bool is_first, uint64_t gap) const {
    const uint64_t next = (is_first ? 0 : *document) + gap;
    if ((!is_first && gap == 0) || next >= packed_.keys_.size()) return false;
    *document = static_cast<uint32_t>(next);
    return true;
  }

  Status decode_column() {
    ColumnContent column;
    if (!reader_.bytes(kMaxPathBytes, &column.path) || !is_path(column.path)) {
      return corrupt("a path of the packed metadata is damaged");
    }
    Status status = decode_values(&column);
    if (status.ok()) status = decode_rows(&column);
    if (status.ok() && !column.rows.empty()) packed_.columns_.push_back(std::move(column));
    return status;
  }

  Status decode_values(ColumnContent* column) {
    uint32_t count = 0;
    if (!reader_.count(kLeastValueBytes, UINT32_MAX, &count)) return corrupt("the packed values end early");
    values_.clear();
    for (uint32_t index = 0; index < count; ++index) {
      PackedValue value;
      if (!decode_value(&value)) return corrupt("a packed value is damaged");
      values_.push_back(value);
    }
    order_.resize(count);
    std::iota(order_.begin(), order_.end(), 0u);
    std::sort(order_.begin(), order_.end(),
              [this](uint32_t left, uint32_t right) { return is_below(values_[left], values_[right]); });
    ids_.resize(count);
    for (uint32_t id = 0; id < count; ++id) {
      const PackedValue& value = values_[order_[id]];
      if (id > 0 && !is_below(values_[order_[id - 1]], value)) return corrupt("a packed value comes twice");
      ids_[order_[id]] = id;
      append_value(value, &column->values);
    }
    return Status::success();
  }

  bool decode_value(PackedValue* value) {
    uint8_t kind = 0;
    if (!reader_.byte(&kind) || kind >= kValueKinds) return false;
    value->kind = static_cast<ValueKind>(kind);
    uint64_t size = 0;
    switch (value->kind) {
      case ValueKind::number:
        if (!reader_.number(&value->number)) return false;
        // One zero: JSON has no negative one.
        return std::isfinite(value->number) && !(value->number == 0 && std::signbit(value->number));
      case ValueKind::string:
        return reader_.bytes(kMaxColumnString, &value->string);
      case ValueKind::list:
        if (!reader_.varint(kMaxListElements, &size)) return false;
        value->number = static_cast<double>(size);
        return true;
      default:
        return true;
    }
  }

  static void append_value(const PackedValue& value, ColumnValues* values) {
    switch (value.kind) {
      case ValueKind::number:
        values->numbers.push_back(value.number);
        break;
      case ValueKind::string:
        values->strings.push_back(value.string);
        break;
      case ValueKind::list:
        values->lists.push_back(static_cast<uint32_t>(value.number));
        break;
      default:
        values->singles |= 1u << static_cast<uint32_t>(value.kind);
    }
  }

  Status decode_rows(ColumnContent* column) {
    uint32_t count = 0;
    if (!reader_.count(kLeastRowBytes, packed_.keys_.size(), &count)) return corrupt("the packed rows end early");
    column->rows.reserve(count);
    size_t next_opaque = 0;
    uint32_t document = 0;
    for (uint32_t index = 0; index < count; ++index) {
      uint64_t head = 0;
      if (!reader_.varint(uint64_t{UINT32_MAX} * 2 + 1, &head) || !step(&document, index == 0, head >> 1)) {
        return corrupt("a packed row is damaged");
      }
      while (next_opaque < packed_.opaque_.size() && packed_.opaque_[next_opaque] < document) ++next_opaque;
      if (next_opaque < packed_.opaque_.size() && packed_.opaque_[next_opaque] == document) {
        return corrupt("a packed row is of an opaque document");
      }
      uint32_t ids = 1;
      if ((head & 1) != 0 && !reader_.count(1, kMaxListElements + 1, &ids)) return corrupt("a packed row is damaged");
      const ColumnRow row = {document, column->ids.size(), column->ids.size() + ids};
      for (uint32_t place = 0; place < ids; ++place) {
        uint64_t value = 0;
        if (!reader_.varint(UINT32_MAX, &value) || value >= ids_.size()) return corrupt("a packed row is damaged");
        column->ids.push_back(ids_[value]);
      }
      std::sort(column->ids.begin() + static_cast<std::ptrdiff_t>(row.begin), column->ids.end());
      if (!is_value(*column, row)) return corrupt("a packed row is not a value");
      column->rows.push_back(row);
    }
    return Status::success();
  }

  /** One value, or the size of a list and its distinct elements. */
  static bool is_value(const ColumnContent& column, const ColumnRow& row) {
    const ValueCounts counts = column.values.counts();
    const IdRange lists = counts.range(ValueKind::list);
    const uint32_t scalars = counts.range(ValueKind::string).end;
    if (row.end - row.begin == 1) {
      const uint32_t id = column.ids[row.begin];
      return !lists.contains(id) || column.values.lists[id - lists.begin] == 0;
    }
    for (uint64_t place = row.begin; place + 1 < row.end; ++place) {
      if (column.ids[place] >= column.ids[place + 1] || column.ids[place] >= scalars) return false;
    }
    const uint32_t last = row.end > row.begin ? column.ids[row.end - 1] : 0;
    return row.end > row.begin && lists.contains(last) &&
           column.values.lists[last - lists.begin] >= row.end - row.begin - 1;
  }

  ByteReader reader_;
  PackedMetadata& packed_;
  std::vector<PackedValue> values_;
  std::vector<uint32_t> order_;
  /** The id of each packed value. */
  std::vector<uint32_t> ids_;
};

Status PackedMetadata::decode(const uint8_t* bytes, size_t size, PackedMetadata* packed) try {
  PackedMetadata result;
  const Status status = PackedMetadataDecoder(bytes, size, &result).run();
  if (status.ok()) *packed = std::move(result);
  return status;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status build_columns(const PackedMetadata& packed, MemoryBlock* file) try {
  ColumnsMarks marks;
  marks.items = packed.documents();
  for (const uint32_t item : packed.opaque()) mark_item(item, marks.items, &marks.opaque);
  for (const uint32_t item : packed.incomplete()) mark_item(item, marks.items, &marks.incomplete);
  std::vector<uint64_t> rows;
  for (const ColumnContent& column : packed.columns()) rows.push_back(column.rows.size());
  const std::vector<bool> is_common = choose_common(rows, kMaxColumns);
  std::vector<EncodedColumn> columns;
  for (size_t index = 0; index < packed.columns().size(); ++index) {
    const ColumnContent& column = packed.columns()[index];
    if (!is_common[index]) {
      for (const ColumnRow& row : column.rows) mark_item(row.item, marks.items, &marks.incomplete);
      continue;
    }
    columns.emplace_back();
    const Status status = encode_column(column, marks.items, &columns.back());
    if (!status.ok()) return status;
  }
  return assemble_columns(columns, marks, file);
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
