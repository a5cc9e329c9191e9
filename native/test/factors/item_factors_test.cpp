// Estimates of factors against the factors.

#include "factors/item_factors.h"

#include <cmath>

#include "base/random.h"
#include "support/check.h"
#include "support/generate.h"

using namespace semantic_index;
using namespace semantic_index_test;

namespace {

void check_estimates(const ItemFactors& factors, uint32_t items) {
  double estimates[kEstimatedAtOnce];
  uint32_t numbers[kEstimatedAtOnce];
  for (uint32_t first = 0; first < items; first += kEstimatedAtOnce) {
    for (uint32_t index = 0; index < kEstimatedAtOnce; ++index) numbers[index] = first + index;
    factors.estimate(numbers, kEstimatedAtOnce, estimates);
    for (uint32_t index = 0; index < kEstimatedAtOnce; ++index) {
      const double exact = factors.of(first + index);
      CHECK(std::abs(estimates[index] - exact) < kEstimateError * exact);
    }
  }
}

}  // namespace

TEST(estimates_are_near_the_factors) {
  Random random(7);
  const std::vector<double> values = numbers_of_all_sizes(&random);
  std::vector<uint32_t> set(values.size() / 32, 0);
  for (uint32_t& word : set) word = static_cast<uint32_t>(random.next());
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
        all.factors.push_back(factor);
        ItemFactors one;
        one.factors.push_back(factor);
        check_estimates(one, items);
      }
      check_estimates(all, items);
    }
  }
}
