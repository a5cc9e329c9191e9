#ifndef SEMANTIC_INDEX_KERNEL_COLUMNS_VALUE_SET_H_
#define SEMANTIC_INDEX_KERNEL_COLUMNS_VALUE_SET_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "columns/columns_view.h"

namespace semantic_index {

/** A set of value ids of one column: ranges that ascend and do not touch. */
using ValueSet = std::vector<IdRange>;

/** How a value is compared with an operand. */
enum class Comparison : uint8_t { equal, below, at_most, above, at_least };

/** The numbers or strings of a column that compare so with the operand. Strings are ordered by their bytes. */
ValueSet compare_numbers(const ColumnView& column, Comparison comparison, double operand);
Status compare_strings(const ColumnView& column, Comparison comparison, std::string_view operand, ValueSet* set);

/** The numbers or strings of a column that are among the operands, which ascend. */
ValueSet find_numbers(const ColumnView& column, const std::vector<double>& operands);
Status find_strings(const ColumnView& column, const std::vector<std::string_view>& operands, ValueSet* set);

/** The strings of a column that have the part. */
ValueSet find_part(const ColumnView& column, std::string_view part);

/** The lists of so many elements. */
ValueSet find_list_size(const ColumnView& column, uint32_t size);
/** The lists of more elements. */
ValueSet find_longer_lists(const ColumnView& column, uint32_t size);

ValueSet unite(const ValueSet& left, const ValueSet& right);
ValueSet intersect(const ValueSet& left, const ValueSet& right);
/** The ids of `universe` that are not in the set. */
ValueSet complement(const ValueSet& set, IdRange universe);
/** The set with one range, or none where it is empty. */
ValueSet set_of(IdRange range);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_COLUMNS_VALUE_SET_H_
