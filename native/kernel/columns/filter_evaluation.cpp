#include "columns/filter_evaluation.h"

#include <new>

#include "base/cancel.h"
#include "base/status.h"

namespace semantic_index {

namespace {

void add_set(ItemBits set, std::vector<uint32_t>* items) {
  for (int64_t word = 0; word < set.words; ++word) (*items)[static_cast<size_t>(word)] |= set.bits[word];
}

/** The scalars of a column: what `not` is about, where elements of lists are tested. */
IdRange scalars_of(const ColumnView& column) { return {0, column.counts().range(ValueKind::string).end}; }

}  // namespace

Status FilterEvaluation::run(const ColumnsView& view, const FilterProgram& program,
                             const std::atomic<bool>* cancel) try {
  view_ = &view;
  words_ = static_cast<size_t>(item_words(view.items()));
  depth_ = 0;
  if (stack_.size() < program.depth()) stack_.resize(program.depth());
  for (const FilterInstruction& instruction : program.instructions()) {
    if (is_raised(cancel)) return cancelled();
    const Status status = execute(instruction);
    if (!status.ok()) return status;
  }
  return view.check_unchanged();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

FilteredItems& FilterEvaluation::push() {
  FilteredItems& items = stack_[depth_++];
  items.certain.assign(words_, 0);
  items.is_exact = true;
  return items;
}

Status FilterEvaluation::execute(const FilterInstruction& instruction) {
  switch (instruction.operation) {
    case FilterOperation::none:
      push();
      break;
    case FilterOperation::all: {
      FilteredItems& items = push();
      items.certain.assign(words_, UINT32_MAX);
      clear_beyond(&items.certain);
      break;
    }
    case FilterOperation::negate:
      negate(&stack_[depth_ - 1]);
      break;
    case FilterOperation::both:
    case FilterOperation::either:
      combine(instruction.operation);
      break;
    case FilterOperation::doubt: {
      FilteredItems& items = stack_[depth_ - 1];
      if (items.is_exact) items.possible = items.certain;
      items.is_exact = false;
      items.certain.assign(words_, 0);
      break;
    }
    case FilterOperation::values:
      return select_values(instruction);
    case FilterOperation::opaque:
      return select_opaque(instruction);
  }
  return Status::success();
}

void FilterEvaluation::clear_beyond(std::vector<uint32_t>* items) const {
  const uint32_t used = static_cast<uint32_t>(view_->items()) % 32;
  if (used != 0) items->back() &= (1u << used) - 1;
}

void FilterEvaluation::negate(FilteredItems* items) {
  // What is not possible is certain to fail, and what is not certain may fail.
  if (!items->is_exact) items->certain.swap(items->possible);
  for (size_t word = 0; word < words_; ++word) items->certain[word] = ~items->certain[word];
  clear_beyond(&items->certain);
  if (items->is_exact) return;
  for (size_t word = 0; word < words_; ++word) items->possible[word] = ~items->possible[word];
  clear_beyond(&items->possible);
}

void FilterEvaluation::combine(FilterOperation operation) {
  FilteredItems& left = stack_[depth_ - 2];
  FilteredItems& right = stack_[depth_ - 1];
  --depth_;
  const auto apply = [this, operation](std::vector<uint32_t>* target, const std::vector<uint32_t>& other) {
    uint32_t* const to = target->data();
    const uint32_t* const from = other.data();
    if (operation == FilterOperation::both) {
      for (size_t word = 0; word < words_; ++word) to[word] &= from[word];
    } else {
      for (size_t word = 0; word < words_; ++word) to[word] |= from[word];
    }
  };
  if (!left.is_exact || !right.is_exact) {
    if (left.is_exact) left.possible = left.certain;
    apply(&left.possible, right.is_exact ? right.certain : right.possible);
    left.is_exact = false;
  }
  apply(&left.certain, right.certain);
}

Status FilterEvaluation::select_values(const FilterInstruction& instruction) {
  FilteredItems& items = push();
  ColumnView column;
  bool found = false;
  Status status = view_->find(instruction.path, &column, &found);
  if (!status.ok()) return status;
  if (!found) return add_possible(nullptr, {}, &items);
  ValueSet ids;
  status = find_values(column, instruction.values, &ids);
  if (status.ok()) status = set_items(column, ids, &items.certain);
  if (!status.ok()) return status;
  IdRange doubtful = column.counts().range(ValueKind::opaque);
  if (instruction.concerns_strings) doubtful.begin = column.counts().range(ValueKind::long_string).begin;
  return add_possible(&column, complement(intersect(ids, set_of(doubtful)), doubtful), &items);
}

Status FilterEvaluation::select_opaque(const FilterInstruction& instruction) {
  FilteredItems& items = push();
  ColumnView column;
  bool found = false;
  const Status status = view_->find(instruction.path, &column, &found);
  if (!status.ok()) return status;
  if (!found) return add_possible(nullptr, {}, &items);
  return add_possible(&column, set_of(column.counts().range(ValueKind::opaque)), &items);
}

Status FilterEvaluation::add_possible(const ColumnView* column, const ValueSet& doubtful, FilteredItems* items) {
  const ColumnsHeader& header = view_->header();
  const bool may_lack = header.incomplete > 0 && (column == nullptr || column->is_partial());
  if (doubtful.empty() && header.opaque == 0 && !may_lack) return Status::success();
  items->possible = items->certain;
  items->is_exact = false;
  add_set(view_->opaque(), &items->possible);
  if (may_lack) {
    present_.assign(words_, 0);
    if (column != nullptr) {
      const Status status = set_items(*column, set_of({0, column->values()}), &present_);
      if (!status.ok()) return status;
    }
    const ItemBits incomplete = view_->incomplete();
    for (size_t word = 0; word < words_; ++word) items->possible[word] |= incomplete.bits[word] & ~present_[word];
  }
  return doubtful.empty() ? Status::success() : mark_items(*column, doubtful, true, &items->possible);
}

/** Replaces a set, which is empty, by the items that have one of the values. */
Status FilterEvaluation::set_items(const ColumnView& column, const ValueSet& ids, std::vector<uint32_t>* items) const {
  const auto documents = static_cast<uint32_t>(view_->items());
  const bool has_all = column.head().rows == documents;
  if (has_all && ids.size() == 1 && ids[0].begin == 0 && ids[0].end == column.values()) {
    items->assign(words_, UINT32_MAX);
    clear_beyond(items);
    return Status::success();
  }
  uint64_t total = 0;
  for (const IdRange range : ids) {
    uint64_t begin = 0;
    uint64_t end = 0;
    if (!column.entries_of(range, &begin, &end)) return corrupt("the ends of the values of a column do not ascend");
    total += end - begin;
  }
  // Where every item has one value, a large part is all items without the rest.
  const bool is_large = !column.has_several() && has_all && total > documents / 2;
  if (!is_large) return mark_items(column, ids, true, items);
  items->assign(words_, UINT32_MAX);
  clear_beyond(items);
  return mark_items(column, complement(ids, {0, column.values()}), false, items);
}

/** Adds the items that have one of the values to a set, or takes them out of it. */
Status FilterEvaluation::mark_items(const ColumnView& column, const ValueSet& ids, bool value,
                                    std::vector<uint32_t>* items) const {
  const auto documents = static_cast<uint32_t>(view_->items());
  uint32_t* const bits = items->data();
  uint64_t marked = 0;
  for (const IdRange range : ids) {
    uint64_t begin = 0;
    uint64_t end = 0;
    if (!column.entries_of(range, &begin, &end)) return corrupt("the ends of the values of a column do not ascend");
    // Ends that do not ascend could have the same entries read again and again.
    marked += end - begin;
    if (marked > column.head().entries) return corrupt("the ends of the values of a column do not ascend");
    const auto each_item = [&column, begin, end, documents](const auto& mark) {
      for (uint64_t entry = begin; entry < end; ++entry) {
        const uint32_t item = column.posting(entry);
        if (item >= documents) return false;
        mark(item / 32, 1u << (item % 32));
      }
      return true;
    };
    const bool is_inside = value ? each_item([bits](uint32_t word, uint32_t bit) { bits[word] |= bit; })
                                 : each_item([bits](uint32_t word, uint32_t bit) { bits[word] &= ~bit; });
    if (!is_inside) return corrupt("the postings of a column lie beyond the documents");
  }
  return Status::success();
}

Status FilterEvaluation::find_values(const ColumnView& column, const std::vector<ValueInstruction>& instructions,
                                     ValueSet* set) {
  values_.clear();
  for (const ValueInstruction& instruction : instructions) {
    const Status status = find_value(column, instruction);
    if (!status.ok()) return status;
  }
  *set = std::move(values_.back());
  return Status::success();
}

Status FilterEvaluation::find_value(const ColumnView& column, const ValueInstruction& instruction) {
  if (instruction.operation >= ValueOperation::both) {
    const ValueSet right = std::move(values_.back());
    values_.pop_back();
    ValueSet& left = values_.back();
    left = instruction.operation == ValueOperation::both ? intersect(left, right) : unite(left, right);
    return Status::success();
  }
  if (instruction.operation == ValueOperation::negate) {
    ValueSet& last = values_.back();
    last = complement(intersect(last, set_of(scalars_of(column))), scalars_of(column));
    return Status::success();
  }
  values_.emplace_back();
  ValueSet& set = values_.back();
  switch (instruction.operation) {
    case ValueOperation::everything:
      set = set_of({0, column.values()});
      break;
    case ValueOperation::kind:
      set = set_of(column.counts().range(instruction.kind));
      break;
    case ValueOperation::number:
      set = compare_numbers(column, instruction.comparison, instruction.number);
      break;
    case ValueOperation::string:
      return compare_strings(column, instruction.comparison, instruction.string, &set);
    case ValueOperation::numbers:
      set = find_numbers(column, instruction.numbers);
      break;
    case ValueOperation::strings:
      return find_strings(column, instruction.strings, &set);
    case ValueOperation::part:
      set = find_part(column, instruction.string);
      break;
    case ValueOperation::list_size:
      set = find_list_size(column, instruction.size);
      break;
    case ValueOperation::longer_lists:
      set = find_longer_lists(column, instruction.size);
      break;
    default:
      break;
  }
  return Status::success();
}

}  // namespace semantic_index
