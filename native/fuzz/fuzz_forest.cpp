// Coverage-guided fuzzing of everything that reads untrusted bytes: open, search, scan, items, distances,
// validation, for all metrics and both layouts of dot.
//
//   CXX=clang++ cmake -S native -B build-fuzz -DSEMANTIC_INDEX_FUZZ=ON -DSEMANTIC_INDEX_SANITIZE=address,undefined
//   cmake --build build-fuzz && build-fuzz/fuzz_forest -max_total_time=600 -print_final_stats=1 CORPUS
//
// The first four bytes of an input choose metric, dimensions, k and search_k; the rest is the file. The custom mutator
// keeps files whole: it starts from built forests and changes words into numbers that mean something.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "annoy/forest_build.h"
#include "annoy/forest_view.h"
#include "annoy/node_storage.h"
#include "annoy/validate.h"
#include "base/random.h"
#include "exact/scan.h"

using namespace semantic_index;

namespace {

constexpr size_t kHeader = 4;

NodeLayout layout_of(const uint8_t* header) {
  NodeLayout layout;
  const Metric metric = static_cast<Metric>(header[0] % 6 == 5 ? static_cast<int>(Metric::dot) : header[0] % 6);
  const DotLayout dot_layout = header[0] % 6 == 5 ? DotLayout::extended : DotLayout::released;
  const int32_t dimensions = 1 + header[1] % (metric == Metric::hamming ? 200 : 20);
  if (!make_layout(metric, dimensions, &layout, dot_layout).ok()) std::abort();
  return layout;
}

[[noreturn]] void give_up(const char* reason) {
  std::fprintf(stderr, "%s\n", reason);
  std::abort();
}

/** A small forest that the kernel built itself, with the header that makes it be read as such. */
std::vector<uint8_t> built_file(Random* random) {
  std::vector<uint8_t> file(kHeader);
  for (uint8_t& byte : file) byte = static_cast<uint8_t>(random->next());
  const NodeLayout layout = layout_of(file.data());
  std::unique_ptr<NodeStorage> storage;
  if (!NodeStorage::in_memory(layout, &storage).ok()) std::abort();
  const int32_t rows = static_cast<int32_t>(random->below(60));
  std::vector<float> vector(static_cast<size_t>(layout.dimensions));
  for (int32_t row = 0; row < rows; ++row) {
    if (random->below(10) == 0) continue;
    for (float& number : vector) number = static_cast<float>(random->below(9)) / 4.0f - 1.0f;
    if (!storage->set_item(row, vector.data()).ok()) std::abort();
  }
  BuildOptions options;
  options.trees = 1 + static_cast<int32_t>(random->below(3));
  options.seed = random->next();
  options.threads = 1;
  BuildResult result;
  if (!build_forest(storage.get(), options, &result).ok()) std::abort();
  file.insert(file.end(), storage->data(), storage->data() + storage->bytes());
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kHeader) return 0;
  const NodeLayout layout = layout_of(data);
  const size_t length = size - kHeader;
  // On the heap and of the exact size, so that a step beyond is seen; aligned as the kernel asks for.
  std::unique_ptr<uint64_t[]> memory(new uint64_t[(length + 7) / 8]);
  uint8_t* bytes = reinterpret_cast<uint8_t*>(memory.get());
  std::memcpy(bytes, data + kHeader, length);

  ForestView view;
  const Status opened = ForestView::open(bytes, static_cast<int64_t>(length), layout, &view);
  if (!opened.ok()) return 0;

