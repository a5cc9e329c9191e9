// Items that approximate search easily misses are found by their own vectors: among near-duplicates and copies, far
// from all others, and in small groups.

#include <algorithm>
#include <cmath>

#include "graph/build/graph_build.h"
#include "graph/graph_view.h"
#include "support/check.h"
#include "support/generate.h"
#include "support/graph_index.h"

using namespace semantic_index_test;

namespace {

constexpr int32_t kNearest = 10;

/** The share of `asked` that are among the ten nearest of their own vectors, of those that a scan finds there. */
double self_recall(const Index& index, const std::vector<float>& rows, const std::vector<int32_t>& asked,
                   const Allowed& allowed = Allowed()) {
  GraphFixture graph;
  derive_graph(index, &graph);
  const auto dimensions = static_cast<size_t>(index.layout.dimensions);
  std::vector<float> queries;
  for (int32_t item : asked) {
    const float* row = rows.data() + static_cast<size_t>(item) * dimensions;
    queries.insert(queries.end(), row, row + dimensions);
  }
  const Truth truth = scan_all(index, queries, kNearest, allowed);
  GraphScratch scratch;
  int possible = 0;
  int hits = 0;
  for (size_t place = 0; place < asked.size(); ++place) {
    SearchOptions options;
    options.allowed = allowed;
    int32_t items[kNearest];
    int32_t found = 0;
    GraphSearchStats work;
    CHECK_OK(graph.view.search(index.view, queries.data() + place * dimensions, options, &scratch, items, nullptr,
                               &found, &work));
    const int32_t* wanted = truth.items.data() + place * kNearest;
    if (std::find(wanted, wanted + kNearest, asked[place]) == wanted + kNearest) continue;
    ++possible;
    hits += std::find(items, items + found, asked[place]) != items + found ? 1 : 0;
  }
  CHECK(possible > 0);
  return static_cast<double>(hits) / possible;
}

std::vector<int32_t> every(int32_t step, int32_t rows) {
  std::vector<int32_t> items;
  for (int32_t item = 0; item < rows; item += step) items.push_back(item);
  return items;
}

/** `size` variants of each of `groups` vectors, in turn. */
std::vector<float> variants(int32_t groups, int32_t size, int32_t dimensions, float spread) {
  const std::vector<float> centroids = random_rows(Metric::angular, groups, dimensions, 4);
  Random random(5);
  std::vector<float> rows(static_cast<size_t>(groups) * static_cast<size_t>(size) * static_cast<size_t>(dimensions));
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i] = centroids[i % centroids.size()] + (spread > 0 ? spread * normal(&random) : 0.0f);
  }
  return rows;
}

}  // namespace

TEST(finds_near_duplicates_by_themselves) {
  for (Metric metric : {Metric::angular, Metric::euclidean}) {
    for (int32_t size : {30, 150, 500}) {
      if (kIsSanitized && size > 150) continue;
      for (double cosine : {0.95, 0.997, 0.9999}) {
        const std::vector<float> rows =
            variants(2000 / size, size, 48, static_cast<float>(std::sqrt(1.0 / cosine - 1.0)));
        const auto count = static_cast<int32_t>(rows.size() / 48);
        const Index index = build_index(metric, 48, rows, 5, 1, 2);
        CHECK_EQUAL(self_recall(index, rows, every(13, count)), 1.0);
      }
    }
  }
}

TEST(finds_copies_in_the_order_of_items) {
  for (Metric metric : {Metric::angular, Metric::euclidean}) {
    std::vector<float> rows = variants(8, 400, 16, 0);
    // A few of other lengths: the same direction, but other bytes.
    for (size_t row = 5; row < 3200; row += 7) {
      for (size_t column = 0; column < 16; ++column) rows[row * 16 + column] *= 2;
    }
    const Index index = build_index(metric, 16, rows, 5, 1, 2);
    CHECK_EQUAL(self_recall(index, rows, every(11, 3200)), 1.0);
    std::vector<int32_t> allowed_items;
    std::vector<uint32_t> bits(100, 0u);
    for (int32_t item : every(3, 3200)) bits[static_cast<size_t>(item / 32)] |= 1u << (item % 32);
    for (int32_t item : every(33, 3200)) allowed_items.push_back(item);
    CHECK_EQUAL(self_recall(index, rows, allowed_items, {bits.data(), 100}), 1.0);
  }
}

