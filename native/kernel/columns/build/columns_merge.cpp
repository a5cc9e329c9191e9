#include "columns/build/columns_merge.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <memory>
#include <new>

#include "base/cancel.h"
#include "base/parallel_blocks.h"
#include "base/status.h"
#include "columns/build/column_encoder.h"
#include "columns/build/common_columns.h"

namespace semantic_index {

namespace {

constexpr uint32_t kUnitsPerCheck = 1 << 16;

/** A column of the merged file: its number in each source, or kNoItem. */
struct MergedColumn {
  std::string_view path;
  std::vector<uint32_t> numbers;
};

/** The union of sorted runs. */
template <typename Value>
std::vector<Value> unite(std::vector<std::vector<Value>> runs) {
  while (runs.size() > 1) {
    std::vector<std::vector<Value>> halved;
    for (size_t index = 0; index + 1 < runs.size(); index += 2) {
      halved.emplace_back();
      std::set_union(runs[index].begin(), runs[index].end(), runs[index + 1].begin(), runs[index + 1].end(),
                     std::back_inserter(halved.back()));
    }
    if (runs.size() % 2 == 1) halved.push_back(std::move(runs.back()));
    runs = std::move(halved);
  }
  return runs.empty() ? std::vector<Value>() : std::move(runs.front());
}

/** Sets the new ids of the values of one kind: those of `run`, which are all in `all`, have the old ids from `old` on.
 */
template <typename Value>
void rename(const std::vector<Value>& run, const std::vector<Value>& all, uint32_t old, uint32_t begin,
            std::vector<uint32_t>* ids) {
  size_t place = 0;
  for (size_t index = 0; index < run.size(); ++index) {
    while (all[place] < run[index]) ++place;
    (*ids)[old + index] = begin + static_cast<uint32_t>(place);
  }
}

/** Merges one column of all sources. */
class ColumnMerge {
 public:
  ColumnMerge(const std::vector<ColumnsSource>& sources, const MergedColumn& column, int32_t items,
              const std::atomic<bool>* cancel)
      : sources_(sources), column_(column), items_(items), cancel_(cancel) {}

  /** The encoded column has no rows when no item of the merged file has the path. */
  Status run(EncodedColumn* encoded) {
    content_.path = column_.path;
    views_.resize(sources_.size());
    Status status = Status::success();
    for (size_t source = 0; source < sources_.size() && status.ok(); ++source) {
      const ColumnsView& view = *sources_[source].view;
      if (column_.numbers[source] == kNoItem) {
        content_.is_partial |= view.header().incomplete > 0;
        continue;
      }
      status = view.column(column_.numbers[source], &views_[source]);
      if (!status.ok()) return status;
      content_.is_partial |= views_[source].is_partial();
      status = read_values(source);
    }
    if (!status.ok()) return status;
    unite_values();
    for (size_t source = 0; source < sources_.size() && status.ok(); ++source) {
      if (column_.numbers[source] != kNoItem) status = read_rows(source);
    }
    if (!status.ok() || content_.rows.empty()) return status;
    const auto is_before = [](const ColumnRow& left, const ColumnRow& right) { return left.item < right.item; };
    // Rows of replaced metadata lie between those of other sources.
    if (!std::is_sorted(content_.rows.begin(), content_.rows.end(), is_before)) {
      std::sort(content_.rows.begin(), content_.rows.end(), is_before);
    }
    for (size_t index = 1; index < content_.rows.size(); ++index) {
      if (content_.rows[index - 1].item == content_.rows[index].item) return corrupt("a column has an item twice");
    }
    return encode_column(content_, items_, encoded);
  }

 private:
  Status read_values(size_t source) {
    const ColumnView& view = views_[source];
    content_.values.singles |= view.head().singles;
    numbers_.emplace_back();
    lists_.emplace_back();
    strings_.emplace_back();
    for (uint32_t index = 0; index < view.counts().numbers; ++index) {
      const double number = view.number(index);
      if (!std::isfinite(number) || (index > 0 && !(numbers_.back().back() < number))) {
        return corrupt("the numbers of a column do not ascend");
      }
      numbers_.back().push_back(number);
    }
    for (uint32_t index = 0; index < view.counts().lists; ++index) {
      const uint32_t size = view.list_size(index);
      if (size > kMaxListElements || (index > 0 && lists_.back().back() >= size)) {
        return corrupt("the sizes of lists of a column do not ascend");
      }
      lists_.back().push_back(size);
    }
    for (uint32_t index = 0; index < view.counts().strings; ++index) {
      std::string_view string;
      if (!view.string(index, &string) || string.size() > kMaxColumnString ||
          (index > 0 && !(strings_.back().back() < string))) {
        return corrupt("the strings of a column do not ascend");
      }
      strings_.back().push_back(string);
    }
    return Status::success();
  }

