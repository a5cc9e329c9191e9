#include "columns/layers/column_rows.h"

#include <cstring>
#include <new>

#include "base/cancel.h"
#include "base/status.h"

namespace semantic_index {

namespace {

constexpr uint32_t kRowsBetweenChecks = 1 << 14;

/** The ids of an item: a run of those that were read. */
struct Run {
  uint32_t begin = 0;
  uint32_t size = 0;
};

class RowsReader {
 public:
  RowsReader(const ColumnsSnapshot& snapshot, std::string_view path, ColumnRows* rows, const std::atomic<bool>* cancel)
      : path_(path), rows_(*rows), cancel_(cancel), runs_(snapshot.items) {}

  /** Item i of the image is item `first` + i of the part, or `items[i]` where there are such numbers. */
  Status read(const ColumnsView& view, uint32_t first, const uint32_t* items) {
    first_ = first;
    items_ = items;
    const auto count = static_cast<uint32_t>(view.items());
    if (items != nullptr) {
      for (uint32_t item = 0; item < count; ++item) {
        runs_[items[item]] = {};
        if (!rows_.unknown.empty()) rows_.unknown[items[item] / 32] &= ~(1u << (items[item] % 32));
      }
    }
    ColumnView column;
    bool found = false;
    Status status = view.find(path_, &column, &found);
    if (status.ok() && found) status = read_column(column, count);
    if (status.ok()) mark_unknown(view, !found || column.is_partial());
    return status.ok() ? view.check_unchanged() : status;
  }

  void finish() {
    rows_.ends.resize(runs_.size());
    rows_.ids.reserve(pool_.size());
    for (size_t item = 0; item < runs_.size(); ++item) {
      const Run run = runs_[item];
      rows_.ids.insert(rows_.ids.end(), pool_.begin() + run.begin, pool_.begin() + run.begin + run.size);
      rows_.ends[item] = static_cast<uint32_t>(rows_.ids.size());
    }
  }

 private:
  uint32_t number_of(uint32_t item) const { return items_ == nullptr ? first_ + item : items_[item]; }

  Status read_column(const ColumnView& column, uint32_t items) {
    const uint32_t first_id = rows_.value_count;
    if (pool_.size() + column.head().entries > UINT32_MAX || column.values() > UINT32_MAX - first_id) {
      return Status::failure(StatusCode::invalid_argument, "a column has too many values");
    }
    Status status = add_values(column);
    for (uint32_t unit = 0; unit < column.units() && status.ok(); ++unit) {
      if (unit % kRowsBetweenChecks == 0 && is_cancelled()) return cancelled();
      ColumnRow row;
      if (!column.row(unit, &row)) return corrupt("the ends of the rows of a column do not ascend");
      if (row.item >= items) return corrupt("the rows of a column lie beyond the documents");
      Run run;
      run.begin = static_cast<uint32_t>(pool_.size());
      for (uint64_t place = row.begin; place < row.end; ++place) {
        const uint32_t id = column.row_id(place);
        if (id >= column.values()) return corrupt("a row of a column has a value that does not exist");
        pool_.push_back(first_id + id);
      }
      run.size = static_cast<uint32_t>(pool_.size()) - run.begin;
      if (run.size > 0) runs_[number_of(row.item)] = run;
    }
    return status;
  }

  /** Appends the values of a column in the order of their ids. */
  Status add_values(const ColumnView& column) {
    const ValueCounts& counts = column.counts();
    for (uint32_t number = 0; number < kValueKinds; ++number) {
      const auto kind = static_cast<ValueKind>(number);
      for (uint32_t index = 0; index < counts.of(kind); ++index) {
        if (index % kRowsBetweenChecks == 0 && is_cancelled()) return cancelled();
        rows_.values.push_back(static_cast<uint8_t>(number));
        if (kind == ValueKind::number) {
          const double value = column.number(index);
          append(&value, sizeof value);
        } else if (kind == ValueKind::string) {
          std::string_view text;
          if (!column.string(index, &text)) return corrupt("the ends of the strings of a column do not ascend");
          const auto size = static_cast<uint32_t>(text.size());
          append(&size, sizeof size);
          append(text.data(), text.size());
        }
      }
    }
    rows_.value_count += column.values();
    return Status::success();
  }

  void append(const void* bytes, size_t size) {
    const auto* const from = static_cast<const uint8_t*>(bytes);
    rows_.values.insert(rows_.values.end(), from, from + size);
  }

  /** Documents that no column describes, and incomplete ones without a value where they may have one. */
  void mark_unknown(const ColumnsView& view, bool may_lack) {
    mark(view.opaque(), view, false);
    if (may_lack) mark(view.incomplete(), view, true);
  }

  void mark(ItemBits set, const ColumnsView& view, bool only_empty) {
    for (int64_t word = 0; word < set.words; ++word) {
      for (uint32_t bits = set.bits[word], bit = 0; bits != 0; bits >>= 1, ++bit) {
        const auto item = static_cast<uint32_t>(word * 32 + bit);
        if ((bits & 1) == 0 || item >= static_cast<uint32_t>(view.items())) continue;
        const uint32_t number = number_of(item);
        if (only_empty && runs_[number].size > 0) continue;
        if (rows_.unknown.empty()) rows_.unknown.assign((runs_.size() + 31) / 32, 0);
        rows_.unknown[number / 32] |= 1u << (number % 32);
      }
    }
  }

  bool is_cancelled() const { return is_raised(cancel_); }

  std::string_view path_;
  ColumnRows& rows_;
  const std::atomic<bool>* cancel_;
  std::vector<Run> runs_;
  std::vector<uint32_t> pool_;
  uint32_t first_ = 0;
  const uint32_t* items_ = nullptr;
};

}  // namespace

Status read_column_rows(const ColumnsSnapshot& snapshot, std::string_view path, ColumnRows* rows,
                        const std::atomic<bool>* cancel) try {
  *rows = ColumnRows();
  RowsReader reader(snapshot, path, rows, cancel);
  for (const ColumnsLayer& layer : snapshot.layers) {
    const Status status = reader.read(layer.image->view, layer.first, nullptr);
    if (!status.ok()) return status;
  }
  for (const ColumnsPatch& patch : snapshot.patches) {
    const Status status = reader.read(patch.image->view, 0, patch.items->data());
    if (!status.ok()) return status;
  }
  reader.finish();
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
