// The graph index: what it finds is compared with exact scans, its bytes between threads and instruction sets.

#include <algorithm>
#include <atomic>
#include <cstring>
#include <set>

#include "base/checksum.h"
#include "distance/distance.h"
#include "exact/scan.h"
#include "graph/build/graph_build.h"
#include "graph/graph_view.h"
#include "graph/pruned_scan.h"
#include "support/check.h"
#include "support/generate.h"
#include "support/graph_index.h"

using namespace semantic_index_test;

namespace {

std::vector<uint8_t> bytes_of(const MemoryBlock& file) { return {file.data(), file.data() + file.size()}; }

struct Answers {
  std::vector<int32_t> items;
  std::vector<float> distances;
  double recall = 0;
  int64_t scans = 0;
};

/** Searches for all queries; every distance must be that of the scan. */
Answers search_all(const Index& index, const GraphView& view, const std::vector<float>& queries, int32_t k,
                   int64_t search_k, const Allowed& allowed = Allowed()) {
  const int32_t dimensions = index.layout.dimensions;
  const auto count = static_cast<int64_t>(queries.size()) / dimensions;
  const Truth truth = scan_all(index, queries, k, allowed);
  Answers answers;
  GraphScratch scratch;
  int64_t hits = 0;
  int64_t possible = 0;
  for (int64_t query = 0; query < count; ++query) {
    SearchOptions options;
    options.k = k;
    options.search_k = search_k;
    options.allowed = allowed;
    std::vector<int32_t> items(static_cast<size_t>(k), -1);
    std::vector<float> distances(static_cast<size_t>(k));
    int32_t found = 0;
    GraphSearchStats work;
    CHECK_OK(view.search(index.view, queries.data() + query * dimensions, options, &scratch, items.data(),
                         distances.data(), &found, &work));
    const int32_t* true_items = truth.items.data() + query * k;
    const auto matches = std::count_if(true_items, true_items + k, [](int32_t item) { return item >= 0; });
    CHECK_EQUAL(found, matches);
    CHECK_EQUAL(std::set<int32_t>(items.begin(), items.begin() + found).size(), static_cast<size_t>(found));
    for (int32_t rank = 0; rank < found; ++rank) {
      const auto at = static_cast<size_t>(rank);
      CHECK(allowed.contains(items[at]));
      const auto* place = std::find(true_items, true_items + matches, items[at]);
      if (place == true_items + matches) continue;
      ++hits;
      CHECK_EQUAL(distances[at], truth.distances[static_cast<size_t>(query * k + (place - true_items))]);
    }
    possible += matches;
    answers.scans += work.scanned ? 1 : 0;
    answers.items.insert(answers.items.end(), items.begin(), items.end());
    answers.distances.insert(answers.distances.end(), distances.begin(), distances.end());
  }
  answers.recall = possible == 0 ? 1.0 : static_cast<double>(hits) / static_cast<double>(possible);
  return answers;
}

}  // namespace

TEST(finds_what_a_scan_finds) {
  for (Metric metric : kGraphMetrics) {
    for (int32_t dimensions : {24, 100, 256}) {
      Data data = make_data(kIsSanitized ? 1500 : 6000, dimensions, kIsSanitized ? 50 : 200);
      stretch(&data.rows, dimensions);
      const Index index = build_index(metric, dimensions, data.rows, 10, 1, 2);
      GraphFixture graph;
      derive_graph(index, &graph);
      const Answers few = search_all(index, graph.view, data.queries, 10, 200);
      const Answers usual = search_all(index, graph.view, data.queries, 10, -1);
      const Answers many = search_all(index, graph.view, data.queries, 10, 4000);
      std::printf("  %s %d: recall@10 %.3f, %.3f by default, %.3f\n", metric_name(metric), dimensions, few.recall,
                  usual.recall, many.recall);
      CHECK_EQUAL(usual.scans, 0);
      CHECK(usual.recall >= 0.95);
      CHECK(many.recall >= 0.985);
      CHECK(many.recall >= few.recall);
    }
  }
}

