// Bounds of ranges with the greatest factors of their items.

#include "factors/range_factors.h"

#include <algorithm>
#include <cmath>

#include "base/item_ranges.h"
#include "base/random.h"
#include "support/check.h"
#include "support/generate.h"

using namespace semantic_index;
using namespace semantic_index_test;

namespace {

constexpr uint32_t kItems = 10006;

/** @param looseness what a share may be above the greatest factor of its range. */
void check_ranges(const ItemFactors& factors, double looseness, Random* random) {
  FactorBounds bounds;
  bounds.prepare(factors);
  std::vector<uint16_t> sums(range_count(kItems));
  for (uint16_t& sum : sums) sum = static_cast<uint16_t>(random->below(5) == 0 ? 65535 : random->below(65536));
  std::vector<uint16_t> scaled = sums;
  RangeFactors ranges;
  const double greatest = ranges.multiply(bounds, &scaled);
  for (uint32_t range = 0; range * kRangeItems < kItems; ++range) {
    double own = 0;
    for (uint32_t index = 0; index < kRangeItems; ++index) {
      double product = 1;
      for (const ItemFactor& factor : factors.factors) product *= factor.of(range * kRangeItems + index);
      own = std::max(own, product);
    }
    CHECK(own <= greatest * (1 + 1e-9));
    CHECK(scaled[range] >= sums[range] * (own / greatest) * (1 - 1e-9));
    CHECK(scaled[range] <= sums[range] * (own / greatest + looseness) + 2);
  }
}

}  // namespace

TEST(bounds_have_the_greatest_factor_of_a_range) {
  Random random(21);
  for (const double missing : {0.0, 0.01, 0.5}) {
    std::vector<double> values(kItems - 3);
    for (double& value : values) value = random.below(1000) < missing * 1000 ? std::nan("") : random.below(100000);
    std::vector<uint32_t> set(kItems / 32 - 1, 0);
    for (uint32_t& word : set) word = static_cast<uint32_t>(random.next());
    // More levels than classes, fewer, and few.
    for (const size_t count : {size_t{3}, size_t{126}, size_t{127}, kFactorLevels - 1}) {
      const FactorLevels levels(values, count);
      ItemFactors decay;
      // All are old: without missing values, the greatest factor is far below 1.
      for (const double scale : {100000.0, 10000.0}) {
        decay.factors.assign(1, {FactorKind::decay, scale, 300000, values.data(), values.size(), {}});
        levels.attach(&decay.factors[0]);
        check_ranges(decay, 1, &random);
      }
      ItemFactors saturation;
      for (const double operand : {0.0, 0.5, 1.0, 3.0, 1e6}) {
        saturation.greatest = std::max(1.0, operand);
        saturation.factors.assign(1, {FactorKind::saturation, 50000, operand, values.data(), values.size(), {}});
        levels.attach(&saturation.factors[0]);
        check_ranges(saturation, 1, &random);
      }
      ItemFactors of_set;
      for (const double operand : {0.0, 0.3, 1.0, 1.5, 1e6}) {
        of_set.greatest = std::max(1.0, operand);
        of_set.factors.assign(
            1, {FactorKind::set, 1, operand, nullptr, 0, {set.data(), static_cast<int64_t>(set.size())}});
        check_ranges(of_set, 1.0 / 255, &random);
      }
      ItemFactors all;
      all.factors = {decay.factors[0], saturation.factors[0], of_set.factors[0]};
      all.greatest = 1e12;
      check_ranges(all, 1, &random);
    }
  }
}

TEST(shares_are_those_of_levels) {
  Random random(22);
  std::vector<double> values(kItems);
  for (double& value : values) value = random.below(127);
  const FactorLevels levels(values, 126);
  ItemFactors factors;
  factors.factors.assign(1, {FactorKind::decay, 20, 150, values.data(), values.size(), {}});
  levels.attach(&factors.factors[0]);
  // A level has two values at most, whose factors differ by less than a twentieth.
  check_ranges(factors, 0.05 + 1.0 / 255, &random);
}

TEST(levels_without_limits_bound_no_range) {
  Random random(23);
  const std::vector<double> values(kItems, 5);
  const std::vector<uint8_t> unknown(kItems, 100);
  const double limits[] = {std::nan(""), std::nan("")};
  ItemFactors factors;
  factors.greatest = 3;
  factors.factors.push_back(
      {FactorKind::saturation, 5, 3, values.data(), values.size(), {}, unknown.data(), limits, 1});
  check_ranges(factors, 1, &random);
}
