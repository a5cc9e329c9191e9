// Coverage-guided fuzzing of segments with a damaged graph index: answers must be those of the forest.
//
//   CXX=clang++ cmake -S native -B build-fuzz -DSEMANTIC_INDEX_FUZZ=ON -DSEMANTIC_INDEX_SANITIZE=address,undefined
//   cmake --build build-fuzz && build-fuzz/fuzz_segment -max_total_time=600 -max_len=256 CORPUS
//
// The first two bytes of an input choose one of a few forests and the search. Each five bytes that follow damage the
// graph index: a section, an offset, and the bits to invert. Checksums are left as they are.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "annoy/forest_build.h"
#include "base/random.h"
#include "exact/scan.h"
#include "segment/segment_search.h"

using namespace semantic_index;

namespace {

constexpr size_t kChoices = 2;
constexpr size_t kDamageBytes = 5;
constexpr int32_t kItems = 150;

[[noreturn]] void give_up(const char* reason) {
  std::fprintf(stderr, "%s\n", reason);
  std::abort();
}

const Segment& segment_of(uint8_t choice) {
  static std::map<int, Segment> segments;
  const int number = choice % 6;
  Segment& made = segments[number];
  if (made.forest != nullptr) return made;
  const Metric metrics[] = {Metric::angular, Metric::euclidean, Metric::dot};
  NodeLayout layout;
  std::unique_ptr<NodeStorage> storage;
  if (!make_layout(metrics[number % 3], number < 3 ? 5 : 130, &layout).ok()) give_up("no layout");
  if (!NodeStorage::in_memory(layout, &storage).ok()) give_up("no storage");
  Random random(static_cast<uint64_t>(number));
  std::vector<float> vector(static_cast<size_t>(layout.dimensions));
  for (int32_t row = 0; row < kItems; ++row) {
    for (float& value : vector) value = static_cast<float>(random.below(2001)) / 1000.0f - 1.0f;
    if (row % 11 != 5 && !storage->set_item(row, vector.data()).ok()) give_up("no item");
  }
  BuildOptions options;
  options.trees = 2;
  options.threads = 1;
  BuildResult result;
  if (!build_forest(storage.get(), options, &result).ok()) give_up("no forest");
  if (!forest_from_storage(std::shared_ptr<NodeStorage>(std::move(storage)), &made.forest).ok()) give_up("no view");
  GraphBuildOptions graph;
  graph.threads = 1;
  if (!graph_from_forest(*made.forest, graph, &made.graph).ok()) give_up("no graph");
  return made;
}

/** The graph with the damage of the input, or nullptr when it is not opened. */
GraphPointer damage(const Segment& segment, const uint8_t* data, size_t size) {
  auto graph = std::make_shared<GraphIndex>();
  const auto bytes = static_cast<size_t>(segment.graph->size());
  if (!graph->memory.resize(bytes)) give_up("no memory");
  std::memcpy(graph->memory.data(), segment.graph->data(), bytes);
  const GraphHeader& header = segment.graph->view.header();
  for (; size >= kDamageBytes; data += kDamageBytes, size -= kDamageBytes) {
    const size_t part = data[0] % (kGraphSections + 1);
    const int64_t begin = part == kGraphSections ? 0 : header.sections[part].offset;
    const auto length =
        part == kGraphSections ? static_cast<int64_t>(sizeof(GraphHeader)) : header.sections[part].bytes;
    if (length == 0) continue;
    const int64_t offset = data[1] | data[2] << 8 | data[3] << 16;
    graph->memory.data()[begin + offset % length] ^= data[4];
  }
  const Status status = GraphView::open(graph->data(), graph->size(), segment.forest->view, &graph->view);
  return status.ok() ? graph : nullptr;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kChoices) return 0;
  Segment segment = segment_of(data[0]);
  segment.graph = damage(segment, data + kChoices, size - kChoices);
  const ForestView& forest = segment.forest->view;
  std::vector<float> query(static_cast<size_t>(forest.layout().dimensions), 0.25f);
  query[0] = -0.5f;
  const uint32_t words[] = {0x7fff7777u, 0xffff0fffu, 0x12345678u, 0xffffffffu};
  constexpr int32_t kMaxK = 8;
  for (int filter = 0; filter < 2; ++filter) {
    int32_t items[kMaxK];
    float distances[kMaxK];
    BatchSearch batch;
    batch.queries = query.data();
    batch.count = 1;
    batch.options.k = 1 + data[1] % kMaxK;
    batch.options.search_k = 20 + data[1] / 2;
    if (filter == 1) batch.options.allowed = {words, 4};
    batch.items = items;
    batch.distances = distances;
    if (!search_batch(segment, batch).ok()) give_up("a search failed");
    for (int32_t rank = 0; rank < batch.options.k; ++rank) {
      if (items[rank] < 0) continue;
      if (!forest.has_item(items[rank]) || !batch.options.allowed.contains(items[rank])) give_up("no such item");
    }
    batch.exact = true;
    if (!search_batch(segment, batch).ok()) give_up("an exact search failed");
    ExactScan scan;
    int32_t true_items[kMaxK];
    float true_distances[kMaxK];
    if (!scan.prepare(forest.layout(), query.data(), 1, batch.options.k).ok()) give_up("no scan");
    if (!scan.scan(item_rows(forest), 0, batch.options.allowed).ok()) give_up("the scan failed");
    scan.finish(true_items, true_distances);
    if (!std::equal(items, items + batch.options.k, true_items)) give_up("an exact search missed items");
    if (std::memcmp(distances, true_distances, sizeof(float) * static_cast<size_t>(batch.options.k)) != 0) {
      give_up("an exact search gave other distances");
    }
  }
  return 0;
}
