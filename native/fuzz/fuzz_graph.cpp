// Coverage-guided fuzzing of graph indexes: open, search and scan with and without a filter, neighbors, verification.
//
//   CXX=clang++ cmake -S native -B build-fuzz -DSEMANTIC_INDEX_FUZZ=ON -DSEMANTIC_INDEX_SANITIZE=address,undefined
//   cmake --build build-fuzz && build-fuzz/fuzz_graph -max_total_time=600 -max_len=200000 CORPUS
//
// The first two bytes of an input choose one of a few forests and the search; the rest is the graph index. Its
// header checksum is recomputed before it is opened; otherwise nearly every input would be rejected.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "annoy/forest_build.h"
#include "annoy/forest_view.h"
#include "annoy/node_storage.h"
#include "base/checksum.h"
#include "base/random.h"
#include "graph/build/graph_build.h"
#include "graph/graph_view.h"
#include "graph/pruned_scan.h"

using namespace semantic_index;

namespace {

constexpr size_t kChoices = 2;

[[noreturn]] void give_up(const char* reason) {
  std::fprintf(stderr, "%s\n", reason);
  std::abort();
}

/** A forest, and the graph index that was derived from it. */
struct Case {
  std::unique_ptr<NodeStorage> storage;
  ForestView forest;
  MemoryBlock graph;
};

const Case& case_of(uint8_t choice) {
  static std::map<int, Case> cases;
  const int number = choice % 6;
  Case& made = cases[number];
  if (made.storage != nullptr) return made;
  const Metric metrics[] = {Metric::angular, Metric::euclidean, Metric::dot};
  NodeLayout layout;
  if (!make_layout(metrics[number % 3], number < 3 ? 5 : 200, &layout).ok()) give_up("no layout");
  if (!NodeStorage::in_memory(layout, &made.storage).ok()) give_up("no storage");
  Random random(static_cast<uint64_t>(number));
  std::vector<float> vector(static_cast<size_t>(layout.dimensions));
  for (int32_t row = 0; row < 120; ++row) {
    for (float& value : vector) value = static_cast<float>(random.below(2001)) / 1000.0f - 1.0f;
    if (row % 11 != 5 && !made.storage->set_item(row, vector.data()).ok()) give_up("no item");
  }
  BuildOptions options;
  options.trees = 2;
  options.threads = 1;
  BuildResult result;
  if (!build_forest(made.storage.get(), options, &result).ok()) give_up("no forest");
  if (!ForestView::open(made.storage->data(), made.storage->bytes(), layout, &made.forest).ok()) give_up("no view");
  GraphBuildOptions graph_options;
  graph_options.threads = 1;
  if (!build_graph_index(made.forest, graph_options, &made.graph).ok()) give_up("no graph index");
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kChoices) return 0;
  const Case& made = case_of(data[0]);
  const size_t length = size - kChoices;
  // On the heap and of the exact size, so that a step beyond is seen; aligned as the kernel asks for.
  std::unique_ptr<uint64_t[]> memory(new uint64_t[(length + 7) / 8]);
  uint8_t* bytes = reinterpret_cast<uint8_t*>(memory.get());
  std::memcpy(bytes, data + kChoices, length);
  if (length >= sizeof(GraphHeader)) {
    const uint64_t sum = checksum(bytes, offsetof(GraphHeader, header_checksum));
    std::memcpy(bytes + offsetof(GraphHeader, header_checksum), &sum, sizeof sum);
  }
  GraphView view;
  if (!GraphView::open(bytes, static_cast<int64_t>(length), made.forest, &view).ok()) return 0;

  static GraphScratch scratch;
  std::vector<float> query(static_cast<size_t>(made.forest.layout().dimensions), 0.25f);
  query[0] = -0.5f;
  const uint32_t words[] = {0x7fff7777u, 0xffff0fffu, 0x12345678u, 0xffffffffu};
  SearchOptions options;
  options.k = 1 + data[1] % 8;
  options.search_k = 1 + data[1] / 2;
  for (int filter = 0; filter < 2; ++filter) {
    if (filter == 1) options.allowed = {words, 4};
    int32_t items[8];
    float values[8];
    int32_t found = 0;
    const Status status = view.search(made.forest, query.data(), options, &scratch, items, values, &found);
    if (!status.ok() && status.code != StatusCode::corrupt) give_up("a search failed for another reason than bytes");
    if (status.ok() && found != options.k) give_up("a search found too little");
    for (int32_t rank = 0; status.ok() && rank < found; ++rank) {
      if (!made.forest.has_item(items[rank]) || !options.allowed.contains(items[rank])) give_up("no such item");
    }
    ExactScan scan;
    if (!scan.prepare(made.forest.layout(), query.data(), 1, options.k).ok()) give_up("no scan");
    const Status scanned = scan_pruned(view, made.forest, &scan, 0, view.header().positions, options.allowed);
    if (!scanned.ok() && scanned.code != StatusCode::corrupt) give_up("a scan failed for another reason than bytes");
  }
  int32_t items[kMaxNeighbors];
  int32_t count = 0;
  for (int32_t position : {0, view.header().positions - 1, view.header().positions, -1}) {
    static_cast<void>(view.neighbors(position, items, &count));
  }
  static_cast<void>(view.verify(made.forest, nullptr));
  return 0;
}

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t maximum);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t maximum, unsigned int seed) {
  Random random(seed);
  const Case& made = case_of(size > 0 ? data[0] : static_cast<uint8_t>(seed));
  const size_t whole = kChoices + made.graph.size();
  if (whole > maximum) return LLVMFuzzerMutate(data, size, maximum);
  if (size != whole || random.below(30) == 0) {
    if (size < kChoices) data[0] = static_cast<uint8_t>(seed);
    data[1] = static_cast<uint8_t>(random.next());
    std::memcpy(data + kChoices, made.graph.data(), made.graph.size());
    return whole;
  }
  GraphHeader header;
  std::memcpy(&header, made.graph.data(), sizeof header);
  for (uint32_t change = 0; change <= random.below(12); ++change) {
    const SectionRange& section = header.sections[random.below(kGraphSections)];
    if (section.bytes < 4) continue;
    const int64_t place = random.below(20) == 0
                              ? random.below(sizeof header / 4) * 4
                              : section.offset + random.below(static_cast<uint32_t>(section.bytes / 4)) * 4;
    const int32_t choices[] = {-1,
                               0,
                               1,
                               -2,
                               119,
                               120,
                               INT32_MAX,
                               INT32_MIN,
                               0x7f800000,
                               0x7fc00000,
                               static_cast<int32_t>(random.below(130)),
                               static_cast<int32_t>(random.next())};
    const int32_t value = choices[random.below(sizeof choices / sizeof *choices)];
    std::memcpy(data + kChoices + place, &value, 4);
  }
  return size;
}
