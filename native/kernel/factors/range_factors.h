#ifndef SEMANTIC_INDEX_KERNEL_FACTORS_RANGE_FACTORS_H_
#define SEMANTIC_INDEX_KERNEL_FACTORS_RANGE_FACTORS_H_

#include <cstdint>
#include <vector>

#include "factors/factor_bounds.h"

namespace semantic_index {

/** Multiplies bounds of the scores in ranges of items (see item_ranges.h) by the greatest factor in each range. */
class RangeFactors {
 public:
  /**
   * Multiplies the sums of a part's ranges, whole groups of them, by the greatest factor of their items as a share of
   * the returned factor, rounded up. No item has a larger factor than that, unless all are bounded
   * (`ItemFactors::bounded`). May throw bad_alloc.
   */
  double multiply(const FactorBounds& bounds, std::vector<uint16_t>* sums);

 private:
  double multiply_levels(const FactorTable& table, std::vector<uint16_t>* sums);
  double multiply_set(const ItemFactor& factor, std::vector<uint16_t>* sums);

  /** For each range the class of its greatest factor. */
  std::vector<uint8_t> classes_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_FACTORS_RANGE_FACTORS_H_
