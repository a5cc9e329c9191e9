#ifndef SEMANTIC_INDEX_KERNEL_FACTORS_ITEM_FACTORS_H_
#define SEMANTIC_INDEX_KERNEL_FACTORS_ITEM_FACTORS_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/item_bits.h"
#include "base/prefetch.h"

namespace semantic_index {

class LevelOrder;

/** How a factor follows from the value of an item. */
enum class FactorKind : uint8_t {
  /** 2^(-age / scale), where age is how far the value lies before `operand`; at most 1. */
  decay,
  /** 1 + (operand - 1) * value / (value + scale): from 1 to `operand`, half of the way where the value is `scale`. */
  saturation,
  /** `operand` for the items of a set. */
  set,
};

/** Items whose factors are estimated at once, at most. */
constexpr size_t kEstimatedAtOnce = 64;
/** A product and its estimate differ by less than this share. */
constexpr double kEstimateError = 1e-5;

/** Levels that the values of items are divided into, at most. */
constexpr size_t kFactorLevels = 256;

/** A factor of the scores of a part's items: 1 for those without a value. Owns nothing. */
struct ItemFactor {
  FactorKind kind = FactorKind::set;
  double scale = 1;
  double operand = 1;
  /** Of the first `count` items; NaN for none. */
  const double* values = nullptr;
  size_t count = 0;
  ItemBits items;
  /** The level of each value, 0 for none; nullptr if that is not known. */
  const uint8_t* levels = nullptr;
  /** For each level the least value and the greatest one. */
  const double* limits = nullptr;
  size_t level_count = 0;
  /** The items of a graph by these levels; nullptr where there is none. */
  const LevelOrder* order = nullptr;

  double of(uint32_t item) const {
    if (kind == FactorKind::set) return items.contains(item) ? operand : 1;
    return of_value(item < count ? values[item] : std::nan(""));
  }

  /** Multiplies the products of some items, kEstimatedAtOnce at most, by what `of` gives, within a ten millionth. */
  void multiply_estimates(const uint32_t* from, size_t size, double* products) const;

  /** The factor of an item with this value, NaN for none. */
  double of_value(double value) const {
    if (std::isnan(value)) return 1;
    if (kind == FactorKind::decay) return std::exp2(-std::max(0.0, operand - value) / scale);
    return value > 0 ? 1 + (operand - 1) * (value / (value + scale)) : 1;
  }
};

/** The product of factors, bounded so that no score becomes infinite and none of 0 loses the order of what it
 * multiplies. */
struct ItemFactors {
  std::vector<ItemFactor> factors;
  /** No item has a larger product. */
  double greatest = 1;

  /** Prefetches what `of` reads. */
  void prefetch(uint32_t item) const {
    for (const ItemFactor& factor : factors) {
      if (item < factor.count) semantic_index::prefetch(factor.values + item, sizeof(double));
    }
  }

  double of(uint32_t item) const {
    double product = 1;
    for (const ItemFactor& factor : factors) product *= factor.of(item);
    return bounded(product);
  }

  /** About what `of` gives for each of some items, kEstimatedAtOnce at most, in a fraction of its time. */
  void estimate(const uint32_t* items, size_t count, double* products) const;

  static double bounded(double product) {
    constexpr double kLeast = 0x1p-512;
    constexpr double kGreatest = 0x1p512;
    return std::min(kGreatest, std::max(kLeast, product));
  }
};

/** A score with a factor: a negative one is divided, so that a larger factor always is better. */
static inline double boosted(double score, double factor) { return score >= 0 ? score * factor : score / factor; }

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_FACTORS_ITEM_FACTORS_H_