TEST(boosted_walks_end_when_no_factor_lifts_what_is_left) {
  const int32_t dimensions = 100;
  const int32_t rows = 3000;
  const Data data = make_data(rows, dimensions, 50);
  const Index index = build_index(Metric::angular, dimensions, data.rows, 10);
  GraphFixture graph;
  derive_graph(index, &graph);
  Random random(3);
  std::vector<double> values;
  for (int32_t item = 0; item < rows; ++item) values.push_back(random.below(400));
  ItemFactors factors;
  factors.factors.push_back({FactorKind::saturation, 100, 1.5, values.data(), values.size(), {}});
  GraphScratch scratch;
  const auto count = static_cast<int64_t>(data.queries.size()) / dimensions;
  int64_t compared[2] = {0, 0};
  int found_best[2] = {0, 0};
  for (int64_t number = 0; number < count; ++number) {
    const float* const query = data.queries.data() + number * dimensions;
    const Truth nearest = scan_all(index, {query, query + dimensions}, rows);
    std::vector<std::pair<double, int32_t>> products;
    for (size_t rank = 0; rank < nearest.items.size(); ++rank) {
      const double distance = nearest.distances[rank];
      const int32_t item = nearest.items[rank];
      products.emplace_back(boosted(1 - distance * distance / 2, factors.of(static_cast<uint32_t>(item))), item);
    }
    std::sort(products.rbegin(), products.rend());
    // With a factor that might be as large as this, no walk ends before its beam is expanded.
    for (int unbounded : {0, 1}) {
      factors.greatest = unbounded == 1 ? 1e6 : 1.5;
      SearchOptions options;
      options.k = 100;
      options.best = 10;
      options.search_k = 2000;
      options.factors = &factors;
      int32_t items[100];
      int32_t size = 0;
      GraphSearchStats work;
      CHECK_OK(graph.view.search(index.view, query, options, &scratch, items, nullptr, &size, &work));
      CHECK(!work.scanned);
      compared[unbounded] += work.compared;
      for (size_t rank = 0; rank < 10; ++rank) {
        found_best[unbounded] += std::count(items, items + size, products[rank].second) > 0 ? 1 : 0;
      }
    }
  }
  std::printf("  %lld compared, %lld without a bound; %d and %d of %lld found\n", static_cast<long long>(compared[0]),
              static_cast<long long>(compared[1]), found_best[0], found_best[1], static_cast<long long>(10 * count));
  CHECK(10 * compared[0] < 9 * compared[1]);
  CHECK(found_best[0] >= 95 * count / 10);
}

TEST(same_bytes_for_any_threads_and_instruction_set) {
  for (Metric metric : kGraphMetrics) {
    const Data data = make_data(kIsSanitized ? 500 : 1500, 200, 20);
    const Index index = build_index(metric, 200, data.rows, 4);
    GraphFixture first;
    derive_graph(index, &first, 1);
    const Answers expected = search_all(index, first.view, data.queries, 7, 100);
    for (int threads : {2, 3, 7}) {
      GraphFixture other;
      derive_graph(index, &other, threads);
      CHECK(bytes_of(other.file) == bytes_of(first.file));
    }
    const std::string before = distances().name;
    for (const DistanceTable* const* table = available_instruction_sets(); *table != nullptr; ++table) {
      CHECK(select_instruction_set((*table)->name));
      GraphFixture other;
      derive_graph(index, &other);
      CHECK(bytes_of(other.file) == bytes_of(first.file));
      const Answers answers = search_all(index, first.view, data.queries, 7, 100);
      CHECK(answers.items == expected.items);
      CHECK(answers.distances == expected.distances);
    }
    CHECK(select_instruction_set(before.c_str()));
  }
}