  static SearchScratch scratch;
  std::vector<float> query(static_cast<size_t>(layout.dimensions), 0.75f);
  query[0] = -0.5f;
  SearchOptions options;
  options.k = 1 + data[2] % 40;
  options.search_k = data[3] % 16 == 0 ? INT64_MAX : data[3] % 16 == 1 ? -1 : data[3];
  if (options.search_k == 0) options.search_k = 1;
  uint32_t allowed_words[2] = {0x5a5a5a5au, 0xffff00ffu};
  std::vector<int32_t> items(static_cast<size_t>(options.k));
  std::vector<float> values(static_cast<size_t>(options.k));
  bool is_whole = true;
  for (int filter = 0; filter < 2; ++filter) {
    options.allowed = filter == 0 ? Allowed() : Allowed{allowed_words, 2};
    int32_t found = 0;
    const Status status = view.search(query.data(), options, &scratch, items.data(), values.data(), &found);
    if (!status.ok() && status.code != StatusCode::corrupt) give_up("a search failed for another reason than bytes");
    is_whole = is_whole && status.ok();
    for (int32_t rank = 0; status.ok() && rank < found; ++rank) {
      const int32_t item = items[static_cast<size_t>(rank)];
      if (!view.has_item(item) || !options.allowed.contains(item))
        give_up("a search found an item that does not exist");
      if (rank > 0 && values[static_cast<size_t>(rank)] < values[static_cast<size_t>(rank - 1)] &&
          layout.metric != Metric::dot) {
        give_up("neighbors out of order");
      }
    }
  }
  for (int32_t item : {0, view.items() / 2, view.items() - 1, view.items(), -1}) {
    static_cast<void>(view.item_vector(item, query.data()));
    static_cast<void>(view.distance(item, 0, values.data()));
  }
  for (float& number : query) number = number == number ? number : 0.0f;
  ExactScan scan;
  if (!scan.prepare(layout, query.data(), 1, options.k).ok()) give_up("a scan could not be prepared");
  if (!scan.scan(item_rows(view), 0, Allowed()).ok()) give_up("a scan failed");
  scan.finish(items.data(), values.data());
  StructureReport report;
  if (!validate_structure(view, &report).ok()) give_up("a validation failed");
  if (!is_whole && report.errors == 0) give_up("a search stopped at damage that the validation does not see");
  return 0;
}

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t maximum);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t maximum, unsigned int seed) {
  Random random(seed);
  if (size < kHeader + 8 || random.below(50) == 0) {
    const std::vector<uint8_t> file = built_file(&random);
    const size_t length = file.size() < maximum ? file.size() : maximum;
    std::memcpy(data, file.data(), length);
    return length;
  }
  if (random.below(6) == 0) return LLVMFuzzerMutate(data, size, maximum);
  const NodeLayout layout = layout_of(data);
  const size_t nodes = (size - kHeader) / layout.node_bytes;
  if (nodes == 0) return LLVMFuzzerMutate(data, size, maximum);
  for (uint32_t change = 0; change <= random.below(3); ++change) {
    const size_t node = random.below(3) == 0 ? nodes - 1 - random.below(static_cast<uint32_t>(nodes < 4 ? nodes : 4))
                                             : random.below(static_cast<uint32_t>(nodes));
    const size_t words = layout.node_bytes / 4;
    const size_t word = random.below(2) == 0 ? random.below(4) : random.below(static_cast<uint32_t>(words));
    const int32_t choices[] = {-1,
                               0,
                               1,
                               2,
                               layout.leaf_capacity,
                               layout.leaf_capacity + 1,
                               static_cast<int32_t>(random.below(static_cast<uint32_t>(nodes))),
                               static_cast<int32_t>(nodes) - 1,
                               static_cast<int32_t>(nodes),
                               INT32_MAX,
                               INT32_MIN,
                               static_cast<int32_t>(random.next()),
                               0x7f800000,
                               0x7fc00000};
    const int32_t value = choices[random.below(sizeof choices / sizeof *choices)];
    std::memcpy(data + kHeader + node * layout.node_bytes + 4 * word, &value, 4);
  }
  // Now and then whole nodes are lost or repeated.
  if (random.below(12) == 0) return kHeader + (1 + random.below(static_cast<uint32_t>(nodes))) * layout.node_bytes;
  if (random.below(12) == 0 && size + layout.node_bytes <= maximum) {
    std::memcpy(data + size, data + kHeader + random.below(static_cast<uint32_t>(nodes)) * layout.node_bytes,
                layout.node_bytes);
    return size + layout.node_bytes;
  }
  return size;
}
