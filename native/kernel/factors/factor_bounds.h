#ifndef SEMANTIC_INDEX_KERNEL_FACTORS_FACTOR_BOUNDS_H_
#define SEMANTIC_INDEX_KERNEL_FACTORS_FACTOR_BOUNDS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "factors/item_factors.h"

namespace semantic_index {

/** Items whose bounds are looked up at once, at most. */
constexpr size_t kBoundedAtOnce = 64;

/** The levels of items by the values of a factor. */
struct ItemLevels {
  const uint8_t* levels = nullptr;
  size_t count = 0;

  bool are_known() const { return levels != nullptr; }
  /** 0 for an item without a value. */
  uint8_t of(uint32_t item) const { return item < count ? levels[item] : 0; }
};

/** Upper bounds of one factor. */
struct FactorTable {
  const ItemFactor* factor;
  /** Of items by their level, where these have levels. */
  double bounds[kFactorLevels];
  /** Of all items. */
  double greatest;

  void prepare(double greatest_product);
};

/**
 * Upper bounds of the factors of a part's items. A factor is computed for the limits of each level of its values, and
 * looked up for items: a byte is read for each, and nothing is computed.
 */
class FactorBounds {
 public:
  /** `factors`, and what they refer to, must stay as long as bounds are looked up. May throw bad_alloc. */
  void prepare(const ItemFactors& factors);

  /** For each of some items, kBoundedAtOnce at most, what `ItemFactors::of` gives or a little more. */
  void of(const uint32_t* items, size_t count, double* bounds) const;

  /** The levels of items by one of their factors, if one has any. */
  const ItemLevels& levels() const { return levels_; }
  /** The factor that has them; nullptr if none has any. */
  const ItemFactor* leveled() const { return leveled_; }

  /** For each of these levels the score that an item needs at least to have 1 with all its factors. */
  const double* least_scores() const { return least_scores_; }

  /** In the order of the factors. */
  const std::vector<FactorTable>& tables() const { return tables_; }

 private:
  std::vector<FactorTable> tables_;
  ItemLevels levels_;
  const ItemFactor* leveled_ = nullptr;
  double least_scores_[kFactorLevels];
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_FACTORS_FACTOR_BOUNDS_H_
