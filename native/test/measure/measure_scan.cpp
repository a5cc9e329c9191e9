// Measures exact search against the memory it reads: how fast a thread adds up all bytes, and how fast it scans them.
//   measure_scan [rows=200000] [dimensions=384] [threads=2]

#include <chrono>
#include <cstdlib>
#include <thread>

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

/** The sum of all 64-bit words: eight sums, so that additions are never what is waited for. */
uint64_t add_up(const uint64_t* words, size_t count) {
  uint64_t sums[8] = {};
  for (size_t i = 0; i + 8 <= count; i += 8) {
    for (size_t lane = 0; lane < 8; ++lane) sums[lane] += words[i + lane];
  }
  uint64_t sum = 0;
  for (uint64_t one : sums) sum += one;
  return sum;
}

/** The shortest of ten runs of `work(first, last)` over parts of `rows`, one for each thread. */
template <typename Work>
double shortest(int threads, int64_t rows, const Work& work) {
  double best = 1e9;
  for (int round = 0; round < 10; ++round) {
    const double start = now();
    std::vector<std::thread> all;
    for (int thread = 0; thread < threads; ++thread) {
      all.emplace_back([&, thread] { work(rows * thread / threads, rows * (thread + 1) / threads); });
    }
    for (std::thread& one : all) one.join();
    best = std::min(best, now() - start);
  }
  return best;
}

}  // namespace

int main(int count, char** arguments) {
  const int64_t rows = argument(count, arguments, 1, 200000);
  const int32_t dimensions = argument(count, arguments, 2, 384);
  const int most = argument(count, arguments, 3, 2);
  NodeLayout layout;
  CHECK_OK(make_layout(Metric::angular, dimensions, &layout));
  MemoryBlock matrix;
  CHECK(matrix.resize(static_cast<size_t>(rows) * layout.vector_bytes));
  auto* numbers = reinterpret_cast<float*>(matrix.data());
  Random random(1);
  for (int64_t i = 0; i < rows * dimensions; ++i) numbers[i] = static_cast<float>(random.below(2001)) - 1000.0f;
  std::vector<float> query(numbers, numbers + dimensions);
  // A forest's items carry their norms; those of a matrix are handed over beside it, as an index does for its tail.
  const Index index =
      build_index(Metric::angular, dimensions, std::vector<float>(numbers, numbers + rows * dimensions), 1, 1, most);
  std::vector<float> norms(static_cast<size_t>(rows));
  for (int64_t row = 0; row < rows; ++row) {
    const float* vector = numbers + row * dimensions;
    norms[static_cast<size_t>(row)] = distances().dot(vector, vector, static_cast<size_t>(dimensions));
  }
  RowsView matrix_view = matrix_rows(layout, matrix.data(), rows);
  matrix_view.squared_norms = reinterpret_cast<const uint8_t*>(norms.data());
  matrix_view.norm_stride = sizeof(float);
  const double gigabytes = static_cast<double>(matrix.size()) / 1e9;
  std::printf("%lld rows, %d dimensions, %.0f MB, %s\n", static_cast<long long>(rows), dimensions, gigabytes * 1e3,
              distances().name);
  for (int threads = 1; threads <= most; ++threads) {
    std::atomic<uint64_t> sink{0};
    const double read = shortest(threads, rows, [&](int64_t first, int64_t last) {
      const uint8_t* start = matrix.data() + static_cast<size_t>(first) * layout.vector_bytes;
      sink +=
          add_up(reinterpret_cast<const uint64_t*>(start), static_cast<size_t>(last - first) * layout.vector_bytes / 8);
    });
    const auto scan_of = [&](const RowsView& view) {
      return shortest(threads, rows, [&](int64_t first, int64_t last) {
        ExactScan scan;
        CHECK_OK(scan.prepare(layout, query.data(), 1, 10));
        CHECK_OK(scan.scan(view.part(first, last), static_cast<int32_t>(first), Allowed()));
        int32_t found[10];
        scan.finish(found, nullptr);
      });
    };
    const double matrix_seconds = scan_of(matrix_view);
    const double nodes_seconds = scan_of(item_rows(index.view));
    const double node_gigabytes = static_cast<double>(rows) * static_cast<double>(layout.node_bytes) / 1e9;
    std::printf(
        "%d threads: memory %.1f GB/s; scan of one query: matrix %.1f GB/s, %.2f ms; Annoy file %.1f GB/s, %.2f ms\n",
        threads, gigabytes / read, gigabytes / matrix_seconds, matrix_seconds * 1e3, node_gigabytes / nodes_seconds,
        nodes_seconds * 1e3);
  }
  return 0;
}
