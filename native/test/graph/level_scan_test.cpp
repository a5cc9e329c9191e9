// Levels of a graph's items: their order, and what searches with few high factors find by it.

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

#include "graph/graph_view.h"
#include "graph/search/level_order.h"
#include "support/check.h"
#include "support/generate.h"
#include "support/graph_index.h"

using namespace semantic_index_test;

namespace {

constexpr int32_t kDimensions = 100;

/** A value for each item, its levels, and the order of a graph by them. */
struct Leveled {
  std::vector<double> values;
  std::unique_ptr<FactorLevels> levels;
  ItemFactor factor;
  std::shared_ptr<const LevelOrder> order;

  Leveled(const GraphView& view, FactorKind kind, double scale, double operand, uint64_t seed) {
    Random random(seed);
    for (int32_t item = 0; item < view.header().items; ++item) {
      values.push_back(random.below(50) == 0 ? std::nan("") : random.below(100'000));
    }
    levels = std::make_unique<FactorLevels>(values, 127);
    factor = {kind, scale, operand, values.data(), values.size(), {}};
    levels->attach(&factor);
    CHECK_OK(LevelOrder::build(view, {factor.levels, factor.count}, nullptr, &order));
  }
};

/** The items with the highest products of all that a filter allows, best first. */
std::vector<int32_t> best_items(const Index& index, const float* query, const ItemFactors& factors,
                                const Allowed& allowed, size_t k) {
  const bool is_angular = index.layout.metric == Metric::angular;
  const Truth all = scan_all(index, {query, query + kDimensions}, index.view.items(), allowed);
  std::vector<std::pair<double, int32_t>> products;
  for (size_t rank = 0; rank < all.items.size() && all.items[rank] >= 0; ++rank) {
    const double distance = all.distances[rank];
    const double score = is_angular ? 1 - distance * distance / 2 : 1 / (1 + distance);
    products.emplace_back(-boosted(score, factors.of(static_cast<uint32_t>(all.items[rank]))), all.items[rank]);
  }
  std::sort(products.begin(), products.end());
  std::vector<int32_t> best;
  for (size_t rank = 0; rank < std::min(k, products.size()); ++rank) best.push_back(products[rank].second);
  return best;
}

/** The share of the ten best of each query that searches find. */
double recall_of(const Index& index, const GraphView& view, const std::vector<float>& queries,
                 const ItemFactors& factors, const Allowed& allowed = Allowed()) {
  GraphScratch scratch;
  double hits = 0;
  double possible = 0;
  for (size_t at = 0; at < queries.size(); at += kDimensions) {
    SearchOptions options;
    options.k = 100;
    options.best = 10;
    options.search_k = 1000;
    options.factors = &factors;
    options.allowed = allowed;
    int32_t items[100];
    int32_t size = 0;
    CHECK_OK(view.search(index.view, queries.data() + at, options, &scratch, items, nullptr, &size));
    CHECK_EQUAL(std::set<int32_t>(items, items + size).size(), static_cast<size_t>(size));
    for (int32_t rank = 0; rank < size; ++rank) CHECK(allowed.contains(items[rank]));
    for (int32_t item : best_items(index, queries.data() + at, factors, allowed, 10)) {
      hits += std::count(items, items + size, item) > 0 ? 1 : 0;
      ++possible;
    }
  }
  return hits / possible;
}

}  // namespace

TEST(orders_every_item_by_its_level) {
  Data data = make_data(kIsSanitized ? 1500 : 6000, kDimensions, 1);
  // Copies share positions.
  for (size_t item = 0; item < 40; ++item) {
    std::copy_n(data.rows.begin(), kDimensions, data.rows.begin() + static_cast<std::ptrdiff_t>(item * kDimensions));
  }
  const Index index = build_index(Metric::angular, kDimensions, data.rows, 4);
  GraphFixture graph;
  derive_graph(index, &graph);
  const Leveled leveled(graph.view, FactorKind::decay, 1000, 100'000, 1);
  const GraphHeader& header = graph.view.header();
  const auto* const items = graph.view.section<int32_t>(GraphSection::items);

  std::vector<size_t> expected(kFactorLevels, 0);
  for (int32_t item = 0; item < header.items; ++item) ++expected[leveled.levels->level(static_cast<size_t>(item))];
  std::vector<size_t> counted(kFactorLevels, 0);
  std::set<uint32_t> positions;
  size_t next = 0;
  for (const LevelChunk& chunk : leveled.order->chunks()) {
    CHECK_EQUAL(chunk.first, next);
    CHECK(chunk.size > 0 && chunk.size <= kLevelChunk);
    next += chunk.size;
    counted[chunk.level] += chunk.size;
    for (size_t place = 0; place < chunk.size; ++place) {
      const uint32_t position = leveled.order->positions(chunk)[place];
      CHECK(position < static_cast<uint32_t>(header.distinct));
      positions.insert(position);
    }
  }
  CHECK_EQUAL(next, leveled.order->size());
  CHECK(counted == expected);
  CHECK_EQUAL(positions.size(), static_cast<size_t>(header.distinct));
  for (int32_t position = 0; position < header.distinct; ++position) {
    const auto own = static_cast<size_t>(items[position]);
    CHECK_EQUAL(leveled.order->levels()[position], leveled.levels->level(own));
  }
}

TEST(finds_few_items_with_high_factors_far_from_the_query) {
  for (Metric metric : {Metric::angular, Metric::euclidean}) {
    const Data data = make_data(kIsSanitized ? 3000 : 12'000, kDimensions, kIsSanitized ? 20 : 100);
    const Index index = build_index(metric, kDimensions, data.rows, 6);
    GraphFixture graph;
    derive_graph(index, &graph);
    std::vector<uint32_t> half((static_cast<size_t>(index.view.items()) + 31) / 32, 0x55555555u);
    const Allowed every_other = {half.data(), static_cast<int64_t>(half.size())};
    // A scan in place of a walk, beside one, and none.
    for (double half_life : {700.0, 20'000.0, 500'000.0}) {
      Leveled leveled(graph.view, FactorKind::decay, half_life, 100'000, 5);
      ItemFactors factors;
      factors.factors.push_back(leveled.factor);
      const double without = recall_of(index, graph.view, data.queries, factors);
      factors.factors[0].order = leveled.order.get();
      const double with = recall_of(index, graph.view, data.queries, factors);
      const double filtered = recall_of(index, graph.view, data.queries, factors, every_other);
      std::printf("  %s, half-life %.0f: recall@10 %.3f by a walk alone, %.3f with levels, %.3f filtered\n",
                  metric_name(metric), half_life, without, with, filtered);
      CHECK(with >= 0.95);
      CHECK(filtered >= 0.95);
      if (half_life < 1000) CHECK(with > without);
    }
  }
}

TEST(multiplies_levels_with_other_factors) {
  const Data data = make_data(kIsSanitized ? 3000 : 12'000, kDimensions, kIsSanitized ? 20 : 100);
  const Index index = build_index(Metric::angular, kDimensions, data.rows, 6);
  GraphFixture graph;
  derive_graph(index, &graph);
  const Leveled ages(graph.view, FactorKind::decay, 2000, 100'000, 7);
  const Leveled stars(graph.view, FactorKind::saturation, 1000, 3, 8);
  std::vector<uint32_t> some((static_cast<size_t>(index.view.items()) + 31) / 32, 0x10001u);
  ItemFactors factors;
  const ItemBits set = {some.data(), static_cast<int64_t>(some.size())};
  factors.factors = {ages.factor, stars.factor};
  factors.factors.push_back({FactorKind::set, 1, 0.5, nullptr, 0, set});
  factors.factors[0].order = ages.order.get();
  factors.greatest = 3;
  CHECK(recall_of(index, graph.view, data.queries, factors) >= 0.95);
}

TEST(refuses_a_damaged_order) {
  const Data data = make_data(1000, kDimensions, 1);
  const Index index = build_index(Metric::angular, kDimensions, data.rows, 4);
  GraphFixture graph;
  derive_graph(index, &graph);
  auto* const slots = const_cast<int32_t*>(graph.view.section<int32_t>(GraphSection::slots));
  std::vector<uint8_t> levels(1000, 1);
  std::shared_ptr<const LevelOrder> order;
  const int32_t sound = slots[5];
  for (int32_t damaged : {1000, INT32_MAX}) {
    slots[5] = damaged;
    CHECK(LevelOrder::build(graph.view, {levels.data(), levels.size()}, nullptr, &order).code == StatusCode::corrupt);
  }
  slots[5] = sound;
  CHECK_OK(LevelOrder::build(graph.view, {levels.data(), levels.size()}, nullptr, &order));
}
