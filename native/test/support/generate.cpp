#include "support/generate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "support/check.h"

namespace semantic_index_test {

float normal(Random* random) {
  const double first = (static_cast<double>(random->next() >> 11) + 1.0) / 9007199254740993.0;
  const double second = static_cast<double>(random->next() >> 11) / 9007199254740992.0;
  return static_cast<float>(std::sqrt(-2.0 * std::log(first)) * std::cos(6.283185307179586 * second));
}

std::vector<float> random_rows(Metric metric, int64_t rows, int32_t dimensions, uint64_t seed) {
  Random random(seed);
  std::vector<float> result(static_cast<size_t>(rows * dimensions));
  for (float& number : result) number = metric == Metric::hamming ? (random.flip() ? 1.0f : 0.0f) : normal(&random);
  return result;
}

std::vector<float> clustered_rows(int64_t rows, int32_t dimensions, int32_t clusters, uint64_t seed, float spread) {
  const std::vector<float> centroids = random_rows(Metric::angular, clusters, dimensions, seed);
  Random random(seed + 1);
  std::vector<float> result(static_cast<size_t>(rows * dimensions));
  for (int64_t row = 0; row < rows; ++row) {
    const size_t centroid = random.below(static_cast<uint32_t>(clusters)) * static_cast<size_t>(dimensions);
    for (int32_t column = 0; column < dimensions; ++column) {
      result[static_cast<size_t>(row * dimensions + column)] =
          centroids[centroid + static_cast<size_t>(column)] + spread * normal(&random);
    }
  }
  return result;
}

Index build_index(Metric metric, int32_t dimensions, const std::vector<float>& rows, int32_t trees, uint64_t seed,
                  int threads) {
  Index index;
  CHECK_OK(make_layout(metric, dimensions, &index.layout));
  CHECK_OK(NodeStorage::in_memory(index.layout, &index.storage));
  CHECK_OK(index.storage->set_items(0, rows.data(), static_cast<int64_t>(rows.size()) / dimensions, dimensions));
  BuildOptions options;
  options.trees = trees;
  options.seed = seed;
  options.threads = threads;
  BuildResult result;
  CHECK_OK(build_forest(index.storage.get(), options, &result));
  CHECK_OK(ForestView::open(index.storage->data(), index.storage->bytes(), index.layout, &index.view));
  return index;
}

std::vector<double> numbers_of_all_sizes(Random* random) {
  std::vector<double> numbers = {0,
                                 -0.0,
                                 std::nan(""),
                                 std::numeric_limits<double>::max(),
                                 std::numeric_limits<double>::lowest(),
                                 std::numeric_limits<double>::denorm_min()};
  for (int number = 0; number < 10000; ++number) {
    numbers.push_back((random->below(2000000) - 1000000.0) * std::exp2(random->below(40) - 20.0));
  }
  return numbers;
}

FactorLevels::FactorLevels(const std::vector<double>& values, size_t count)
    : levels_(values.size(), 0), limits_(2 * (count + 1), std::nan("")) {
  std::vector<double> sorted;
  for (const double value : values) {
    if (!std::isnan(value)) sorted.push_back(value);
  }
  std::sort(sorted.begin(), sorted.end());
  for (size_t item = 0; item < values.size(); ++item) {
    const double value = values[item];
    if (std::isnan(value)) continue;
    // Equal values have one level.
    const auto rank = static_cast<size_t>(std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin());
    const size_t level = 1 + rank * count / sorted.size();
    levels_[item] = static_cast<uint8_t>(level);
    double* const limits = limits_.data() + 2 * level;
    limits[0] = std::isnan(limits[0]) ? value : std::min(limits[0], value);
    limits[1] = std::isnan(limits[1]) ? value : std::max(limits[1], value);
  }
}

void FactorLevels::attach(ItemFactor* factor) const {
  factor->levels = levels_.data();
  factor->limits = limits_.data();
  factor->level_count = limits_.size() / 2;
}

}  // namespace semantic_index_test
