#ifndef SEMANTIC_INDEX_KERNEL_SEARCH_SORTED_KEYS_H_
#define SEMANTIC_INDEX_KERNEL_SEARCH_SORTED_KEYS_H_

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace semantic_index {

/** The keys of the documents of a part, ascending by item: a first one, and what each is above it. */
class SortedKeys {
 public:
  SortedKeys() = default;
  /** Keys `first` + offset; the offsets ascend strictly. */
  SortedKeys(int64_t first, std::vector<uint32_t> offsets) : first_(first), offsets_(std::move(offsets)) {}
  /** For keys that are too far apart for 32 bits. */
  SortedKeys(int64_t first, std::vector<int64_t> offsets) : first_(first), wide_(std::move(offsets)) {}

  int64_t size() const { return static_cast<int64_t>(wide_.empty() ? offsets_.size() : wide_.size()); }
  int64_t bytes() const { return static_cast<int64_t>(offsets_.size() * sizeof(uint32_t) + wide_.size() * 8); }

  int64_t key_of(int64_t item) const {
    const auto place = static_cast<size_t>(item);
    return first_ + (wide_.empty() ? static_cast<int64_t>(offsets_[place]) : wide_[place]);
  }

  int64_t first() const { return size() == 0 ? 0 : key_of(0); }
  int64_t last() const { return size() == 0 ? -1 : key_of(size() - 1); }

  /** The item with this key, or -1. */
  int32_t item_of(int64_t key) const {
    if (size() == 0 || key < first() || key > last()) return -1;
    return wide_.empty() ? place_in(offsets_, static_cast<uint32_t>(key - first_)) : place_in(wide_, key - first_);
  }

  /** Whether the keys ascend strictly. */
  bool ascends() const { return wide_.empty() ? ascends(offsets_) : ascends(wide_); }

 private:
  template <typename T>
  static int32_t place_in(const std::vector<T>& offsets, T wanted) {
    const auto found = std::lower_bound(offsets.begin(), offsets.end(), wanted);
    return found != offsets.end() && *found == wanted ? static_cast<int32_t>(found - offsets.begin()) : -1;
  }

  template <typename T>
  static bool ascends(const std::vector<T>& offsets) {
    return std::adjacent_find(offsets.begin(), offsets.end(), [](T left, T right) { return left >= right; }) ==
           offsets.end();
  }

  int64_t first_ = 0;
  std::vector<uint32_t> offsets_;
  std::vector<int64_t> wide_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_SEARCH_SORTED_KEYS_H_
