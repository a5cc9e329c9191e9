#ifndef SEMANTIC_INDEX_TEST_SUPPORT_FACTOR_LEVELS_H_
#define SEMANTIC_INDEX_TEST_SUPPORT_FACTOR_LEVELS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/item_factors.h"

namespace semantic_index_test {

/** Values of items, NaN for none, divided into levels of the same size. */
class FactorLevels {
 public:
  explicit FactorLevels(const std::vector<double>& values, size_t count = semantic_index::kFactorLevels - 1);

  /** Gives a factor of these values their levels, which must stay. */
  void attach(semantic_index::ItemFactor* factor) const;

  uint8_t level(size_t item) const { return levels_[item]; }

 private:
  std::vector<uint8_t> levels_;
  std::vector<double> limits_;
};

}  // namespace semantic_index_test

#endif  // SEMANTIC_INDEX_TEST_SUPPORT_FACTOR_LEVELS_H_
