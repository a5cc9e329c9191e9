// Scans that pass over what integers prove to be far: they find what scans of all floats find.

#include "graph/pruned_scan.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "support/check.h"
#include "support/generate.h"
#include "support/graph_index.h"

using namespace semantic_index_test;

namespace {

/** What a bounded scan finds, in two parts, as threads do it. */
Truth scan_pruned_all(const Index& index, const GraphView& view, const std::vector<float>& queries, int32_t k,
                      const Allowed& allowed) {
  const auto count = static_cast<int64_t>(queries.size()) / index.layout.dimensions;
  Truth truth;
  truth.items.resize(static_cast<size_t>(count * k));
  truth.distances.resize(truth.items.size());
  ExactScan scans[2];
  const int32_t positions = view.header().positions;
  for (int part = 0; part < 2; ++part) {
    CHECK_OK(scans[part].prepare(index.layout, queries.data(), count, k));
    CHECK_OK(scan_pruned(view, index.view, &scans[part], part * positions / 3, part == 0 ? positions / 3 : positions,
                         allowed));
  }
  scans[0].absorb(&scans[1]);
  scans[0].finish(truth.items.data(), truth.distances.data());
  return truth;
}

/** The same for the allowed items alone. */
Truth scan_allowed_items(const Index& index, const GraphView& view, const std::vector<float>& queries, int32_t k,
                         const Allowed& allowed) {
  const auto count = static_cast<int64_t>(queries.size()) / index.layout.dimensions;
  Truth truth;
  truth.items.resize(static_cast<size_t>(count * k));
  truth.distances.resize(truth.items.size());
  std::vector<uint32_t> positions;
  const int32_t items = index.view.items();
  CHECK_OK(find_positions(view, items, &positions));
  ExactScan scans[2];
  const int32_t middle = items / 3 / 32 * 32;
  for (int part = 0; part < 2; ++part) {
    CHECK_OK(scans[part].prepare(index.layout, queries.data(), count, k));
    CHECK_OK(scan_pruned_items(view, index.view, positions, &scans[part], part == 0 ? 0 : middle,
                               part == 0 ? middle : items, allowed));
  }
  scans[0].absorb(&scans[1]);
  scans[0].finish(truth.items.data(), truth.distances.data());
  return truth;
}

void check_pruned(const Index& index, const std::vector<float>& queries, int32_t k) {
  GraphFixture graph;
  derive_graph(index, &graph);
  CHECK_OK(graph.view.verify_rows(nullptr));
  const int32_t items = index.view.items();
  Random random(21);
  std::vector<uint32_t> bits(static_cast<size_t>(items) / 32 + 1, 0u);
  for (uint32_t& word : bits) word = static_cast<uint32_t>(random.next());
  std::vector<uint32_t> few(bits.size() / 2, 0u);
  for (uint32_t& word : few) word = 1u << random.below(32) | 1u << random.below(32);
  for (const Allowed& allowed : {Allowed(), Allowed{bits.data(), static_cast<int64_t>(bits.size())},
                                 Allowed{few.data(), static_cast<int64_t>(few.size())}}) {
    const Truth expected = scan_all(index, queries, k, allowed);
    const auto is_expected = [&expected](const Truth& found) {
      return found.items == expected.items &&
             std::memcmp(found.distances.data(), expected.distances.data(), 4 * found.distances.size()) == 0;
    };
    CHECK(is_expected(scan_pruned_all(index, graph.view, queries, k, allowed)));
    if (allowed.bits != nullptr) CHECK(is_expected(scan_allowed_items(index, graph.view, queries, k, allowed)));
  }
}

}  // namespace

TEST(finds_what_a_full_scan_finds) {
  for (Metric metric : kGraphMetrics) {
    for (int32_t dimensions : {1, 3, 24, 100, 384}) {
      Data data = make_data(kIsSanitized ? 600 : 3000, dimensions, 40);
      if (dimensions > 1) stretch(&data.rows, dimensions);
      // Far from the origin, and some alike: differences that rounding could swallow.
      for (size_t i = 0; i < data.rows.size(); ++i) {
        if (metric != Metric::angular && i >= data.rows.size() / 2) data.rows[i] += 30.0f;
      }
      std::copy_n(data.rows.begin(), 20 * dimensions, data.rows.begin() + 500 * dimensions);
      std::vector<float> queries = data.queries;
      queries.insert(queries.end(), data.rows.begin() + 490 * dimensions, data.rows.begin() + 530 * dimensions);
      queries.resize(queries.size() + static_cast<size_t>(dimensions), 0.0f);
      const Index index = build_index(metric, dimensions, data.rows, 3, 1, 2);
      check_pruned(index, queries, 10);
      check_pruned(index, queries, 1);
    }
    // Numbers of every magnitude, zeros, holes.
    const int32_t dimensions = 20;
    Index index;
    CHECK_OK(make_layout(metric, dimensions, &index.layout));
    CHECK_OK(NodeStorage::in_memory(index.layout, &index.storage));
    Random random(31);
    for (int32_t row = 0; row < 900; ++row) {
      std::vector<float> vector(static_cast<size_t>(dimensions));
      const float size = std::pow(10.0f, static_cast<float>(static_cast<int>(random.below(41)) - 20));
      for (float& number : vector) number = row % 7 == 3 ? 0.0f : size * normal(&random);
      if (row % 5 != 1) CHECK_OK(index.storage->set_item(row, vector.data()));
    }
    BuildOptions options;
    options.trees = 3;
    BuildResult built;
    CHECK_OK(build_forest(index.storage.get(), options, &built));
    CHECK_OK(ForestView::open(index.storage->data(), index.storage->bytes(), index.layout, &index.view));
    check_pruned(index, random_rows(metric, 30, dimensions, 6), 12);
  }
}

TEST(stops_at_the_first_invalid_item) {
  const Data data = make_data(600, 16, 1);
  const Index index = build_index(Metric::angular, 16, data.rows, 3, 1, 2);
  GraphFixture graph;
  derive_graph(index, &graph);
  auto* items = const_cast<int32_t*>(graph.view.section<int32_t>(GraphSection::items));
  const int32_t first = items[0];
  items[0] = -1;
  ExactScan scan;
  CHECK_OK(scan.prepare(index.layout, data.queries.data(), 1, 1));
  CHECK(scan_pruned(graph.view, index.view, &scan, 0, 600, Allowed()).code == StatusCode::corrupt);
  // Nothing after it was offered.
  CHECK(std::isinf(scan.limit(0)));
  std::vector<uint32_t> positions;
  CHECK(find_positions(graph.view, index.view.items(), &positions).code == StatusCode::corrupt);
  items[0] = first;
  CHECK_OK(scan_pruned(graph.view, index.view, &scan, 0, 600, Allowed()));
  CHECK(!std::isinf(scan.limit(0)));
}
