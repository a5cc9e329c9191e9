// Untrusted bytes: every truncation and every changed byte of a small file, for each metric. Nothing may crash, hang
// or read out of bounds (run this under the sanitizers); damage that a search follows must be reported or be harmless.

#include <cstring>

#include "annoy/validate.h"
#include "exact/scan.h"
#include "support/check.h"
#include "support/generate.h"

using namespace semantic_index_test;

namespace {

/** A copy on the heap of exactly `size` bytes, aligned to 8, so that a sanitizer sees every step beyond. */
struct Bytes {
  explicit Bytes(const uint8_t* source, size_t size) : data(new uint64_t[(size + 7) / 8]), length(size) {
    std::memcpy(data.get(), source, size);
  }
  uint8_t* begin() { return reinterpret_cast<uint8_t*>(data.get()); }

  std::unique_ptr<uint64_t[]> data;
  size_t length;
};

struct Outcome {
  bool opened = false;
  bool answered = false;
  int64_t defects = 0;
};

/** Does with the bytes whatever can be done with a file. */
Outcome try_everything(const uint8_t* bytes, size_t size, const NodeLayout& layout, SearchScratch* scratch) {
  Outcome outcome;
  ForestView view;
  if (!ForestView::open(bytes, static_cast<int64_t>(size), layout, &view).ok()) return outcome;
  outcome.opened = true;
  const std::vector<float> query = random_rows(layout.metric, 1, layout.dimensions, 77);
  int32_t items[5];
  float values[5];
  int32_t found = 0;
  outcome.answered = true;
  for (int64_t search_k : {int64_t{1}, int64_t{20}, int64_t{1} << 40}) {
    SearchOptions options;
    options.k = 5;
    options.search_k = search_k;
    const Status status = view.search(query.data(), options, scratch, items, values, &found);
    CHECK(status.ok() || status.code == StatusCode::corrupt);
    outcome.answered = outcome.answered && status.ok();
    if (!status.ok()) continue;
    CHECK(found >= 0 && found <= 5);
    for (int32_t rank = 0; rank < found; ++rank) CHECK(view.has_item(items[rank]));
  }
  std::vector<float> vector(static_cast<size_t>(layout.dimensions));
  static_cast<void>(view.item_vector(0, vector.data()));
  static_cast<void>(view.item_vector(view.items() - 1, vector.data()));
  static_cast<void>(view.distance(0, view.items() - 1, values));
  ExactScan scan;
  CHECK_OK(scan.prepare(layout, query.data(), 1, 5));
  CHECK_OK(scan.scan(item_rows(view), 0, Allowed()));
  scan.finish(items, values);
  StructureReport report;
  CHECK_OK(validate_structure(view, &report));
  outcome.defects = report.errors;
  return outcome;
}

std::vector<NodeLayout> layouts(int32_t dimensions) {
  std::vector<NodeLayout> result;
  for (Metric metric : kMetrics) {
    NodeLayout layout;
    CHECK_OK(make_layout(metric, dimensions, &layout));
    result.push_back(layout);
  }
  NodeLayout layout;
  CHECK_OK(make_layout(Metric::dot, dimensions, &layout, DotLayout::extended));
  result.push_back(layout);
  return result;
}

std::vector<uint8_t> file_of(const NodeLayout& layout, int32_t rows, int32_t trees) {
  std::unique_ptr<NodeStorage> storage;
  CHECK_OK(NodeStorage::in_memory(layout, &storage));
  const std::vector<float> data = random_rows(layout.metric, rows, layout.dimensions, 3);
  CHECK_OK(storage->set_items(0, data.data(), rows, layout.dimensions));
  BuildOptions options;
  options.trees = trees;
  options.threads = 1;
  BuildResult result;
  CHECK_OK(build_forest(storage.get(), options, &result));
  return std::vector<uint8_t>(storage->data(), storage->data() + storage->bytes());
}

}  // namespace

TEST(every_truncation) {
  SearchScratch scratch;
  for (const NodeLayout& layout : layouts(5)) {
    const std::vector<uint8_t> file = file_of(layout, 60, 3);
    int opened = 0;
    for (size_t size = 0; size <= file.size(); ++size) {
      Bytes bytes(file.data(), size);
      opened += try_everything(bytes.begin(), size, layout, &scratch).opened ? 1 : 0;
    }
    std::printf("  %s: %zu truncations, %d opened\n", metric_name(layout.metric), file.size() + 1, opened);
    CHECK(opened >= 1);
  }
}

TEST(every_byte_changed) {
  SearchScratch scratch;
  for (const NodeLayout& layout : layouts(5)) {
    const std::vector<uint8_t> file = file_of(layout, 60, 3);
    Bytes bytes(file.data(), file.size());
    int tried = 0, refused = 0, corrupt = 0, found = 0;
    for (size_t place = 0; place < file.size(); ++place) {
      for (int change : {0xff, 0x01, 0x80, 0x40, 0x10}) {
        bytes.begin()[place] = static_cast<uint8_t>(file[place] ^ change);
        const Outcome outcome = try_everything(bytes.begin(), file.size(), layout, &scratch);
        ++tried;
        refused += outcome.opened ? 0 : 1;
        corrupt += outcome.opened && !outcome.answered ? 1 : 0;
        found += outcome.defects > 0 ? 1 : 0;
        // What a search stumbles over, a validation must find too.
        if (outcome.opened && !outcome.answered) CHECK(outcome.defects > 0);
      }
      bytes.begin()[place] = file[place];
    }
    std::printf("  %s: %d changes: %d refused, %d stopped a search, %d found by validation\n",
                metric_name(layout.metric), tried, refused, corrupt, found);
  }
}

