#ifndef SEMANTIC_INDEX_TEST_SUPPORT_GRAPH_INDEX_H_
#define SEMANTIC_INDEX_TEST_SUPPORT_GRAPH_INDEX_H_

#include <cstdint>
#include <vector>

#include "exact/scan.h"
#include "graph/graph_view.h"
#include "support/generate.h"

namespace semantic_index_test {

constexpr Metric kGraphMetrics[] = {Metric::angular, Metric::euclidean, Metric::dot};

struct GraphFixture {
  MemoryBlock file;
  GraphView view;
};
void derive_graph(const Index& index, GraphFixture* result, int threads = 2);

/** The true neighbors, by a scan. */
struct Truth {
  std::vector<int32_t> items;
  std::vector<float> distances;
};
Truth scan_all(const Index& index, const std::vector<float>& queries, int32_t k, const Allowed& allowed = Allowed());

struct Data {
  std::vector<float> rows;
  std::vector<float> queries;
};
Data make_data(int64_t rows, int32_t dimensions, int64_t queries, uint64_t seed = 3);

/** Rows of different lengths, so that euclidean and dot are not angular in disguise. */
void stretch(std::vector<float>* rows, int32_t dimensions);

}  // namespace semantic_index_test

#endif  // SEMANTIC_INDEX_TEST_SUPPORT_GRAPH_INDEX_H_
