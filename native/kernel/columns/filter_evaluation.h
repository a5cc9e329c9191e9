#ifndef SEMANTIC_INDEX_KERNEL_COLUMNS_FILTER_EVALUATION_H_
#define SEMANTIC_INDEX_KERNEL_COLUMNS_FILTER_EVALUATION_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "columns/columns_view.h"
#include "columns/filter_program.h"

namespace semantic_index {

/** The items of a file that match a filter. Both sets have a word for every 32 items; bits behind the last are 0. */
struct FilteredItems {
  /** Items that match for certain. */
  std::vector<uint32_t> certain;
  /** These, and those that the columns cannot decide. Only where `is_exact` is false. */
  std::vector<uint32_t> possible;
  bool is_exact = true;
};

/** Evaluates filter programs on files of columns. One thread at a time; it keeps its working memory between calls. */
class FilterEvaluation {
 public:
  /**
   * Evaluates the program on all items of a file. The result is valid until the next call. corrupt when the file is,
   * cancelled, file_changed, out_of_memory.
   */
  Status run(const ColumnsView& view, const FilterProgram& program, const std::atomic<bool>* cancel = nullptr);

  const FilteredItems& result() const { return stack_.front(); }

 private:
  Status execute(const FilterInstruction& instruction);
  FilteredItems& push();
  void negate(FilteredItems* items);
  void combine(FilterOperation operation);
  Status select_values(const FilterInstruction& instruction);
  Status select_opaque(const FilterInstruction& instruction);
  Status find_values(const ColumnView& column, const std::vector<ValueInstruction>& instructions, ValueSet* set);
  Status find_value(const ColumnView& column, const ValueInstruction& instruction);
  Status set_items(const ColumnView& column, const ValueSet& ids, std::vector<uint32_t>* items) const;
  Status mark_items(const ColumnView& column, const ValueSet& ids, bool value, std::vector<uint32_t>* items) const;
  Status add_possible(const ColumnView* column, const ValueSet& doubtful, FilteredItems* items);
  void clear_beyond(std::vector<uint32_t>* items) const;

  const ColumnsView* view_ = nullptr;
  size_t words_ = 0;
  std::vector<FilteredItems> stack_;
  size_t depth_ = 0;
  std::vector<ValueSet> values_;
  std::vector<uint32_t> present_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_COLUMNS_FILTER_EVALUATION_H_
