#include "graph/build/row_copies.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checksum.h"
#include "graph/graph_format.h"

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

void leave_out_copies(const RowCopies& copies, int64_t group_items, LeafGroups* tree) {
  LeafGroups result;
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

std::vector<uint32_t> put_copies_last(const RowCopies& copies, const ForestView& forest,
                                      const std::vector<int32_t>& items, std::vector<int32_t>* order) {
  const NodeLayout& layout = forest.layout();
  const auto item = [&](int32_t position) { return items[static_cast<size_t>(position)]; };
  const auto compare = [&](int32_t left, int32_t right) {
    return std::memcmp(forest.node(item(left)) + layout.vector_offset, forest.node(item(right)) + layout.vector_offset,
                       layout.vector_bytes);
  };
  std::vector<std::vector<int32_t>> copies_of(order->size());
  std::vector<int32_t> result;
  for (int32_t position : *order) {
    const int32_t original = copies.original_of[static_cast<size_t>(position)];
    if (original == position) {
      result.push_back(position);
    } else {
      copies_of[static_cast<size_t>(original)].push_back(position);
    }
  }
  const size_t distinct = result.size();
  std::vector<uint32_t> originals;
  for (size_t place = 0; place < distinct; ++place) {
    const int32_t original = result[place];
    std::vector<int32_t>& own = copies_of[static_cast<size_t>(original)];
    std::sort(own.begin(), own.end(), [&](int32_t left, int32_t right) {
      const bool is_left_same = compare(left, original) == 0;
      const bool is_right_same = compare(right, original) == 0;
      if (is_left_same != is_right_same) return is_left_same;
      const int bytes = is_left_same ? 0 : compare(left, right);
      return bytes < 0 || (bytes == 0 && item(left) < item(right));
    });
    int32_t before = original;
    for (int32_t copy : own) {
      originals.push_back(static_cast<uint32_t>(place) | (compare(before, copy) == 0 ? kSameBytes : 0));
      result.push_back(copy);
      before = copy;
    }
  }
  order->swap(result);
  return originals;
}

}  // namespace semantic_index
