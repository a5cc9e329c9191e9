#include "columns/build/common_columns.h"

#include <algorithm>
#include <numeric>

namespace semantic_index {

std::vector<bool> choose_common(const std::vector<uint64_t>& rows, size_t largest) {
  std::vector<bool> chosen(rows.size(), rows.size() <= largest);
  if (rows.size() <= largest) return chosen;
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&rows](size_t left, size_t right) {
    return rows[left] != rows[right] ? rows[left] > rows[right] : left < right;
  });
  for (size_t place = 0; place < largest; ++place) chosen[order[place]] = true;
  return chosen;
}

}  // namespace semantic_index
