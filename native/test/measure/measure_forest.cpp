// Measures builds, searches and scans of clustered vectors:
//   measure_forest [rows=50000] [dimensions=128] [trees=10] [threads=1] [metric=angular]

#include <chrono>
#include <cstring>
#include <set>

#include "distance/distance.h"
#include "exact/scan.h"
#include "support/check.h"
#include "support/generate.h"

using namespace semantic_index_test;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

int argument(int count, char** arguments, int place, int fallback) {
  return count > place ? std::atoi(arguments[place]) : fallback;
}

}  // namespace

int main(int count, char** arguments) {
  const int32_t rows = argument(count, arguments, 1, 50000);
  const int32_t dimensions = argument(count, arguments, 2, 128);
  const int32_t trees = argument(count, arguments, 3, 10);
  const int threads = argument(count, arguments, 4, 1);
  Metric metric = Metric::angular;
  if (count > 5) CHECK(metric_from_name(arguments[5], &metric));
  const int32_t clusters = rows / 100 + 1;
  constexpr int32_t kQueries = 500;
  const std::vector<float> all = clustered_rows(rows + kQueries, dimensions, clusters, 1);
  const std::vector<float> data(all.begin(), all.begin() + static_cast<int64_t>(rows) * dimensions);
  const float* queries = all.data() + static_cast<int64_t>(rows) * dimensions;
  std::printf("%d rows, %d dimensions, %s, %d trees, %d threads, %s\n", rows, dimensions, metric_name(metric), trees,
              threads, distances().name);

  double start = now();
  const Index index = build_index(metric, dimensions, data, trees, 1, threads);
  std::printf("build            %8.3f s (%d nodes, %.1f MB)\n", now() - start, index.view.nodes(),
              static_cast<double>(index.storage->bytes()) / 1e6);

  ExactScan scan;
  const double bytes = static_cast<double>(rows) * static_cast<double>(index.layout.node_bytes);
  std::vector<int32_t> exact(kQueries * 10);
  for (int32_t batch : {1, 4, 64}) {
    const int32_t wanted = batch == 1 ? 20 : kQueries;
    start = now();
    for (int32_t query = 0; query < wanted; query += batch) {
      const int32_t size = std::min(batch, wanted - query);
      CHECK_OK(scan.prepare(index.layout, queries + static_cast<int64_t>(query) * dimensions, size, 10));
      CHECK_OK(scan.scan(item_rows(index.view), 0, Allowed()));
      scan.finish(exact.data() + query * 10, nullptr);
    }
    const double seconds = (now() - start) / wanted;
    std::printf("scan, %2d at once %8.1f us each, %.1f GB/s read, %.1f Gdot/s*dim\n", batch, seconds * 1e6,
                bytes / seconds / 1e9 / batch, static_cast<double>(rows) * dimensions / seconds / 1e9);
  }

  SearchScratch scratch;
  for (int64_t search_k : {100, 250, 500, 1000, 2000, 4000, 8000, 16000}) {
    SearchOptions options;
    options.search_k = search_k;
    int hits = 0;
    double best = 1e9;
    for (int round = 0; round < 3; ++round) {
      hits = 0;
      start = now();
      for (int32_t query = 0; query < kQueries; ++query) {
        int32_t items[10];
        int32_t found;
        CHECK_OK(index.view.search(queries + static_cast<int64_t>(query) * dimensions, options, &scratch, items,
                                   nullptr, &found));
        for (int32_t rank = 0; rank < found; ++rank) {
          for (int32_t other = 0; other < 10; ++other)
            hits += items[rank] == exact[static_cast<size_t>(query * 10 + other)];
        }
      }
      best = std::min(best, (now() - start) / kQueries);
    }
    std::printf("search_k %6lld  recall@10 %.3f  %8.1f us\n", static_cast<long long>(search_k),
                hits / (kQueries * 10.0), best * 1e6);
  }
  return 0;
}
