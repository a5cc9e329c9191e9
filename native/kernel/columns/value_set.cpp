#include "columns/value_set.h"

#include <algorithm>

#include "base/status.h"

namespace semantic_index {

namespace {

void append(IdRange range, ValueSet* set) {
  if (range.begin >= range.end) return;
  if (!set->empty() && set->back().end == range.begin) {
    set->back().end = range.end;
  } else {
    set->push_back(range);
  }
}

/** The first index from `from` on whose value is not below the operand. Hostile order gives any index. */
uint32_t first_number(const ColumnView& column, double operand, uint32_t from = 0) {
  uint32_t below = from;
  uint32_t above = column.counts().numbers;
  while (below < above) {
    const uint32_t middle = below + (above - below) / 2;
    if (column.number(middle) < operand) {
      below = middle + 1;
    } else {
      above = middle;
    }
  }
  return below;
}

Status first_string(const ColumnView& column, std::string_view operand, uint32_t* first, uint32_t from = 0) {
  uint32_t below = from;
  uint32_t above = column.counts().strings;
  while (below < above) {
    const uint32_t middle = below + (above - below) / 2;
    std::string_view string;
    if (!column.string(middle, &string)) return corrupt("the strings of a column are damaged");
    if (string < operand) {
      below = middle + 1;
    } else {
      above = middle;
    }
  }
  *first = below;
  return Status::success();
}

/** The ids of a comparison: `from` is the first value that is not below the operand, `has` whether it is equal. */
ValueSet compared(IdRange ids, Comparison comparison, uint32_t from, bool has) {
  const uint32_t first = ids.begin + from;
  const uint32_t behind = first + (has ? 1 : 0);
  switch (comparison) {
    case Comparison::equal:
      return set_of({first, behind});
    case Comparison::below:
      return set_of({ids.begin, first});
    case Comparison::at_most:
      return set_of({ids.begin, behind});
    case Comparison::above:
      return set_of({behind, ids.end});
    case Comparison::at_least:
      return set_of({first, ids.end});
  }
  return {};
}

}  // namespace

ValueSet set_of(IdRange range) { return range.begin < range.end ? ValueSet{range} : ValueSet(); }

ValueSet compare_numbers(const ColumnView& column, Comparison comparison, double operand) {
  const uint32_t first = first_number(column, operand);
  const bool has = first < column.counts().numbers && column.number(first) == operand;
  return compared(column.counts().range(ValueKind::number), comparison, first, has);
}

Status compare_strings(const ColumnView& column, Comparison comparison, std::string_view operand, ValueSet* set) {
  uint32_t first = 0;
  const Status status = first_string(column, operand, &first);
  if (!status.ok()) return status;
  std::string_view string;
  const bool has = first < column.counts().strings && column.string(first, &string) && string == operand;
  *set = compared(column.counts().range(ValueKind::string), comparison, first, has);
  return status;
}

ValueSet find_numbers(const ColumnView& column, const std::vector<double>& operands) {
  ValueSet set;
  const IdRange ids = column.counts().range(ValueKind::number);
  uint32_t from = 0;
  if (operands.size() > column.counts().numbers) {
    for (uint32_t index = 0; index < column.counts().numbers; ++index) {
      if (std::binary_search(operands.begin(), operands.end(), column.number(index))) {
        append({ids.begin + index, ids.begin + index + 1}, &set);
      }
    }
    return set;
  }
  for (const double operand : operands) {
    from = first_number(column, operand, from);
    if (from == column.counts().numbers) break;
    if (column.number(from) == operand) append({ids.begin + from, ids.begin + from + 1}, &set);
  }
  return set;
}

Status find_strings(const ColumnView& column, const std::vector<std::string_view>& operands, ValueSet* set) {
  set->clear();
  const IdRange ids = column.counts().range(ValueKind::string);
  const uint32_t strings = column.counts().strings;
  std::string_view string;
  if (operands.size() > strings) {
    for (uint32_t index = 0; index < strings; ++index) {
      if (!column.string(index, &string)) return corrupt("the strings of a column are damaged");
      if (std::binary_search(operands.begin(), operands.end(), string)) {
        append({ids.begin + index, ids.begin + index + 1}, set);
      }
    }
    return Status::success();
  }
  uint32_t from = 0;
  for (const std::string_view operand : operands) {
    const Status status = first_string(column, operand, &from, from);
    if (!status.ok()) return status;
    if (from == strings) break;
    if (column.string(from, &string) && string == operand) append({ids.begin + from, ids.begin + from + 1}, set);
  }
  return Status::success();
}

ValueSet find_part(const ColumnView& column, std::string_view part) {
  ValueSet set;
  const IdRange ids = column.counts().range(ValueKind::string);
  if (part.empty()) return set_of(ids);
  const std::string_view all = column.strings();
  uint32_t index = 0;
  for (size_t place = all.find(part); place != std::string_view::npos && index < column.counts().strings;) {
    // The first string from `index` on that ends behind the place.
    uint32_t above = column.counts().strings;
    while (index < above) {
      const uint32_t middle = index + (above - index) / 2;
      if (column.string_end(middle) <= place) {
        index = middle + 1;
      } else {
        above = middle;
      }
    }
    if (index == column.counts().strings) break;
    const auto end = static_cast<size_t>(std::min<uint64_t>(column.string_end(index), all.size()));
    if (place + part.size() > end) {
      // Only in two strings together; a later place may be in the second.
      place = all.find(part, place + 1);
      continue;
    }
    append({ids.begin + index, ids.begin + index + 1}, &set);
    ++index;
    place = all.find(part, std::max(end, place + 1));
  }
  return set;
}

ValueSet find_list_size(const ColumnView& column, uint32_t size) {
  const IdRange ids = column.counts().range(ValueKind::list);
  for (uint32_t id = ids.begin; id < ids.end; ++id) {
    if (column.list_size(id - ids.begin) == size) return set_of({id, id + 1});
  }
  return {};
}

ValueSet find_longer_lists(const ColumnView& column, uint32_t size) {
  ValueSet set;
  const IdRange ids = column.counts().range(ValueKind::list);
  for (uint32_t id = ids.begin; id < ids.end; ++id) {
    if (column.list_size(id - ids.begin) > size) append({id, id + 1}, &set);
  }
  return set;
}

ValueSet unite(const ValueSet& left, const ValueSet& right) {
  ValueSet set;
  size_t at = 0;
  size_t other = 0;
  while (at < left.size() || other < right.size()) {
    const bool is_left = other == right.size() || (at < left.size() && left[at].begin <= right[other].begin);
    const IdRange next = is_left ? left[at++] : right[other++];
    if (!set.empty() && next.begin <= set.back().end) {
      set.back().end = std::max(set.back().end, next.end);
    } else {
      set.push_back(next);
    }
  }
  return set;
}

ValueSet intersect(const ValueSet& left, const ValueSet& right) {
  ValueSet set;
  size_t at = 0;
  size_t other = 0;
  while (at < left.size() && other < right.size()) {
    append({std::max(left[at].begin, right[other].begin), std::min(left[at].end, right[other].end)}, &set);
    if (left[at].end < right[other].end) {
      ++at;
    } else {
      ++other;
    }
  }
  return set;
}

ValueSet complement(const ValueSet& set, IdRange universe) {
  ValueSet result;
  uint32_t begin = universe.begin;
  for (const IdRange range : set) {
    append({begin, std::min(range.begin, universe.end)}, &result);
    begin = std::max(begin, range.end);
  }
  append({begin, universe.end}, &result);
  return result;
}

}  // namespace semantic_index