TEST(only_what_is_allowed_and_enough_of_it) {
  const int32_t dimensions = 200;
  const int32_t rows = 5000;
  const Data data = make_data(rows, dimensions, 100);
  const Index index = build_index(Metric::angular, dimensions, data.rows, 10);
  GraphFixture graph;
  derive_graph(index, &graph);
  for (int per_thousand : {0, 1, 3, 20, 100, 300, 500, 900, 1000}) {
    Random random(static_cast<uint64_t>(per_thousand) + 1);
    std::vector<uint32_t> bits(rows / 32 + 1, 0u);
    for (int32_t item = 0; item < rows; ++item) {
      if (random.below(1000) < static_cast<uint32_t>(per_thousand))
        bits[static_cast<size_t>(item / 32)] |= 1u << (item % 32);
    }
    const Allowed allowed{bits.data(), static_cast<int64_t>(bits.size())};
    const Answers answers = search_all(index, graph.view, data.queries, 10, -1, allowed);
    std::printf("  %d of 1000 allowed: recall@10 %.3f, %lld of 100 scanned\n", per_thousand, answers.recall,
                static_cast<long long>(answers.scans));
    CHECK(answers.recall >= 0.95);
  }
  // One corner of the space, which queries from elsewhere have to find.
  const Truth corner = scan_all(index, {data.rows.begin(), data.rows.begin() + dimensions}, 1500);
  std::vector<uint32_t> bits(rows / 32 + 1, 0u);
  for (int32_t item : corner.items) bits[static_cast<size_t>(item / 32)] |= 1u << (item % 32);
  const Allowed allowed{bits.data(), static_cast<int64_t>(bits.size())};
  CHECK(search_all(index, graph.view, data.queries, 10, -1, allowed).recall >= 0.9);
}

TEST(finds_more_neighbors_than_a_walk_visits) {
  const Data data = make_data(2000, 32, 10);
  const Index index = build_index(Metric::euclidean, 32, data.rows, 3);
  GraphFixture graph;
  derive_graph(index, &graph);
  CHECK(search_all(index, graph.view, data.queries, 600, 1).recall >= 0.9);
  CHECK_EQUAL(search_all(index, graph.view, data.queries, 2000, 1).recall, 1.0);
  CHECK_EQUAL(search_all(index, graph.view, data.queries, 2100, 1).recall, 1.0);
  // A beam as wide as the index would take far longer than to compare everything.
  CHECK_EQUAL(search_all(index, graph.view, data.queries, 10, INT64_MAX).scans, 10);
}

TEST(holes_zeros_and_few_items) {
  for (Metric metric : kGraphMetrics) {
    for (int32_t rows : {1, 2, 5, 40, 700}) {
      Index index;
      CHECK_OK(make_layout(metric, 6, &index.layout));
      CHECK_OK(NodeStorage::in_memory(index.layout, &index.storage));
      Random random(static_cast<uint64_t>(rows));
      for (int32_t row = 0; row < rows; ++row) {
        float vector[6] = {};
        for (float& number : vector) number = row % 7 == 3 ? 0.0f : normal(&random);
        if (row % 5 != 1) CHECK_OK(index.storage->set_item(row, vector));
      }
      BuildOptions options;
      options.trees = 3;
      BuildResult built;
      CHECK_OK(build_forest(index.storage.get(), options, &built));
      CHECK_OK(ForestView::open(index.storage->data(), index.storage->bytes(), index.layout, &index.view));
      GraphFixture graph;
      derive_graph(index, &graph);
      const std::vector<float> queries = random_rows(metric, 20, 6, 5);
      CHECK(search_all(index, graph.view, queries, 3, 1).recall >= 0.5);
      CHECK(search_all(index, graph.view, queries, 3, -1).recall >= 0.95);
      CHECK(search_all(index, graph.view, std::vector<float>(6, 0.0f), 3, -1).items.size() == 3);
    }
  }
}

TEST(equal_items) {
  const std::vector<float> rows(3000 * 8, 0.25f);
  const Index index = build_index(Metric::angular, 8, rows, 3);
  GraphFixture graph;
  derive_graph(index, &graph);
  search_all(index, graph.view, std::vector<float>(8, 1.0f), 10, 100);
}

