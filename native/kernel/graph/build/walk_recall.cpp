#include "graph/build/walk_recall.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "exact/scan.h"

namespace semantic_index {

namespace {

constexpr int32_t kSampledItems = 32;
constexpr int32_t kNeighbors = 10;
/** Candidates of either search: many, to distinguish a misleading graph from data that are hard to search. */
constexpr int64_t kCandidates = 4000;
/** A graph that finds this many needs no help. */
constexpr double kEnough = 0.95;
/** The margin, as a share, by which the graph must beat the trees: the noise of so few queries. */
constexpr double kMargin = 0.03;

}  // namespace

Status measure_walks(const GraphView& view, const ForestView& forest, const std::atomic<bool>* cancel,
                     bool* needs_trees) {
  *needs_trees = false;
  const GraphHeader& header = view.header();
  const NodeLayout& layout = forest.layout();
  const auto dimensions = static_cast<size_t>(layout.dimensions);
  const int32_t* items = view.section<int32_t>(GraphSection::items);
  std::vector<float> queries;
  for (int32_t query = 0; query < std::min(kSampledItems, header.positions); ++query) {
    const int64_t position = static_cast<int64_t>(header.positions) * query / kSampledItems;
    std::vector<float> vector(dimensions);
    const Status status = forest.item_vector(items[position], vector.data());
    if (!status.ok()) return status;
    const bool is_finite =
        std::all_of(vector.begin(), vector.end(), [](float number) { return std::isfinite(number); });
    if (is_finite) queries.insert(queries.end(), vector.begin(), vector.end());
  }
  const auto count = static_cast<int64_t>(queries.size() / dimensions);
  if (count == 0) return Status::success();
  ExactScan scan;
  Status status = scan.prepare(layout, queries.data(), count, kNeighbors);
  if (status.ok()) status = scan.scan(item_rows(forest), 0, Allowed(), cancel);
  if (!status.ok()) return status;
  std::vector<int32_t> truth(static_cast<size_t>(count) * kNeighbors);
  scan.finish(truth.data(), nullptr);
  SearchOptions options;
  options.k = kNeighbors;
  options.search_k = kCandidates;
  GraphScratch graph_scratch;
  SearchScratch tree_scratch;
  int64_t by_graph = 0;
  int64_t by_trees = 0;
  for (int64_t query = 0; query < count; ++query) {
    if (is_raised(cancel)) return cancelled();
    const float* vector = queries.data() + static_cast<size_t>(query) * dimensions;
    const int32_t* wanted = truth.data() + query * kNeighbors;
    const auto hits = [&](const int32_t* found, int32_t size) {
      return std::count_if(found, found + size, [&](int32_t item) {
        return std::find(wanted, wanted + kNeighbors, item) != wanted + kNeighbors;
      });
    };
    int32_t found[kNeighbors];
    int32_t size = 0;
    status = view.search(forest, vector, options, &graph_scratch, found, nullptr, &size);
    if (!status.ok()) return status;
    by_graph += hits(found, size);
    status = forest.search(vector, options, &tree_scratch, found, nullptr, &size);
    if (!status.ok()) return status;
    by_trees += hits(found, size);
  }
  const auto possible = static_cast<double>(count * std::min(kNeighbors, header.positions));
  const double graph = static_cast<double>(by_graph) / possible;
  const double trees = static_cast<double>(by_trees) / possible;
  *needs_trees = graph < kEnough && graph < trees + kMargin;
  return Status::success();
}

}  // namespace semantic_index
