// Measures the graph index: building it, and searches at several values of search_k against exact results.
//   measure_graph [rows=100000] [dimensions=384] [trees=10] [threads=2] [metric=angular] [file]
// Text-like clusters are generated, or rows are read from a file of floats, the last 1,000 of them as queries.

#include <chrono>
#include <cstdlib>
#include <cstring>

#include "distance/distance.h"
#include "exact/scan.h"
#include "graph/build/graph_build.h"
#include "graph/graph_view.h"
#include "graph/pruned_scan.h"
#include "support/check.h"
#include "support/generate.h"
#include "support/text_like.h"

using namespace semantic_index_test;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

int argument(int count, char** arguments, int place, int fallback) {
  return count > place ? std::atoi(arguments[place]) : fallback;
}

std::vector<float> read_rows(const char* path, int64_t rows, int32_t dimensions) {
  std::vector<float> all(static_cast<size_t>(rows * dimensions));
  std::FILE* file = std::fopen(path, "rb");
  CHECK(file != nullptr);
  const size_t read = std::fread(all.data(), sizeof(float), all.size(), file);
  std::fclose(file);
  all.resize(read / static_cast<size_t>(dimensions) * static_cast<size_t>(dimensions));
  return all;
}

}  // namespace

int main(int count, char** arguments) {
  int32_t rows = argument(count, arguments, 1, 100000);
  const int32_t dimensions = argument(count, arguments, 2, 384);
  const int32_t trees = argument(count, arguments, 3, 10);
  const int threads = argument(count, arguments, 4, 2);
  Metric metric = Metric::angular;
  if (count > 5) CHECK(metric_from_name(arguments[5], &metric));
  constexpr int32_t kQueries = 1000;
  std::vector<float> all =
      count > 6 ? read_rows(arguments[6], rows + kQueries, dimensions) : text_like_rows(rows + kQueries, dimensions, 1);
  rows = static_cast<int32_t>(static_cast<int64_t>(all.size()) / dimensions) - kQueries;
  const std::vector<float> queries(all.end() - static_cast<int64_t>(kQueries) * dimensions, all.end());
  all.resize(static_cast<size_t>(rows) * static_cast<size_t>(dimensions));
  std::printf("%d rows, %d dimensions, %s, %d trees, %d threads, %s\n", rows, dimensions, metric_name(metric), trees,
              threads, distances().name);
  double start = now();
  Index index = build_index(metric, dimensions, all, trees, 1, threads);
  std::printf("forest       %8.2f s, %.1f MB\n", now() - start, static_cast<double>(index.storage->bytes()) / 1e6);
  std::vector<float>().swap(all);

  start = now();
  MemoryBlock file;
  GraphBuildOptions options;
  options.threads = threads;
  CHECK_OK(build_graph_index(index.view, options, &file));
  std::printf("graph        %8.2f s, %.1f MB, %.0f bytes a vector\n", now() - start,
              static_cast<double>(file.size()) / 1e6, static_cast<double>(file.size()) / rows);
  GraphView view;
  start = now();
  CHECK_OK(GraphView::open(file.data(), static_cast<int64_t>(file.size()), index.view, &view));
  std::printf("open         %8.2f us\n", (now() - start) * 1e6);
  int64_t edges = 0;
  for (int32_t position = 0; position < view.header().distinct; ++position) {
    int32_t items[kMaxNeighbors];
    int32_t size;
    CHECK_OK(view.neighbors(position, items, &size));
    edges += size;
  }
  std::printf("neighbors   %8.2f each, %zu landmarks\n", static_cast<double>(edges) / rows,
              landmark_count(view.header()));

  std::vector<int32_t> exact(kQueries * 10);
  start = now();
  for (int32_t query = 0; query < kQueries; query += 100) {
    ExactScan scan;
    CHECK_OK(scan.prepare(index.layout, queries.data() + static_cast<int64_t>(query) * dimensions, 100, 10));
    CHECK_OK(scan.scan(item_rows(index.view), 0, Allowed()));
    scan.finish(exact.data() + query * 10, nullptr);
  }
  std::printf("exact        %8.2f us a query, 100 at once\n", (now() - start) / kQueries * 1e6);

  std::vector<int32_t> bounded(100 * 10);
  start = now();
  for (int32_t query = 0; query < 100; ++query) {
    ExactScan scan;
    CHECK_OK(scan.prepare(index.layout, queries.data() + static_cast<int64_t>(query) * dimensions, 1, 10));
    CHECK_OK(scan_pruned(view, index.view, &scan, 0, view.header().positions, Allowed()));
    scan.finish(bounded.data() + query * 10, nullptr);
  }
  std::printf("exact        %8.2f us a query, one at a time, with bounds\n", (now() - start) / 100 * 1e6);
  for (size_t place = 0; place < bounded.size(); ++place) CHECK_EQUAL(bounded[place], exact[place]);

  GraphScratch scratch;
  for (int64_t search_k : {80, 128, 192, 256, 320, 400, 512, 640, 800, 1024, 1280, 1600, 2048, 4096, 8192}) {
    SearchOptions search;
    search.search_k = search_k;
    int hits = 0;
    double best = 1e9;
    GraphSearchStats total;
    for (int round = 0; round < 3; ++round) {
      hits = 0;
      total = GraphSearchStats();
      start = now();
      for (int32_t query = 0; query < kQueries; ++query) {
        int32_t items[10];
        int32_t found;
        GraphSearchStats work;
        CHECK_OK(view.search(index.view, queries.data() + static_cast<int64_t>(query) * dimensions, search, &scratch,
                             items, nullptr, &found, &work));
        total.compared += work.compared;
        total.refined += work.refined;
        total.reranked += work.reranked;
        for (int32_t rank = 0; rank < found; ++rank) {
          for (int32_t other = 0; other < 10; ++other) {
            hits += items[rank] == exact[static_cast<size_t>(query * 10 + other)];
          }
        }
      }
      best = std::min(best, (now() - start) / kQueries);
    }
    std::printf("search_k %6lld  recall@10 %.4f  %7.1f us  %lld compared, %lld refined, %lld reranked\n",
                static_cast<long long>(search_k), hits / (kQueries * 10.0), best * 1e6,
                static_cast<long long>(total.compared / kQueries), static_cast<long long>(total.refined / kQueries),
                static_cast<long long>(total.reranked / kQueries));
  }
  return 0;
}