TEST(refuses_metrics_and_sizes_without_a_graph) {
  for (Metric metric : {Metric::manhattan, Metric::hamming}) {
    const Index index = build_index(metric, 8, random_rows(metric, 50, 8, 1), 2);
    MemoryBlock file;
    CHECK(build_graph_index(index.view, GraphBuildOptions(), &file).code == StatusCode::invalid_argument);
  }
}

TEST(belongs_to_one_forest) {
  const Data data = make_data(800, 16, 1);
  const Index index = build_index(Metric::angular, 16, data.rows, 2);
  GraphFixture graph;
  derive_graph(index, &graph);
  GraphView view;
  const auto size = static_cast<int64_t>(graph.file.size());
  const Index other = build_index(Metric::angular, 16, data.rows, 2, 77);
  CHECK(GraphView::open(graph.file.data(), size, other.view, &view).code == StatusCode::invalid_argument);
  CHECK_OK(graph.view.verify(index.view, nullptr));
  // A change in the middle of the forest shows when everything is read.
  index.storage->node(400)[40] ^= 1;
  CHECK_OK(GraphView::open(graph.file.data(), size, index.view, &view));
  CHECK(view.verify(index.view, nullptr).code == StatusCode::invalid_argument);
  index.storage->node(400)[40] ^= 1;
  for (const SectionRange& place : graph.view.header().sections) {
    if (place.bytes == 0) continue;
    uint8_t* byte = graph.file.data() + place.offset + place.bytes / 2;
    *byte ^= 16;
    CHECK(graph.view.verify(index.view, nullptr).code == StatusCode::corrupt);
    *byte ^= 16;
  }
  CHECK_OK(graph.view.verify(index.view, nullptr));
}

TEST(progress_and_cancel) {
  const Data data = make_data(kIsSanitized ? 1000 : 3000, 32, 1);
  const Index index = build_index(Metric::angular, 32, data.rows, 4);
  struct Seen {
    std::atomic<bool> cancel{false};
    int64_t stop_at = INT64_MAX;
    int64_t done = 0;
    int64_t total = 0;
  } seen;
  GraphBuildOptions options;
  options.cancel = &seen.cancel;
  options.progress_context = &seen;
  options.progress = [](void* context, int64_t done, int64_t total) {
    Seen* seen = static_cast<Seen*>(context);
    CHECK(done >= seen->done && done <= total);
    seen->done = done;
    seen->total = total;
    if (done >= seen->stop_at) seen->cancel.store(true);
  };
  MemoryBlock file;
  CHECK_OK(build_graph_index(index.view, options, &file));
  CHECK(seen.total > 0);
  CHECK_EQUAL(seen.done, seen.total);
  for (int64_t stop_at = 1; stop_at < seen.total; stop_at += 3) {
    seen.cancel.store(false);
    seen.done = 0;
    seen.stop_at = stop_at;
    CHECK(build_graph_index(index.view, options, &file).code == StatusCode::cancelled);
  }
}

