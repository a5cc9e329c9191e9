#ifndef SEMANTIC_INDEX_TEST_SUPPORT_GENERATE_H_
#define SEMANTIC_INDEX_TEST_SUPPORT_GENERATE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "annoy/forest_build.h"
#include "annoy/forest_view.h"
#include "annoy/node_storage.h"
#include "base/random.h"
#include "factors/item_factors.h"

namespace semantic_index_test {

using namespace semantic_index;

constexpr Metric kMetrics[] = {Metric::angular, Metric::euclidean, Metric::manhattan, Metric::dot, Metric::hamming};

/** A number from a normal distribution (Box, Muller 1958). */
float normal(Random* random);

/** Rows of normal numbers; for hamming, of zeros and ones. */
std::vector<float> random_rows(Metric metric, int64_t rows, int32_t dimensions, uint64_t seed);

/** Rows around `clusters` centroids: text-like in that neighbors exist. */
std::vector<float> clustered_rows(int64_t rows, int32_t dimensions, int32_t clusters, uint64_t seed,
                                  float spread = 0.7f);

struct Index {
  NodeLayout layout;
  std::unique_ptr<NodeStorage> storage;
  ForestView view;
};

/** Builds a forest in memory over rows, and a view of it. */
Index build_index(Metric metric, int32_t dimensions, const std::vector<float>& rows, int32_t trees, uint64_t seed = 1,
                  int threads = 1);

/** Both zeros, a NaN and the limits of doubles; then 10,000 numbers of both signs, from a millionth to 5e11. */
std::vector<double> numbers_of_all_sizes(Random* random);

/** Values of items, NaN for none, divided into levels of the same size. */
class FactorLevels {
 public:
  explicit FactorLevels(const std::vector<double>& values, size_t count = kFactorLevels - 1);

  /** Gives a factor of these values their levels, which must stay. */
  void attach(ItemFactor* factor) const;

  uint8_t level(size_t item) const { return levels_[item]; }

 private:
  std::vector<uint8_t> levels_;
  std::vector<double> limits_;
};

}  // namespace semantic_index_test

#endif  // SEMANTIC_INDEX_TEST_SUPPORT_GENERATE_H_
