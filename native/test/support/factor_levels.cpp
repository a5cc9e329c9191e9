#include "support/factor_levels.h"

#include <algorithm>
#include <cmath>

namespace semantic_index_test {

FactorLevels::FactorLevels(const std::vector<double>& values, size_t count)
    : levels_(values.size(), 0), limits_(2 * (count + 1), std::nan("")) {
  std::vector<double> sorted;
  for (const double value : values) {
    if (!std::isnan(value)) sorted.push_back(value);
  }
  std::sort(sorted.begin(), sorted.end());
  for (size_t item = 0; item < values.size(); ++item) {
    const double value = values[item];
    if (std::isnan(value)) continue;
    // Equal values have one level.
    const auto rank = static_cast<size_t>(std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin());
    const size_t level = 1 + rank * count / sorted.size();
    levels_[item] = static_cast<uint8_t>(level);
    double* const limits = limits_.data() + 2 * level;
    limits[0] = std::isnan(limits[0]) ? value : std::min(limits[0], value);
    limits[1] = std::isnan(limits[1]) ? value : std::max(limits[1], value);
  }
}

void FactorLevels::attach(semantic_index::ItemFactor* factor) const {
  factor->levels = levels_.data();
  factor->limits = limits_.data();
  factor->level_count = limits_.size() / 2;
}

}  // namespace semantic_index_test
