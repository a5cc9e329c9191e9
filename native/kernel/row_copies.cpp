#include "row_copies.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "checksum.h"

namespace semantic_index {

namespace {

bool is_same(const GraphRows& rows, int32_t left, int32_t right) {
  if (std::memcmp(rows.row(left), rows.row(right), rows.row_bytes) != 0) return false;
  return rows.extras == nullptr || rows.extras[left] == rows.extras[right];
}

}  // namespace

RowCopies find_copies(const GraphRows& rows, const std::vector<int32_t>& items) {
  RowCopies copies;
  const auto count = static_cast<size_t>(rows.count);
  copies.original_of.resize(count);
  struct Hashed {
    uint64_t hash;
    int32_t position;
  };
  std::vector<Hashed> sorted(count);
  for (int32_t position = 0; position < rows.count; ++position) {
    copies.original_of[static_cast<size_t>(position)] = position;
    Checksum hash;
    hash.update(rows.row(position), rows.row_bytes);
    if (rows.extras != nullptr) hash.update(rows.extras + position, sizeof(float));
    sorted[static_cast<size_t>(position)] = {hash.value(), position};
  }
  const auto item = [&](const Hashed& one) { return items[static_cast<size_t>(one.position)]; };
  std::sort(sorted.begin(), sorted.end(), [&](const Hashed& left, const Hashed& right) {
    return left.hash < right.hash || (left.hash == right.hash && item(left) < item(right));
  });
  for (size_t begin = 0; begin < count;) {
    size_t end = begin + 1;
    while (end < count && sorted[end].hash == sorted[begin].hash) ++end;
    // One group, unless hashes agree by chance.
    std::vector<int32_t> originals;
    for (size_t place = begin; place < end && end - begin > 1; ++place) {
      const int32_t position = sorted[place].position;
      const auto original =
          std::find_if(originals.begin(), originals.end(), [&](int32_t one) { return is_same(rows, one, position); });
      if (original == originals.end()) {
        originals.push_back(position);
        continue;
      }
      copies.original_of[static_cast<size_t>(position)] = *original;
      ++copies.count;
    }
    begin = end;
  }
  return copies;
}

void leave_out_copies(const RowCopies& copies, int64_t group_items, TreeGroups* tree) {
  TreeGroups result;
  bool may_grow = false;
  for (const auto& [begin, end] : tree->groups) {
    const auto first = static_cast<int64_t>(result.items.size());
    for (int64_t place = begin; place < end; ++place) {
      const int32_t position = tree->items[static_cast<size_t>(place)];
      if (copies.original_of[static_cast<size_t>(position)] == position) result.items.push_back(position);
    }
    const auto last = static_cast<int64_t>(result.items.size());
    if (last == first) continue;
    const bool has_lost = last - first < end - begin;
    if (has_lost && may_grow && last - result.groups.back().first <= group_items) {
      result.groups.back().second = last;
    } else {
      result.groups.emplace_back(first, last);
    }
    may_grow = has_lost;
  }
  *tree = std::move(result);
}

}  // namespace semantic_index
