#include "factors/range_factors.h"

#include <algorithm>
#include <cmath>

#include "base/item_ranges.h"
#include "distance/distance.h"

namespace semantic_index {

namespace {

static_assert(kRangeItems == 4, "greatest_of_four takes the items of a range");
static_assert(kRangeGroup % (kShareBlock / 2) == 0, "scale_by_class takes an even number of groups");

constexpr uint8_t kLastClass = kShareClasses - 1;
/** A share of 1. */
constexpr uint8_t kWhole = 255;

/** A share as `scale_by_class` takes it, rounded up. */
uint8_t share_byte(double share) {
  return static_cast<uint8_t>(std::min<double>(kWhole, std::ceil(share * 65536 / 257)));
}

}  // namespace

double RangeFactors::multiply(const FactorBounds& bounds, std::vector<uint16_t>* sums) {
  double greatest = 1;
  for (const FactorTable& table : bounds.tables()) {
    greatest *=
        table.factor->kind == FactorKind::set ? multiply_set(*table.factor, sums) : multiply_levels(table, sums);
  }
  return greatest;
}

/** The class of a range is the highest level of its items: factors rise with the level. */
double RangeFactors::multiply_levels(const FactorTable& table, std::vector<uint16_t>* sums) {
  const ItemFactor& factor = *table.factor;
  const bool falls = factor.kind == FactorKind::saturation && factor.operand < 1;
  if (factor.levels == nullptr || falls) return table.greatest;
  // What has no value, level 0, has the highest factor that decays, and the lowest of others.
  const uint8_t lowest = factor.kind == FactorKind::decay ? 1 : 0;
  classes_.assign(sums->size(), static_cast<uint8_t>(0 - lowest));
  const size_t whole = factor.count / kRangeItems;
  distances().greatest_of_four(factor.levels, lowest, whole, classes_.data());
  if (whole * kRangeItems < factor.count) {
    uint8_t last[kRangeItems] = {};
    std::copy(factor.levels + whole * kRangeItems, factor.levels + factor.count, last);
    distances().greatest_of_four(last, lowest, 1, &classes_[whole]);
  }
  uint8_t highest = 0;
  for (uint8_t& own : classes_) {
    highest = std::max(highest, own);
    own = std::min(own, kLastClass);
  }
  const size_t levels = std::min(factor.level_count, kFactorLevels);
  const size_t highest_level = size_t{highest} + lowest;
  const double greatest = highest_level < levels ? table.bounds[highest_level] : table.greatest;
  // The last class has all levels from there on.
  uint8_t shares[kShareClasses];
  std::fill_n(shares, kShareClasses, kWhole);
  for (size_t level = lowest; level < levels && level - lowest < kLastClass; ++level) {
    if (table.bounds[level] < greatest) shares[level - lowest] = share_byte(table.bounds[level] / greatest);
  }
  distances().scale_by_class(classes_.data(), shares, sums->size(), sums->data());
  return greatest;
}

/** The class of a range has a bit for each item, set where that is in the set. */
double RangeFactors::multiply_set(const ItemFactor& factor, std::vector<uint16_t>* sums) {
  constexpr uint8_t kAll = (1 << kRangeItems) - 1;
  constexpr size_t kRangesOfWord = 32 / kRangeItems;
  classes_.assign(sums->size(), 0);
  const size_t words = std::min(static_cast<size_t>(factor.items.words), sums->size() / kRangesOfWord);
  uint8_t* own = classes_.data();
  for (size_t word = 0; word < words; ++word) {
    uint32_t bits = factor.items.bits[word];
    for (size_t range = 0; range < kRangesOfWord; ++range, bits >>= kRangeItems) *own++ = bits & kAll;
  }
  const double greatest = std::max(1.0, factor.operand);
  uint8_t shares[kShareClasses] = {};
  shares[0] = share_byte(1 / greatest);
  shares[kAll] = share_byte(factor.operand / greatest);
  for (uint8_t some = 1; some < kAll; ++some) shares[some] = kWhole;
  distances().scale_by_class(classes_.data(), shares, sums->size(), sums->data());
  return greatest;
}

}  // namespace semantic_index