TEST(every_word_replaced) {
  SearchScratch scratch;
  for (const NodeLayout& layout : layouts(5)) {
    const std::vector<uint8_t> file = file_of(layout, 60, 3);
    Bytes bytes(file.data(), file.size());
    const int32_t nodes = static_cast<int32_t>(file.size() / layout.node_bytes);
    for (size_t place = 0; place + 4 <= file.size(); place += 4) {
      for (int32_t value : {-1, 0, 1, 2, 59, 60, 61, nodes - 1, nodes, INT32_MAX, INT32_MIN}) {
        std::memcpy(bytes.begin() + place, &value, 4);
        try_everything(bytes.begin(), file.size(), layout, &scratch);
      }
      std::memcpy(bytes.begin() + place, file.data() + place, 4);
    }
  }
}

TEST(bytes_of_another_metric_or_dimension) {
  SearchScratch scratch;
  for (const NodeLayout& written : layouts(24)) {
    const std::vector<uint8_t> file = file_of(written, 2000, 4);
    for (int32_t dimensions = 1; dimensions < 80; ++dimensions) {
      for (const NodeLayout& read : layouts(dimensions)) {
        const bool is_same = read.node_bytes == written.node_bytes && read.vector_offset == written.vector_offset &&
                             read.children_offset == written.children_offset &&
                             (read.metric == Metric::hamming) == (written.metric == Metric::hamming);
        // Where nodes and children lie the same way, only the vectors are misread, which no reader can detect.
        const bool is_alike = read.node_bytes == written.node_bytes && read.children_offset == written.children_offset;
        const Outcome outcome = try_everything(file.data(), file.size(), read, &scratch);
        if (is_same) CHECK(outcome.opened);
        if (outcome.opened && !is_alike) {
          std::printf("  %s %d opened as %s %d\n", metric_name(written.metric), written.dimensions,
                      metric_name(read.metric), dimensions);
          CHECK(outcome.defects > 0);
        }
      }
    }
  }
}

TEST(random_bytes) {
  SearchScratch scratch;
  Random random(8);
  for (const NodeLayout& layout : layouts(3)) {
    for (int round = 0; round < 3000; ++round) {
      std::vector<uint8_t> noise(layout.node_bytes * (1 + random.below(40)));
      // Small numbers make more of the bytes look like nodes.
      for (size_t place = 0; place + 4 <= noise.size(); place += 4) {
        const int32_t value = static_cast<int32_t>(random.below(50)) - 1;
        std::memcpy(noise.data() + place, &value, 4);
      }
      const int32_t items = static_cast<int32_t>(random.below(20));
      for (uint32_t root = 0; root <= random.below(4) && (root + 1) * layout.node_bytes <= noise.size(); ++root) {
        std::memcpy(noise.data() + noise.size() - (root + 1) * layout.node_bytes, &items, 4);
      }
      Bytes bytes(noise.data(), noise.size());
      try_everything(bytes.begin(), noise.size(), layout, &scratch);
    }
  }
}

TEST(deep_and_cyclic_trees) {
  // A chain of planes, each the child of the next, and one that closes a ring: neither may overflow a stack or run on.
  NodeLayout layout;
  CHECK_OK(make_layout(Metric::angular, 2, &layout));
  const int32_t items = 200000;
  const int32_t planes = 150000;
  std::vector<uint64_t> memory((static_cast<size_t>(items + planes + 2) * layout.node_bytes + 7) / 8, 0u);
  uint8_t* bytes = reinterpret_cast<uint8_t*>(memory.data());
  const auto node = [&](int32_t index) { return bytes + static_cast<size_t>(index) * layout.node_bytes; };
  for (int32_t item = 0; item < items; ++item) write_int32(node(item), 1);
  for (int ring : {0, 1}) {
    for (int32_t plane = 0; plane < planes; ++plane) {
      uint8_t* at = node(items + plane);
      write_int32(at, plane + 10);
      write_int32(at + layout.children_offset, plane == 0 ? (ring == 1 ? items + planes - 5 : 1) : items + plane - 1);
      write_int32(at + layout.children_offset + 4, plane);
    }
    uint8_t* root = node(items + planes);
    write_int32(root, items);
    write_int32(root + layout.children_offset, items + planes - 1);
    write_int32(root + layout.children_offset + 4, 0);
    std::memcpy(node(items + planes + 1), root, layout.node_bytes);
    ForestView view;
    const Status opened = ForestView::open(
        bytes, static_cast<int64_t>(items + planes + 2) * static_cast<int64_t>(layout.node_bytes), layout, &view);
    if (!opened.ok()) continue;
    SearchScratch scratch;
    SearchOptions options;
    options.search_k = INT64_MAX;
    int32_t found_items[10];
    int32_t found;
    const float query[2] = {1, 1};
    const Status status = view.search(query, options, &scratch, found_items, nullptr, &found);
    CHECK(ring == 1 ? status.code == StatusCode::corrupt : status.ok());
    StructureReport report;
    CHECK_OK(validate_structure(view, &report));
    CHECK(report.errors > 0);
  }
}
