#include "factors/item_factors.h"

#include <cstring>

namespace semantic_index {

namespace {

/** Less is taken for this: whatever multiplies it, a product is at the lower bound. */
constexpr double kLeastExponent = -1000;

/** 2^exponent for exponents from kLeastExponent to 0, off by less than a ten millionth. */
inline double power_of_two(double exponent) {
  const auto whole = static_cast<int32_t>(exponent);
  // From -1 to 0. The polynomial has the least relative error there.
  const double rest = exponent - whole;
  double power = 9.388078534e-4;
  power = power * rest + 9.1886116848e-3;
  power = power * rest + 5.52797225747e-2;
  power = power * rest + 2.401721892660e-1;
  power = power * rest + 6.931422526009e-1;
  power = power * rest + 9.999999250643e-1;
  const uint64_t bits = static_cast<uint64_t>(whole + 1023) << 52;
  double scale = 0;
  std::memcpy(&scale, &bits, sizeof(scale));
  return power * scale;
}

}  // namespace

/** Reads first and computes then, so that the second pass has vector instructions. */
void ItemFactor::multiply_estimates(const uint32_t* from, size_t size, double* products) const {
  if (kind == FactorKind::set) {
    for (size_t index = 0; index < size; ++index) products[index] *= items.contains(from[index]) ? operand : 1;
    return;
  }
  double own[kEstimatedAtOnce];
  const double share = 1 / scale;
  for (size_t index = 0; index < size; ++index) {
    const double value = from[index] < count ? values[from[index]] : std::nan("");
    if (kind == FactorKind::decay) {
      // No value, NaN, is compared first: it has an exponent of 0.
      const double exponent = (value - operand) * share;
      own[index] = exponent < 0 ? std::max(kLeastExponent, exponent) : 0;
    } else {
      own[index] = value > 0 ? value : 0;
    }
  }
  if (kind == FactorKind::decay) {
    for (size_t index = 0; index < size; ++index) products[index] *= power_of_two(own[index]);
  } else {
    for (size_t index = 0; index < size; ++index) {
      products[index] *= 1 + (operand - 1) * (own[index] / (own[index] + scale));
    }
  }
}

void ItemFactors::estimate(const uint32_t* items, size_t count, double* products) const {
  for (size_t index = 0; index < count; ++index) products[index] = 1;
  for (const ItemFactor& factor : factors) factor.multiply_estimates(items, count, products);
  for (size_t index = 0; index < count; ++index) products[index] = bounded(products[index]);
}

}  // namespace semantic_index
