#include "support/graph_index.h"

#include "graph/build/graph_build.h"
#include "support/check.h"
#include "support/text_like.h"

namespace semantic_index_test {

void derive_graph(const Index& index, GraphFixture* result, int threads) {
  GraphBuildOptions options;
  options.threads = threads;
  CHECK_OK(build_graph_index(index.view, options, &result->file));
  CHECK_OK(GraphView::open(result->file.data(), static_cast<int64_t>(result->file.size()), index.view, &result->view));
}

Truth scan_all(const Index& index, const std::vector<float>& queries, int32_t k, const Allowed& allowed) {
  const auto count = static_cast<int64_t>(queries.size()) / index.layout.dimensions;
  Truth truth;
  truth.items.resize(static_cast<size_t>(count * k));
  truth.distances.resize(truth.items.size());
  ExactScan scan;
  CHECK_OK(scan.prepare(index.layout, queries.data(), count, k));
  CHECK_OK(scan.scan(item_rows(index.view), 0, allowed));
  scan.finish(truth.items.data(), truth.distances.data());
  return truth;
}

Data make_data(int64_t rows, int32_t dimensions, int64_t queries, uint64_t seed) {
  std::vector<float> all = text_like_rows(rows + queries, dimensions, seed);
  Data data;
  data.queries.assign(all.end() - queries * dimensions, all.end());
  all.resize(static_cast<size_t>(rows * dimensions));
  data.rows = std::move(all);
  return data;
}

void stretch(std::vector<float>* rows, int32_t dimensions) {
  Random random(9);
  for (size_t row = 0; row < rows->size() / static_cast<size_t>(dimensions); ++row) {
    const float length = 1.0f + static_cast<float>(random.below(100)) / 200.0f;
    for (int32_t column = 0; column < dimensions; ++column) {
      float& number = (*rows)[row * static_cast<size_t>(dimensions) + static_cast<size_t>(column)];
      number = number * length + 0.01f;
    }
  }
}

}  // namespace semantic_index_test
