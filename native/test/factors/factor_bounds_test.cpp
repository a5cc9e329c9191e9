// Bounds of factors against the factors.

#include "factors/factor_bounds.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "support/check.h"
#include "support/generate.h"

using namespace semantic_index;
using namespace semantic_index_test;

namespace {

constexpr double kMargin = 1e-9;

/** @param level_of the highest factor of the level of an item is its bound, and that of any other item its factor. */
void check_bounds(const ItemFactors& factors, uint32_t items, const FactorLevels* level_of) {
  FactorBounds bounds;
  bounds.prepare(factors);
  std::vector<double> highest(kFactorLevels, 0);
  const size_t count = factors.factors[0].count;
  for (uint32_t item = 0; level_of != nullptr && item < count; ++item) {
    double& own = highest[level_of->level(item)];
    own = std::max(own, factors.of(item));
  }
  double found[kBoundedAtOnce];
  uint32_t numbers[kBoundedAtOnce];
  for (uint32_t first = 0; first < items; first += kBoundedAtOnce) {
    const uint32_t size = std::min<uint32_t>(kBoundedAtOnce, items - first);
    for (uint32_t index = 0; index < size; ++index) numbers[index] = first + index;
    bounds.of(numbers, size, found);
    for (uint32_t index = 0; index < size; ++index) {
      const uint32_t item = first + index;
      const double factor = factors.of(item);
      CHECK(found[index] >= factor);
      const bool has_level = level_of != nullptr && item < count && level_of->level(item) != 0;
      if (level_of == nullptr) continue;
      CHECK(found[index] <= (has_level ? highest[level_of->level(item)] : factor) * (1 + kMargin));
    }
  }
}

}  // namespace

TEST(bounds_are_the_highest_factors_of_levels) {
  Random random(7);
  const std::vector<double> values = numbers_of_all_sizes(&random);
  std::vector<uint32_t> set(values.size() / 32, 0);
  for (uint32_t& word : set) word = static_cast<uint32_t>(random.next());
  const FactorLevels levels(values);
  // The last items have no value.
  const auto items = static_cast<uint32_t>(values.size()) + 100;
  for (const double scale : {1e-300, 0.001, 3.0, 86400000.0, 1e300}) {
    for (const double operand : {-5.0, 0.0, 1.0, 2.5, 1e6}) {
      ItemFactors all;
      for (const FactorKind kind : {FactorKind::decay, FactorKind::saturation, FactorKind::set}) {
        if (kind != FactorKind::decay && operand < 0) continue;
        ItemFactor factor;
        factor.kind = kind;
        factor.scale = scale;
        factor.operand = operand;
        factor.values = values.data();
        factor.count = values.size();
        factor.items = {set.data(), static_cast<int64_t>(set.size())};
        all.greatest *= std::max(1.0, operand);
        ItemFactors one;
        one.greatest = std::max(1.0, operand);
        one.factors.push_back(factor);
        check_bounds(one, items, nullptr);
        if (kind != FactorKind::set) {
          levels.attach(&one.factors[0]);
          check_bounds(one, items, &levels);
        }
        all.factors.push_back(one.factors[0]);
      }
      check_bounds(all, items, nullptr);
    }
  }
}

TEST(levels_without_limits_bound_nothing) {
  const std::vector<double> values(10, 5);
  const std::vector<uint8_t> unknown(10, 200);
  const double limits[] = {std::nan(""), std::nan("")};
  ItemFactors factors;
  factors.greatest = 3;
  factors.factors.push_back(
      {FactorKind::saturation, 5, 3, values.data(), values.size(), {}, unknown.data(), limits, 1});
  FactorBounds bounds;
  bounds.prepare(factors);
  const uint32_t item = 4;
  double found = 0;
  bounds.of(&item, 1, &found);
  CHECK(found >= 3);
}