namespace {

/** Does with the bytes of a graph index whatever can be done with them. */
bool try_graph(const uint8_t* bytes, int64_t size, const Index& index, GraphScratch* scratch) {
  GraphView view;
  if (!GraphView::open(bytes, size, index.view, &view).ok()) return false;
  const std::vector<float> query = random_rows(Metric::angular, 1, index.layout.dimensions, 77);
  const uint32_t words[] = {0x77777777u, 0xffff0fffu, 0x12345678u, 0xffffffffu, 0xffffffffu};
  for (int filter = 0; filter < 2; ++filter) {
    SearchOptions options;
    options.k = 5;
    options.search_k = 24;
    if (filter == 1) options.allowed = {words, 5};
    int32_t items[5];
    float values[5];
    int32_t found = 0;
    const Status status = view.search(index.view, query.data(), options, scratch, items, values, &found);
    CHECK(status.ok() || status.code == StatusCode::corrupt);
    ExactScan scan;
    CHECK_OK(scan.prepare(index.layout, query.data(), 1, 5));
    const Status scanned = scan_pruned(view, index.view, &scan, 0, view.header().positions, options.allowed);
    CHECK(scanned.ok() || scanned.code == StatusCode::corrupt);
    if (!status.ok()) continue;
    CHECK_EQUAL(found, 5);
    for (int32_t rank = 0; rank < found; ++rank) {
      CHECK(index.view.has_item(items[rank]) && options.allowed.contains(items[rank]));
    }
  }
  for (int32_t position : {0, view.header().positions - 1, view.header().positions, -1}) {
    int32_t items[kMaxNeighbors];
    int32_t count;
    static_cast<void>(view.neighbors(position, items, &count));
  }
  static_cast<void>(view.verify(index.view, nullptr));
  return true;
}

void sign_header(uint8_t* bytes) {
  const uint64_t sum = checksum(bytes, offsetof(GraphHeader, header_checksum));
  std::memcpy(bytes + offsetof(GraphHeader, header_checksum), &sum, sizeof sum);
}

}  // namespace

TEST(survives_untrusted_bytes) {
  GraphScratch scratch;
  for (Metric metric : kGraphMetrics) {
    for (int32_t dimensions : {5, 200}) {
      const Index index = build_index(metric, dimensions, random_rows(metric, 150, dimensions, 4), 2);
      GraphFixture graph;
      derive_graph(index, &graph);
      const std::vector<uint8_t> file = bytes_of(graph.file);
      const auto size = static_cast<int64_t>(file.size());
      // On the heap and of the exact size, so that a sanitizer sees a step beyond.
      std::unique_ptr<uint64_t[]> memory(new uint64_t[(file.size() + 7) / 8]);
      uint8_t* bytes = reinterpret_cast<uint8_t*>(memory.get());
      std::memcpy(bytes, file.data(), file.size());
      CHECK(try_graph(bytes, size, index, &scratch));
      for (int64_t length = 0; length < size; length += 1 + length / 16) {
        CHECK(!try_graph(bytes, length, index, &scratch));
      }
      for (size_t place = 0; place + 4 <= sizeof(GraphHeader); place += 4) {
        for (int32_t value : {-1, 0, 1, 2, 149, 150, 151, INT32_MAX, INT32_MIN, 0x7fc00000}) {
          if (std::memcmp(bytes + place, &value, 4) == 0) continue;
          std::memcpy(bytes + place, &value, 4);
          CHECK(!try_graph(bytes, size, index, &scratch));
          sign_header(bytes);
          try_graph(bytes, size, index, &scratch);
          std::memcpy(bytes, file.data(), sizeof(GraphHeader));
        }
      }
      Random random(6);
      const int32_t values[] = {-1, 0, 1, 149, 150, INT32_MAX, INT32_MIN, 0x7f800000, 0x7fc00000, -2};
      for (int round = 0; round < (kIsSanitized ? 2000 : 4000); ++round) {
        // Some sections are small, and all matter: the place is chosen by section.
        const SectionRange& section = graph.view.header().sections[random.below(kGraphSections)];
        const bool has_many = random.flip();
        for (int change = 0; change < (has_many ? 40 : 1) && section.bytes > 0; ++change) {
          const int64_t place = section.offset + random.below(static_cast<uint32_t>(section.bytes / 4)) * 4;
          const int32_t value = random.flip() ? values[random.below(10)] : static_cast<int32_t>(random.below(160));
          std::memcpy(bytes + place, &value, 4);
        }
        try_graph(bytes, size, index, &scratch);
        if (random.below(4) == 0) std::memcpy(bytes, file.data(), file.size());
      }
      std::memcpy(bytes, file.data(), file.size());
      CHECK(try_graph(bytes, size, index, &scratch));
    }
  }
}