  void unite_values() {
    content_.values.numbers = unite(numbers_);
    content_.values.lists = unite(lists_);
    content_.values.strings = unite(strings_);
    const ValueCounts counts = content_.values.counts();
    size_t run = 0;
    ids_.resize(sources_.size());
    for (size_t source = 0; source < sources_.size(); ++source) {
      if (column_.numbers[source] == kNoItem) continue;
      const ValueCounts& before = views_[source].counts();
      std::vector<uint32_t>& ids = ids_[source];
      ids.resize(before.values());
      for (uint32_t kind = 0; kind < kValueKinds; ++kind) {
        const auto value_kind = static_cast<ValueKind>(kind);
        if (is_single(value_kind) && before.of(value_kind) > 0) {
          ids[before.range(value_kind).begin] = counts.range(value_kind).begin;
        }
      }
      const auto begins = [&before, &counts](ValueKind kind) {
        return std::pair<uint32_t, uint32_t>(before.range(kind).begin, counts.range(kind).begin);
      };
      const auto numbers = begins(ValueKind::number);
      const auto lists = begins(ValueKind::list);
      const auto strings = begins(ValueKind::string);
      rename(numbers_[run], content_.values.numbers, numbers.first, numbers.second, &ids);
      rename(lists_[run], content_.values.lists, lists.first, lists.second, &ids);
      rename(strings_[run], content_.values.strings, strings.first, strings.second, &ids);
      ++run;
    }
  }

  Status read_rows(size_t source) {
    const ColumnView& view = views_[source];
    const uint32_t* const items = sources_[source].items;
    const auto documents = static_cast<uint32_t>(sources_[source].view->items());
    const std::vector<uint32_t>& ids = ids_[source];
    for (uint32_t unit = 0; unit < view.units(); ++unit) {
      if (unit % kUnitsPerCheck == 0 && is_raised(cancel_)) return cancelled();
      ColumnRow row;
      if (!view.row(unit, &row) || row.item >= documents || row.end - row.begin > kMaxListElements + 1) {
        return corrupt("the rows of a column are damaged");
      }
      if (row.begin == row.end || items[row.item] == kNoItem) continue;
      const ColumnRow renamed = {items[row.item], content_.ids.size(), content_.ids.size() + row.end - row.begin};
      for (uint64_t place = row.begin; place < row.end; ++place) {
        const uint32_t id = view.row_id(place);
        if (id >= ids.size() || (place > row.begin && ids[id] <= content_.ids.back())) {
          return corrupt("the rows of a column are damaged");
        }
        content_.ids.push_back(ids[id]);
      }
      content_.rows.push_back(renamed);
    }
    return Status::success();
  }

  const std::vector<ColumnsSource>& sources_;
  const MergedColumn& column_;
  const int32_t items_;
  const std::atomic<bool>* const cancel_;
  ColumnContent content_;
  /** By source. */
  std::vector<ColumnView> views_;
  std::vector<std::vector<uint32_t>> ids_;
  /** By source that has the column. */
  std::vector<std::vector<double>> numbers_;
  std::vector<std::vector<uint32_t>> lists_;
  std::vector<std::vector<std::string_view>> strings_;
};

class ColumnsMerge {
 public:
  ColumnsMerge(const std::vector<ColumnsSource>& sources, int64_t items, const ColumnsMergeOptions& options)
      : sources_(sources), items_(items), options_(options) {}

  Status run(MemoryBlock* file) {
    if (items_ > kMaxColumnsItems) {
      return Status::failure(StatusCode::invalid_argument, "expected at most 2^28 documents");
    }
    marks_.items = static_cast<int32_t>(items_);
    marks_.source = options_.source;
    Status status = check_items();
    if (status.ok()) status = list_columns();
    if (status.ok() && columns_.size() > kMaxColumns) status = drop_rare();
    if (!status.ok()) return status;
    merge_marks();
    encoded_.resize(columns_.size());
    ParallelWatch watch;
    watch.cancel = options_.cancel;
    status = run_blocks(options_.threads, static_cast<int64_t>(columns_.size()), &watch, [this]() {
      return [this](int64_t number) {
        const auto index = static_cast<size_t>(number);
        return ColumnMerge(sources_, columns_[index], marks_.items, options_.cancel).run(&encoded_[index]);
      };
    });
    if (status.ok() && is_raised(options_.cancel)) status.code = StatusCode::cancelled;
    if (!status.ok()) return status;
    const auto is_empty = [](const EncodedColumn& column) { return column.head.rows == 0; };
    encoded_.erase(std::remove_if(encoded_.begin(), encoded_.end(), is_empty), encoded_.end());
    return assemble_columns(encoded_, marks_, file);
  }

