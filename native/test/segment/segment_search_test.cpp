// Ownership, and the policy that chooses between graph, trees and scans.

#include "segment/segment_search.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "graph/build/graph_build.h"
#include "segment/exact_search.h"
#include "segment/forest_digest.h"
#include "support/check.h"
#include "support/generate.h"
#include "support/graph_index.h"

#if !defined(_WIN32)
#include <unistd.h>
#endif

using namespace semantic_index_test;

namespace {

constexpr int32_t kDimensions = 24;
constexpr int32_t kRows = 3000;
constexpr int32_t kK = 10;
constexpr int64_t kQueries = 20;

/** A file that the test removes again. */
class TemporaryFile {
 public:
  explicit TemporaryFile(const char* name) {
    const char* directory = std::getenv("TMPDIR");
    path_ = std::string(directory != nullptr ? directory : "/tmp") + "/semantic-index-segment-" +
            std::to_string(std::hash<std::thread::id>()(std::this_thread::get_id())) + "-" + name;
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

  /** Inverts one byte. */
  void damage(int64_t offset) const {
    std::FILE* file = std::fopen(path_.c_str(), "r+b");
    CHECK(file != nullptr);
    CHECK_EQUAL(std::fseek(file, static_cast<long>(offset), SEEK_SET), 0);
    const int byte = std::fgetc(file);
    CHECK_EQUAL(std::fseek(file, static_cast<long>(offset), SEEK_SET), 0);
    CHECK(std::fputc(byte ^ 0xff, file) != EOF);
    CHECK_EQUAL(std::fclose(file), 0);
  }

 private:
  std::string path_;
};

ForestPointer make_forest(Metric metric, const std::vector<float>& rows, uint64_t seed = 1) {
  Index index = build_index(metric, kDimensions, rows, 5, seed);
  ForestPointer forest;
  CHECK_OK(forest_from_storage(std::shared_ptr<NodeStorage>(std::move(index.storage)), &forest));
  return forest;
}

Segment make_segment(Metric metric, const std::vector<float>& rows) {
  Segment segment;
  segment.forest = make_forest(metric, rows);
  GraphBuildOptions options;
  options.threads = 2;
  CHECK_OK(graph_from_forest(*segment.forest, options, &segment.graph));
  return segment;
}

struct Answer {
  std::vector<int32_t> items = std::vector<int32_t>(kQueries * kK);
  std::vector<float> distances = std::vector<float>(kQueries * kK);

