#ifndef SEMANTIC_INDEX_KERNEL_COLUMNS_FILTER_PROGRAM_H_
#define SEMANTIC_INDEX_KERNEL_COLUMNS_FILTER_PROGRAM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "columns/value_set.h"

namespace semantic_index {

/** The first byte of a filter program. */
constexpr uint8_t kFilterVersion = 1;
/** Instructions of a program, and results that wait for a later one; each takes two bits of memory per document. */
constexpr uint32_t kMaxFilterInstructions = 1 << 16;
constexpr uint32_t kMaxFilterDepth = 256;
/** Sets of values that wait at once, for one column. */
constexpr uint32_t kMaxValueDepth = 64;
constexpr size_t kMaxFilterBytes = size_t{1} << 26;

/** What selects values of one column. Instructions work on a stack of sets of values. */
enum class ValueOperation : uint8_t {
  /** All values: items that have the path. */
  everything,
  /** The values of a kind. */
  kind,
  /** Numbers or strings that compare with an operand. */
  number,
  string,
  /** Numbers or strings that are among operands. */
  numbers,
  strings,
  /** Strings that have a part. */
  part,
  /** Lists of so many elements, of more elements. */
  list_size,
  longer_lists,
  /** The scalars that are not in the last set. */
  negate,
  /** Both or either of the last two sets. */
  both,
  either,
};

struct ValueInstruction {
  ValueOperation operation = ValueOperation::everything;
  ValueKind kind = ValueKind::null;
  Comparison comparison = Comparison::equal;
  uint32_t size = 0;
  double number = 0;
  std::string_view string;
  /** Ascending and distinct. */
  std::vector<double> numbers;
  std::vector<std::string_view> strings;
};

/** What selects items. Instructions work on a stack of sets of items, each in two parts: certain and possible. */
enum class FilterOperation : uint8_t {
  none,
  all,
  negate,
  both,
  either,
  /** The last set becomes possible only. */
  doubt,
  /** Items with a value of a set. Opaque values are possible, and long strings where the flag asks for it. */
  values,
  /** Items with an opaque value at the path: possible. */
  opaque,
};

struct FilterInstruction {
  FilterOperation operation = FilterOperation::none;
  std::string_view path;
  /** Whether long strings may be in the set. */
  bool concerns_strings = false;
  std::vector<ValueInstruction> values;
};

/** A decoded filter; see FORMAT.md. Points into the bytes that it was decoded from. */
class FilterProgram {
 public:
  /**
   * Decodes and checks everything: the bytes may be anything. Takes memory in proportion to their number. wrong_layout
   * for another version, invalid_argument for a program beyond the limits, corrupt, out_of_memory.
   */
  static Status decode(const uint8_t* bytes, size_t size, FilterProgram* program);

  const std::vector<FilterInstruction>& instructions() const { return instructions_; }
  /** Sets of items that wait at once, at most. */
  uint32_t depth() const { return depth_; }

 private:
  friend class FilterDecoder;

  std::vector<FilterInstruction> instructions_;
  uint32_t depth_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_COLUMNS_FILTER_PROGRAM_H_