 private:
  Status check_items() const {
    for (const ColumnsSource& source : sources_) {
      for (int32_t item = 0; item < source.view->items(); ++item) {
        if (source.items[item] != kNoItem && source.items[item] >= items_) {
          return Status::failure(StatusCode::invalid_argument, "expected items of the merged file");
        }
      }
    }
    return Status::success();
  }

  Status list_columns() {
    std::vector<std::pair<std::string_view, std::pair<uint32_t, uint32_t>>> all;
    for (uint32_t source = 0; source < sources_.size(); ++source) {
      const ColumnsView& view = *sources_[source].view;
      for (uint32_t number = 0; number < view.columns(); ++number) {
        ColumnView column;
        const Status status = view.column(number, &column);
        if (!status.ok()) return status;
        if (!is_path(column.path())) return corrupt("the path of a column is damaged");
        all.push_back({column.path(), {source, number}});
      }
    }
    std::sort(all.begin(), all.end());
    for (const auto& [path, place] : all) {
      if (columns_.empty() || columns_.back().path != path) {
        columns_.push_back({path, std::vector<uint32_t>(sources_.size(), kNoItem)});
      }
      if (columns_.back().numbers[place.first] != kNoItem) return corrupt("a file has two columns of one path");
      columns_.back().numbers[place.first] = place.second;
    }
    return Status::success();
  }

  /** Calls `body` for each item of the merged file that has a path. */
  template <typename Body>
  Status each_item(const MergedColumn& column, const Body& body) const {
    for (size_t source = 0; source < sources_.size(); ++source) {
      if (column.numbers[source] == kNoItem) continue;
      ColumnView view;
      const Status status = sources_[source].view->column(column.numbers[source], &view);
      if (!status.ok()) return status;
      const auto documents = static_cast<uint32_t>(sources_[source].view->items());
      for (uint32_t unit = 0; unit < view.units(); ++unit) {
        ColumnRow row;
        if (!view.row(unit, &row) || row.item >= documents) return corrupt("the rows of a column are damaged");
        if (row.begin < row.end && sources_[source].items[row.item] != kNoItem) body(sources_[source].items[row.item]);
      }
      if (is_raised(options_.cancel)) return cancelled();
    }
    return Status::success();
  }

  Status drop_rare() {
    std::vector<uint64_t> rows(columns_.size());
    for (size_t index = 0; index < columns_.size(); ++index) {
      const Status status = each_item(columns_[index], [&rows, index](uint32_t) { ++rows[index]; });
      if (!status.ok()) return status;
    }
    const std::vector<bool> is_common = choose_common(rows, kMaxColumns);
    std::vector<MergedColumn> kept;
    for (size_t index = 0; index < columns_.size(); ++index) {
      if (is_common[index]) {
        kept.push_back(std::move(columns_[index]));
        continue;
      }
      const Status status =
          each_item(columns_[index], [this](uint32_t item) { mark_item(item, marks_.items, &marks_.incomplete); });
      if (!status.ok()) return status;
    }
    columns_ = std::move(kept);
    return Status::success();
  }

  void merge_marks() {
    for (const ColumnsSource& source : sources_) {
      merge_set(source, source.view->opaque(), &marks_.opaque);
      merge_set(source, source.view->incomplete(), &marks_.incomplete);
    }
  }

  void merge_set(const ColumnsSource& source, ItemBits set, std::vector<uint32_t>* merged) const {
    const auto documents = static_cast<uint32_t>(source.view->items());
    for (uint32_t item = 0; set.words > 0 && item < documents; ++item) {
      if (set.contains(item) && source.items[item] != kNoItem) mark_item(source.items[item], marks_.items, merged);
    }
  }

  const std::vector<ColumnsSource>& sources_;
  const int64_t items_;
  const ColumnsMergeOptions options_;
  ColumnsMarks marks_;
  std::vector<MergedColumn> columns_;
  std::vector<EncodedColumn> encoded_;
};

}  // namespace

Status merge_columns(const std::vector<ColumnsSource>& sources, int64_t items, const ColumnsMergeOptions& options,
                     MemoryBlock* file) try {
  const Status status = ColumnsMerge(sources, items, options).run(file);
  if (!status.ok()) return status;
  for (const ColumnsSource& source : sources) {
    const Status changed = source.view->check_unchanged();
    if (!changed.ok()) return changed;
  }
  return status;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
