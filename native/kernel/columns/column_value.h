#ifndef SEMANTIC_INDEX_KERNEL_COLUMNS_COLUMN_VALUE_H_
#define SEMANTIC_INDEX_KERNEL_COLUMNS_COLUMN_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace semantic_index {

/**
 * Kinds of values in a column, in the order of their ids. The value of a document at a path is one of them; a list has
 * one `list` for its size and one scalar for each distinct element.
 */
enum class ValueKind : uint8_t {
  null,
  no,
  yes,
  number,
  string,
  /** A list of scalars, by its number of elements. */
  list,
  /** An object; its members are in the columns of longer paths. */
  object,
  /** A string of more than kMaxColumnString bytes: conditions on strings cannot be decided. */
  long_string,
  /** A value that a column does not represent, as a list with an object: only its presence is known. */
  opaque,
};
constexpr uint32_t kValueKinds = 9;

/** Items are 0 .. n-1 of a file, so item numbers have 28 bits. */
constexpr int32_t kMaxColumnsItems = 1 << 28;
/** Columns of one file. Documents with further paths are incomplete. */
constexpr uint32_t kMaxColumns = 1024;
/** Steps of a path, which is as many as a name in a filter has. */
constexpr uint32_t kMaxPathSteps = 8;
constexpr uint32_t kMaxPathBytes = 1024;
constexpr uint32_t kMaxColumnString = 1024;
/** Elements of a list. A longer list is opaque. */
constexpr uint32_t kMaxListElements = 1024;

/** A kind that has one value at most. */
constexpr bool is_single(ValueKind kind) {
  return kind != ValueKind::number && kind != ValueKind::string && kind != ValueKind::list;
}

/** A kind that an element of a list can have. */
constexpr bool is_scalar(ValueKind kind) { return kind <= ValueKind::string; }

/** The values of one kind have the ids from `begin` to before `end`. */
struct IdRange {
  uint32_t begin = 0;
  uint32_t end = 0;

  bool contains(uint32_t id) const { return id >= begin && id < end; }
};

/** How many values of each kind a column has; determines their ids. */
struct ValueCounts {
  /** Bit k: the kind k, one with a single value, occurs. */
  uint32_t singles = 0;
  uint32_t numbers = 0;
  uint32_t strings = 0;
  uint32_t lists = 0;

  uint32_t of(ValueKind kind) const {
    switch (kind) {
      case ValueKind::number:
        return numbers;
      case ValueKind::string:
        return strings;
      case ValueKind::list:
        return lists;
      default:
        return (singles >> static_cast<uint32_t>(kind)) & 1u;
    }
  }

  IdRange range(ValueKind kind) const {
    uint32_t begin = 0;
    for (uint32_t before = 0; before < static_cast<uint32_t>(kind); ++before) {
      begin += of(static_cast<ValueKind>(before));
    }
    return {begin, begin + of(kind)};
  }

  uint32_t values() const { return range(ValueKind::opaque).end; }

  ValueKind kind_of(uint32_t id) const {
    uint32_t end = 0;
    for (uint32_t kind = 0; kind + 1 < kValueKinds; ++kind) {
      end += of(static_cast<ValueKind>(kind));
      if (id < end) return static_cast<ValueKind>(kind);
    }
    return ValueKind::opaque;
  }
};

/**
 * Whether the bytes are a path: for each step one or two bytes with the number of its bytes, as a varint, then these; 1
 * to kMaxPathSteps steps, at most kMaxPathBytes in all.
 */
bool is_path(std::string_view path);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_COLUMNS_COLUMN_VALUE_H_