  bool operator==(const Answer& other) const {
    return items == other.items && std::memcmp(distances.data(), other.distances.data(), distances.size() * 4) == 0;
  }
};

BatchSearch make_batch(const std::vector<float>& queries, Answer* answer) {
  BatchSearch batch;
  batch.queries = queries.data();
  batch.count = kQueries;
  batch.options.k = kK;
  batch.threads = 2;
  batch.items = answer->items.data();
  batch.distances = answer->distances.data();
  return batch;
}

Answer answer_of(const Segment& segment, const std::vector<float>& queries, bool exact, int threads = 2) {
  Answer answer;
  BatchSearch batch = make_batch(queries, &answer);
  std::atomic<int64_t> done{0};
  batch.exact = exact;
  batch.threads = threads;
  batch.done = &done;
  CHECK_OK(search_batch(segment, batch));
  CHECK_EQUAL(done.load(), kQueries);
  return answer;
}

/** Offset in the file of the section's first byte. */
int64_t offset_of(const Segment& segment, GraphSection section) {
  return segment.graph->view.header().sections[static_cast<size_t>(section)].offset;
}

}  // namespace

TEST(searches_with_the_graph_and_without_it) {
  const Data data = make_data(kRows, kDimensions, kQueries);
  for (Metric metric : kGraphMetrics) {
    const Segment segment = make_segment(metric, data.rows);
    const Answer exact = answer_of(segment, data.queries, true);
    for (int threads : {1, 3}) CHECK(answer_of(segment, data.queries, true, threads) == exact);
    const Answer fast = answer_of(segment, data.queries, false);
    CHECK(answer_of(segment, data.queries, false, 1) == fast);
    // Without a graph, exact answers are the same, and the trees answer as ForestView does.
    Segment plain = segment;
    plain.graph.reset();
    CHECK(answer_of(plain, data.queries, true) == exact);
    const Answer trees = answer_of(plain, data.queries, false);
    SearchScratch scratch;
    SearchOptions options;
    options.k = kK;
    int32_t items[kK];
    int32_t found = 0;
    CHECK_OK(plain.forest->view.search(data.queries.data(), options, &scratch, items, nullptr, &found));
    CHECK_EQUAL(found, kK);
    CHECK(std::equal(items, items + kK, trees.items.begin()));
    int64_t common = 0;
    for (int64_t query = 0; query < kQueries; ++query) {
      for (int32_t rank = 0; rank < kK; ++rank) {
        const int32_t* first = exact.items.data() + query * kK;
        if (std::find(first, first + kK, fast.items[static_cast<size_t>(query * kK + rank)]) != first + kK) ++common;
      }
    }
    CHECK(common >= kQueries * kK * 95 / 100);
  }
}

TEST(fills_up_when_fewer_are_allowed_than_wanted) {
  const Data data = make_data(kRows, kDimensions, kQueries);
  const Segment segment = make_segment(Metric::angular, data.rows);
  const uint32_t bits[] = {0x11u};
  for (bool exact : {false, true}) {
    Answer answer;
    BatchSearch batch = make_batch(data.queries, &answer);
    batch.exact = exact;
    batch.options.allowed = {bits, 1};
    batch.candidates = 2;
    CHECK_OK(search_batch(segment, batch));
    for (size_t query = 0; query < kQueries; ++query) {
      for (size_t rank = 0; rank < kK; ++rank) {
        const int32_t item = answer.items[query * kK + rank];
        CHECK(rank < 2 ? item == 0 || item == 4 : item == -1);
        CHECK_EQUAL(std::isnan(answer.distances[query * kK + rank]), rank >= 2);
      }
    }
  }
}

TEST(maps_files_and_verifies_their_origin_once) {
  const Data data = make_data(kRows, kDimensions, kQueries);
  const Segment segment = make_segment(Metric::euclidean, data.rows);
  const TemporaryFile forest_file("origin.ann");
  const TemporaryFile graph_file("origin.accel");
  CHECK_OK(save_forest(*segment.forest, forest_file.path(), nullptr));
  CHECK_OK(save_graph(*segment.graph, graph_file.path(), nullptr));
  Segment mapped;
  CHECK_OK(forest_from_file(forest_file.path(), Metric::euclidean, kDimensions, &mapped.forest));
  CHECK_OK(graph_from_file(graph_file.path(), *mapped.forest, "", &mapped.graph));
  CHECK_EQUAL(mapped.heap_bytes(), 0);
  CHECK_EQUAL(mapped.mapped_bytes(), segment.forest->size + segment.graph->size());
  CHECK(!mapped.graph->state.is_own.load());
  CHECK(answer_of(mapped, data.queries, false) == answer_of(segment, data.queries, false));
  CHECK(mapped.graph->state.is_own.load());
  CHECK(!mapped.graph->state.is_verified.load());
  CHECK(answer_of(mapped, data.queries, true) == answer_of(segment, data.queries, true));
  CHECK(mapped.graph->state.is_verified.load());

  // With the checksum of the forest at hand, the origin is known at once, or the graph refused.
  std::string content;
  CHECK_OK(compute_content(*mapped.forest, nullptr, &content));
  CHECK_OK(graph_from_file(graph_file.path(), *mapped.forest, content, &mapped.graph));
  CHECK(mapped.graph->state.is_own.load());
  content[0] = content[0] == '0' ? '1' : '0';
  CHECK(graph_from_file(graph_file.path(), *mapped.forest, content, &mapped.graph).code ==
        StatusCode::invalid_argument);
  CHECK(graph_from_file(graph_file.path() + ".missing", *mapped.forest, "", &mapped.graph).code ==
        StatusCode::io_error);
}

TEST(falls_back_when_the_graph_is_damaged) {
  const Data data = make_data(kRows, kDimensions, kQueries);
  const Segment segment = make_segment(Metric::angular, data.rows);
  Segment plain = segment;
  plain.graph.reset();
  // Damaged neighbors are noticed by searches, damaged rows only by the checksums before an exact search.
  const TemporaryFile file("damaged.accel");
  CHECK_OK(save_graph(*segment.graph, file.path(), nullptr));
  const int64_t neighbors = offset_of(segment, GraphSection::neighbors);
  for (int64_t byte = 0; byte < int64_t{kRows} * 100; byte += 2) file.damage(neighbors + byte);
  Segment damaged = segment;
  CHECK_OK(graph_from_file(file.path(), *damaged.forest, "", &damaged.graph));
  CHECK(answer_of(damaged, data.queries, false).items == answer_of(plain, data.queries, false).items);
  CHECK(damaged.graph->state.is_damaged.load());
  CHECK(answer_of(damaged, data.queries, true) == answer_of(plain, data.queries, true));

  const TemporaryFile rows_file("rows.accel");
  CHECK_OK(save_graph(*segment.graph, rows_file.path(), nullptr));
  rows_file.damage(offset_of(segment, GraphSection::high_nibbles) + 17);
  CHECK_OK(graph_from_file(rows_file.path(), *damaged.forest, "", &damaged.graph));
  CHECK(answer_of(damaged, data.queries, true) == answer_of(plain, data.queries, true));
  CHECK(damaged.graph->state.is_damaged.load());
  CHECK(!damaged.graph->state.is_verified.load());
}

TEST(ignores_the_graph_of_another_forest) {
  const Data data = make_data(kRows, kDimensions, kQueries);
  const Segment segment = make_segment(Metric::angular, data.rows);
  const TemporaryFile file("foreign.accel");
  CHECK_OK(save_graph(*segment.graph, file.path(), nullptr));
  // The same size and the same ends, but one item differs.
  const int64_t words = segment.forest->size / 8 + 1;
  std::unique_ptr<uint64_t[]> bytes(new uint64_t[static_cast<size_t>(words)]);
  auto* copy = reinterpret_cast<uint8_t*>(bytes.get());
  CHECK_OK(copy_bytes(*segment.forest, nullptr, copy));
  const size_t node_bytes = segment.forest->view.layout().node_bytes;
  const float one = 1.0f;
  std::memcpy(copy + node_bytes * 1500 + segment.forest->view.layout().vector_offset, &one, sizeof one);
  Segment other;
  CHECK_OK(forest_from_bytes(std::move(bytes), segment.forest->size, Metric::angular, kDimensions, &other.forest));
  bool equal = true;
  CHECK_OK(compare_forests(*segment.forest, *other.forest, nullptr, &equal));
  CHECK(!equal);
  CHECK_OK(graph_from_file(file.path(), *other.forest, "", &other.graph));
  Segment plain = other;
  plain.graph.reset();
  // Several threads at once: the forest is compared by one of them.
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back(
        [&] { CHECK(answer_of(other, data.queries, false) == answer_of(plain, data.queries, false)); });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(other.graph->state.is_foreign.load());
  CHECK(!other.graph->state.is_own.load());
  CHECK(answer_of(other, data.queries, true) == answer_of(plain, data.queries, true));
}

#if !defined(_WIN32)

TEST(falls_back_when_the_graph_file_is_truncated) {
  const Data data = make_data(kRows, kDimensions, kQueries);
  const Segment segment = make_segment(Metric::angular, data.rows);
  Segment plain = segment;
  plain.graph.reset();
  const TemporaryFile file("truncated.accel");
  for (bool exact : {false, true}) {
    CHECK_OK(save_graph(*segment.graph, file.path(), nullptr));
    Segment mapped = segment;
    CHECK_OK(graph_from_file(file.path(), *mapped.forest, "", &mapped.graph));
    CHECK_EQUAL(truncate(file.path().c_str(), 8192), 0);
    CHECK(answer_of(mapped, data.queries, exact) == answer_of(plain, data.queries, exact));
    CHECK(mapped.graph->state.is_damaged.load());
  }
}

#endif

TEST(stops_when_cancelled) {
  const Data data = make_data(kRows, kDimensions, kQueries);
  const Segment segment = make_segment(Metric::angular, data.rows);
  const std::atomic<bool> cancel{true};
  for (bool exact : {false, true}) {
    Answer answer;
    BatchSearch batch = make_batch(data.queries, &answer);
    batch.exact = exact;
    batch.cancel = &cancel;
    CHECK(search_batch(segment, batch).code == StatusCode::cancelled);
  }
  ForestDigest digest;
  CHECK(compute_digest(*segment.forest, &cancel, &digest).code == StatusCode::cancelled);
  std::shared_ptr<NodeStorage> storage;
  CHECK(copy_items(*segment.forest, &cancel, &storage).code == StatusCode::cancelled);
  CHECK(storage == nullptr);
  bool equal = false;
  CHECK(compare_forests(*segment.forest, *segment.forest, &cancel, &equal).code == StatusCode::cancelled);
  // A cancelled check leaves the graph as it was.
  CHECK(!segment.graph->state.is_damaged.load());
  CHECK(!segment.graph->state.is_verified.load());
}

TEST(splits_rows_among_threads_without_changing_the_answer) {
  // More than 2 MiB of rows for one query, so that the rows are split.
  constexpr int32_t kManyRows = 60000;
  const Data data = make_data(kManyRows, kDimensions, kQueries);
  NodeLayout layout;
  CHECK_OK(make_layout(Metric::dot, kDimensions, &layout));
  RowBuffer buffer(layout);
  CHECK_OK(buffer.append(data.rows.data(), kManyRows));
  const auto run = [&](int64_t count, int64_t limit, int threads) {
    Answer answer;
    BatchSearch batch = make_batch(data.queries, &answer);
    batch.count = count;
    batch.threads = threads;
    CHECK_OK(search_rows(buffer.snapshot(), layout, limit, batch));
    return answer;
  };
  for (int64_t limit : {int64_t{-1}, int64_t{0}, int64_t{5}, int64_t{kManyRows - 7}}) {
    for (int64_t count : {int64_t{1}, kQueries}) {
      const Answer once = run(count, limit, 1);
      CHECK(run(count, limit, 4).items == once.items);
    }
  }
}

TEST(digests_identify_the_bytes) {
  const Data data = make_data(kRows, kDimensions, kQueries);
  const ForestPointer forest = make_forest(Metric::angular, data.rows);
  const ForestPointer same = make_forest(Metric::angular, data.rows);
  const ForestPointer other = make_forest(Metric::angular, data.rows, 2);
  ForestDigest digest;
  ForestDigest same_digest;
  ForestDigest other_digest;
  CHECK_OK(compute_digest(*forest, nullptr, &digest));
  CHECK_OK(compute_digest(*same, nullptr, &same_digest));
  CHECK_OK(compute_digest(*other, nullptr, &other_digest));
  CHECK_EQUAL(digest.items, same_digest.items);
  CHECK_EQUAL(digest.forest, same_digest.forest);
  CHECK_EQUAL(digest.ends, same_digest.ends);
  CHECK_EQUAL(digest.items, other_digest.items);
  CHECK(digest.forest != other_digest.forest);
  CHECK(digest.content != other_digest.content);
  CHECK_EQUAL(digest.items.size(), size_t{64});
  CHECK_EQUAL(digest.content.size(), size_t{16});
  std::string content;
  CHECK_OK(compute_content(*forest, nullptr, &content));
  CHECK_EQUAL(content, digest.content);
}

TEST(copies_items_and_keeps_holes) {
  const Data data = make_data(200, kDimensions, 1);
  Index index;
  CHECK_OK(make_layout(Metric::angular, kDimensions, &index.layout));
  CHECK_OK(NodeStorage::in_memory(index.layout, &index.storage));
  for (int32_t item = 0; item < 200; ++item) {
    if (item % 7 != 3) CHECK_OK(index.storage->set_item(item, data.rows.data() + item * kDimensions));
  }
  BuildOptions options;
  options.trees = 2;
  BuildResult result;
  CHECK_OK(build_forest(index.storage.get(), options, &result));
  ForestPointer forest;
  CHECK_OK(forest_from_storage(std::shared_ptr<NodeStorage>(std::move(index.storage)), &forest));
  std::shared_ptr<NodeStorage> copy;
  CHECK_OK(copy_items(*forest, nullptr, &copy));
  // The last item is a hole, so there are 199.
  CHECK_EQUAL(copy->items(), 199);
  const ForestView items = ForestView::of_items(copy->data(), copy->items(), copy->layout());
  for (int32_t item = 0; item < 199; ++item) {
    CHECK_EQUAL(items.has_item(item), item % 7 != 3);
    if (items.has_item(item)) {
      float vector[kDimensions];
      CHECK_OK(items.item_vector(item, vector));
      CHECK_EQUAL(std::memcmp(vector, data.rows.data() + item * kDimensions, sizeof vector), 0);
    }
  }
}