TEST(finds_outliers_and_islands) {
  for (Metric metric : {Metric::angular, Metric::euclidean}) {
    for (int32_t size : {1, 5, 30}) {
      const std::vector<float> centroid = random_rows(Metric::angular, 1, 48, 6);
      const std::vector<float> far = random_rows(Metric::angular, 30, 48, 7);
      Random random(8);
      std::vector<float> rows(4000 * 48);
      for (size_t i = 0; i < rows.size(); ++i) rows[i] = centroid[i % 48] + 0.3f * normal(&random);
      std::vector<int32_t> asked;
      for (int32_t one = 0; one < 30 * size; ++one) {
        asked.push_back(one * 4000 / (30 * size));
        for (size_t column = 0; column < 48; ++column) {
          rows[static_cast<size_t>(asked.back()) * 48 + column] =
              3 * far[static_cast<size_t>(one % 30) * 48 + column] + 0.1f * normal(&random);
        }
      }
      const Index index = build_index(metric, 48, rows, 5, 1, 2);
      CHECK_EQUAL(self_recall(index, rows, asked), 1.0);
    }
  }
}

TEST(finds_as_many_products_as_the_trees_do) {
  for (float spread : {0.0f, 0.3f}) {
    std::vector<float> rows = random_rows(Metric::dot, 6000, 48, 9);
    Random random(10);
    for (size_t row = 0; row < 6000; ++row) {
      const float length = std::exp(spread * normal(&random));
      for (size_t column = 0; column < 48; ++column) rows[row * 48 + column] *= length;
    }
    const Index index = build_index(Metric::dot, 48, rows, 10, 1, 2);
    GraphFixture graph;
    derive_graph(index, &graph);
    if (spread > 0) CHECK_EQUAL(graph.view.header().needs_trees, 1u);
    const std::vector<float> queries = random_rows(Metric::dot, 50, 48, 11);
    const Truth truth = scan_all(index, queries, kNearest);
    GraphScratch scratch;
    SearchScratch tree_scratch;
    for (int64_t search_k : {-1, 1500}) {
      int hits[2] = {};
      for (size_t query = 0; query < 50; ++query) {
        SearchOptions options;
        options.search_k = search_k;
        int32_t items[2][kNearest];
        int32_t found[2];
        CHECK_OK(graph.view.search(index.view, queries.data() + query * 48, options, &scratch, items[0], nullptr,
                                   &found[0]));
        CHECK_OK(index.view.search(queries.data() + query * 48, options, &tree_scratch, items[1], nullptr, &found[1]));
        const int32_t* wanted = truth.items.data() + query * kNearest;
        for (int way = 0; way < 2; ++way) {
          for (int32_t rank = 0; rank < found[way]; ++rank) {
            hits[way] += std::find(wanted, wanted + kNearest, items[way][rank]) != wanted + kNearest ? 1 : 0;
          }
        }
      }
      std::printf("  spread %.1f, search_k %lld: %d with the graph, %d by trees\n", static_cast<double>(spread),
                  static_cast<long long>(search_k), hits[0], hits[1]);
      CHECK(hits[0] >= hits[1]);
    }
  }
}

TEST(derives_at_most_one_graph_of_trees_that_hold_all_items_in_one_list) {
  const std::vector<float> rows = random_rows(Metric::angular, 150, 200, 12);
  const Index few = build_index(Metric::angular, 200, rows, 1);
  const Index many = build_index(Metric::angular, 200, rows, 150);
  int64_t totals[2] = {};
  const Index* indexes[] = {&few, &many};
  for (int number = 0; number < 2; ++number) {
    GraphBuildOptions options;
    options.threads = 1;
    options.progress_context = &totals[number];
    options.progress = [](void* context, int64_t, int64_t total) { *static_cast<int64_t*>(context) = total; };
    MemoryBlock file;
    CHECK_OK(build_graph_index(indexes[number]->view, options, &file));
  }
  CHECK_EQUAL(totals[0], totals[1]);
}
