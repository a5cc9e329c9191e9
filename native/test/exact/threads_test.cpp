// A batch of queries over several threads: they share the forest, and each has its own scratch.

#include <atomic>
#include <thread>

#include "exact/row_buffer.h"
#include "support/check.h"
#include "support/generate.h"

using namespace semantic_index_test;

namespace {

constexpr int32_t kDimensions = 24;
constexpr int32_t kNeighbors = 10;
constexpr int32_t kQueries = 200;

/** Neighbors of all queries, by so many threads that take the queries in turn. */
std::vector<int32_t> search_batch(const ForestView& view, const std::vector<float>& queries, int threads) {
  std::vector<int32_t> items(static_cast<size_t>(kQueries * kNeighbors), -1);
  std::atomic<int32_t> next{0};
  std::vector<std::thread> running;
  for (int number = 0; number < threads; ++number) {
    running.emplace_back([&] {
      SearchScratch scratch;
      SearchOptions options;
      options.k = kNeighbors;
      options.search_k = 600;
      float distances[kNeighbors];
      for (int32_t query = next++; query < kQueries; query = next++) {
        int32_t found = 0;
        CHECK_OK(view.search(queries.data() + query * kDimensions, options, &scratch, &items[query * kNeighbors],
                             distances, &found));
        CHECK_EQUAL(found, kNeighbors);
      }
    });
  }
  for (std::thread& thread : running) thread.join();
  return items;
}

}  // namespace

TEST(a_batch_finds_the_same_for_any_threads) {
  for (Metric metric : kMetrics) {
    const std::vector<float> data = random_rows(metric, 6000, kDimensions, 5);
    const Index index = build_index(metric, kDimensions, data, 6, 7, 4);
    const std::vector<float> queries = random_rows(metric, kQueries, kDimensions, 6);
    const std::vector<int32_t> expected = search_batch(index.view, queries, 1);
    for (int threads : {2, 5}) CHECK(search_batch(index.view, queries, threads) == expected);
  }
}
