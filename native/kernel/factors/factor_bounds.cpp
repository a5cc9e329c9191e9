#include "factors/factor_bounds.h"

#include <algorithm>

namespace semantic_index {

namespace {

/** More than what a product loses by rounding. */
constexpr double kMargin = 1 + 1e-12;

}  // namespace

void FactorBounds::prepare(const ItemFactors& factors) {
  tables_.resize(factors.factors.size());
  const FactorTable* leveled = nullptr;
  double others = 1;
  for (size_t place = 0; place < tables_.size(); ++place) {
    FactorTable& table = tables_[place];
    table.factor = &factors.factors[place];
    table.prepare(ItemFactors::bounded(factors.greatest));
    if (leveled == nullptr && table.factor->levels != nullptr) {
      leveled = &table;
    } else {
      others *= table.greatest;
    }
  }
  levels_ = {};
  leveled_ = leveled == nullptr ? nullptr : leveled->factor;
  if (leveled == nullptr) return;
  levels_ = {leveled->factor->levels, leveled->factor->count};
  for (size_t level = 0; level < kFactorLevels; ++level) {
    least_scores_[level] = 1 / (ItemFactors::bounded(leveled->bounds[level] * others) * kMargin);
  }
}

void FactorTable::prepare(double greatest_product) {
  greatest = 1;
  if (factor->kind != FactorKind::decay) greatest = std::max(greatest, factor->operand);
  if (factor->levels == nullptr) return;
  // Factors rise with the value, or fall if they are below 1.
  const size_t highest = factor->kind == FactorKind::saturation && factor->operand < 1 ? 0 : 1;
  // A level without limits bounds nothing.
  std::fill_n(bounds, kFactorLevels, greatest_product);
  bounds[0] = 1;
  for (size_t level = 1; level < std::min(factor->level_count, kFactorLevels); ++level) {
    bounds[level] = factor->of_value(factor->limits[2 * level + highest]) * kMargin;
  }
}

void FactorBounds::of(const uint32_t* items, size_t count, double* bounds) const {
  std::fill_n(bounds, count, 1.0);
  for (const FactorTable& table : tables_) {
    const ItemFactor& factor = *table.factor;
    if (factor.levels == nullptr) {
      for (size_t index = 0; index < count; ++index) bounds[index] *= factor.of(items[index]) * kMargin;
    } else {
      const ItemLevels levels = {factor.levels, factor.count};
      for (size_t index = 0; index < count; ++index) {
        bounds[index] *= table.bounds[levels.of(items[index])];
      }
    }
  }
  for (size_t index = 0; index < count; ++index) bounds[index] = ItemFactors::bounded(bounds[index]) * kMargin;
}

}  // namespace semantic_index
