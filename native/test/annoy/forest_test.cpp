// Forests: same bytes for any number of threads and any instruction set, whole trees, and neighbors that are right.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <set>

#include "annoy/tree_builder.h"
#include "annoy/validate.h"
#include "base/sha256.h"
#include "distance/distance.h"
#include "exact/scan.h"
#include "support/check.h"
#include "support/check_forest.h"
#include "support/generate.h"

using namespace semantic_index_test;

namespace {

std::string hash_of(const uint8_t* bytes, int64_t size) {
  Sha256 hash;
  hash.update(bytes, static_cast<size_t>(size));
  uint8_t digest[32];
  hash.finish(digest);
  std::string text;
  for (uint8_t byte : digest) {
    char pair[3];
    std::snprintf(pair, sizeof pair, "%02x", byte);
    text += pair;
  }
  return text;
}

/** The definition of exact search, in double, for metrics where that decides. */
std::vector<int32_t> nearest_by_definition(const ForestView& view, const float* query, int32_t k) {
  std::vector<Neighbor> all;
  std::vector<float> vector(static_cast<size_t>(view.layout().dimensions));
  for (int32_t item = 0; item < view.items(); ++item) {
    if (!view.item_vector(item, vector.data()).ok()) continue;
    double sum = 0, product = 0, norm = 0, own = 0;
    for (size_t i = 0; i < vector.size(); ++i) {
      const double difference = static_cast<double>(vector[i]) - query[i];
      product += static_cast<double>(vector[i]) * query[i];
      norm += static_cast<double>(vector[i]) * vector[i];
      own += static_cast<double>(query[i]) * query[i];
      if (view.layout().metric == Metric::euclidean) sum += difference * difference;
      if (view.layout().metric == Metric::manhattan) sum += std::fabs(difference);
      if (view.layout().metric == Metric::hamming) sum += difference != 0 ? 1 : 0;
    }
    if (view.layout().metric == Metric::angular) sum = 2 - 2 * product / std::sqrt(norm * own);
    if (view.layout().metric == Metric::dot) sum = -product;
    all.push_back({static_cast<float>(sum), item});
  }
  std::sort(all.begin(), all.end(), is_nearer);
  std::vector<int32_t> items;
  for (int32_t rank = 0; rank < k && rank < static_cast<int32_t>(all.size()); ++rank) {
    items.push_back(all[static_cast<size_t>(rank)].item);
  }
  return items;
}

}  // namespace

TEST(same_bytes_for_any_threads_and_instruction_set) {
  // More items than are split by one thread alone, so that threads share trees.
  const int32_t trees = kIsSanitized ? 1 : 4;
  const std::vector<int> all_threads = kIsSanitized ? std::vector<int>{1, 3} : std::vector<int>{1, 2, 3, 5};
  for (Metric metric : kMetrics) {
    const int32_t rows = kSharedSplitItems + 5000;
    const std::vector<float> data =
        metric == Metric::hamming ? random_rows(metric, rows, 100, 7) : clustered_rows(rows, 20, 50, 7);
    const int32_t dimensions = metric == Metric::hamming ? 100 : 20;
    std::string expected;
    for (int threads : all_threads) {
      const Index index = build_index(metric, dimensions, data, trees, 42, threads);
      const std::string hash = hash_of(index.storage->data(), index.storage->bytes());
      if (expected.empty()) expected = hash;
      CHECK_EQUAL(hash, expected);
      if (threads == 1) check_valid(index.view);
      CHECK_EQUAL(index.view.trees(), trees);
    }
    for (const DistanceTable* const* table = available_instruction_sets(); *table != nullptr; ++table) {
      CHECK(select_instruction_set((*table)->name));
      const Index index = build_index(metric, dimensions, data, trees, 42, 2);
      CHECK_EQUAL(hash_of(index.storage->data(), index.storage->bytes()), expected);
    }
    CHECK(select_instruction_set(available_instruction_sets()[0]->name));
    const Index other = build_index(metric, dimensions, data, trees, 43, 1);
    CHECK(hash_of(other.storage->data(), other.storage->bytes()) != expected);
  }
}

TEST(the_quantized_copy_changes_nothing) {
  const int32_t rows = kIsSanitized ? 1000 : 4000;
  for (Metric metric : {Metric::angular, Metric::euclidean, Metric::manhattan, Metric::dot}) {
    for (int32_t dimensions : {64, 100, 129}) {
      for (int kind = 0; kind < 6; ++kind) {
        std::vector<float> data = clustered_rows(rows, dimensions, 40, 7, 0.5f);
        Random random(kind);
        for (size_t place = 0; place < data.size(); ++place) {
          float& number = data[place];
          if (kind == 1) number += 1000.0f;
          if (kind == 2) number *= 1e-20f;
          if (kind == 3) number *= 1e18f;
          if (kind == 4) number = place % static_cast<size_t>(dimensions) == 3 ? number * 1e6f : number;
          // Many products of exactly zero, whose sides are random.
          if (kind == 5) number = random.below(20) == 0 ? static_cast<float>(random.below(3)) - 1.0f : 0.0f;
        }
        std::string expected;
        for (bool without_copy : {false, true}) {
          NodeLayout layout;
          CHECK_OK(make_layout(metric, dimensions, &layout));
          std::unique_ptr<NodeStorage> storage;
          CHECK_OK(NodeStorage::in_memory(layout, &storage));
          CHECK_OK(storage->set_items(0, data.data(), rows, dimensions));
          BuildOptions options;
          options.trees = 3;
          options.threads = 1;
          options.without_copy = without_copy;
          BuildResult result;
          CHECK_OK(build_forest(storage.get(), options, &result));
          const std::string hash = hash_of(storage->data(), storage->bytes());
          if (expected.empty()) expected = hash;
          CHECK_EQUAL(hash, expected);
        }
      }
    }
  }
}

TEST(bytes_are_the_same_on_every_machine) {
  // Vectors of small integers, so that no mathematical function of the machine plays a part.
  const std::string expected[] = {
      "9e3e691c890a97e0c580c3fb638c42a4c0d411dcc556abfed2cef5f1e0a503c1",
      "611ee2d2178482821f0ad309a275a1efc20a775147cd3fe712cddd23804ad732",
      "2192d73c95e2ad0ae63d83ecc8f6d54cde9b4e421577e1c7d34fb26b8ec02a1d",
      "7a41a82a1a685511eba4e5db45f218e36606b703576aff857311511da2956232",
      "bf64a7424a57fec5ba95641bedf17b7a01fd1f921d14520c5f7630d248a84b28",
  };
  for (Metric metric : kMetrics) {
    Random random(99);
    std::vector<float> data(3000 * 70);
    for (float& number : data) number = static_cast<float>(random.below(2001)) / 1000.0f - 1.0f;
    for (size_t place = 0; place < data.size(); place += 7) data[place] += static_cast<float>(place / 70 % 5);
    const Index index = build_index(metric, 70, data, 3, 5, 2);
    CHECK_EQUAL(hash_of(index.storage->data(), index.storage->bytes()), expected[static_cast<int>(metric)]);
  }
}

TEST(annoys_choice_of_trees) {
  for (Metric metric : kMetrics) {
    const std::vector<float> data = random_rows(metric, 3000, 16, 1);
    std::string expected;
    for (int threads : {1, 3}) {
      const Index index = build_index(metric, 16, data, -1, 9, threads);
      const int32_t trees = index.view.trees();
      const int32_t without_copies = index.view.nodes() - trees;
      CHECK(without_copies >= 2 * 3000);
      const std::string hash = hash_of(index.storage->data(), index.storage->bytes());
      if (expected.empty()) expected = hash;
      CHECK_EQUAL(hash, expected);
      // With one tree less, there would be too few nodes.
      if (trees > 1) CHECK(build_index(metric, 16, data, trees - 1, 9).view.nodes() - (trees - 1) < 2 * 3000);
      check_valid(index.view);
    }
  }
}

TEST(all_candidates_give_the_exact_answer) {
  for (Metric metric : kMetrics) {
    for (int32_t dimensions : {1, 2, 3, 7, 16, 33, 64, 65}) {
      const std::vector<float> data = random_rows(metric, 700, dimensions, 11);
      const std::vector<float> queries = random_rows(metric, 20, dimensions, 12);
      const Index index = build_index(metric, dimensions, data, 3);
      check_valid(index.view);
      SearchScratch scratch;
      SearchOptions options;
      options.k = 10;
      options.search_k = 100000;
      int32_t items[10];
      float values[10];
      ExactScan scan;
      CHECK_OK(scan.prepare(index.layout, queries.data(), 20, 10));
      CHECK_OK(scan.scan(item_rows(index.view), 0, Allowed()));
      std::vector<int32_t> scanned(200);
      std::vector<float> scanned_values(200);
      scan.finish(scanned.data(), scanned_values.data());
      for (int32_t query = 0; query < 20; ++query) {
        const float* vector = queries.data() + query * dimensions;
        int32_t found = 0;
        CHECK_OK(index.view.search(vector, options, &scratch, items, values, &found));
        CHECK_EQUAL(found, 10);
        for (int32_t rank = 0; rank < 10; ++rank) {
          CHECK_EQUAL(items[rank], scanned[static_cast<size_t>(query * 10 + rank)]);
          CHECK_EQUAL(values[rank], scanned_values[static_cast<size_t>(query * 10 + rank)]);
        }
        if (dimensions > 7 || metric == Metric::hamming) {
          const std::vector<int32_t> expected = nearest_by_definition(index.view, vector, 10);
          for (size_t rank = 0; rank < 10; ++rank) CHECK_EQUAL(items[rank], expected[rank]);
        }
        float distance;
        CHECK_OK(index.view.distance(items[0], items[0], &distance));
        if (metric != Metric::dot) CHECK(distance < 1e-3);
      }
    }
  }
}

TEST(recall_of_a_forest) {
  for (Metric metric : {Metric::angular, Metric::euclidean, Metric::manhattan, Metric::dot}) {
    const std::vector<float> data = clustered_rows(kIsSanitized ? 5000 : 20000, 32, 400, 3);
    const std::vector<float> queries = clustered_rows(100, 32, 400, 3);
    const Index index = build_index(metric, 32, data, 10);
    SearchScratch scratch;
    SearchOptions options;
    options.k = 10;
    options.search_k = 3000;
    ExactScan scan;
    CHECK_OK(scan.prepare(index.layout, queries.data(), 100, 10));
    CHECK_OK(scan.scan(item_rows(index.view), 0, Allowed()));
    std::vector<int32_t> exact(1000);
    scan.finish(exact.data(), nullptr);
    int hits = 0;
    for (int32_t query = 0; query < 100; ++query) {
      int32_t items[10];
      int32_t found;
      CHECK_OK(index.view.search(queries.data() + query * 32, options, &scratch, items, nullptr, &found));
      const std::set<int32_t> wanted(exact.begin() + query * 10, exact.begin() + query * 10 + 10);
      for (int32_t rank = 0; rank < found; ++rank) hits += wanted.count(items[rank]) > 0 ? 1 : 0;
    }
    std::printf("  %s: recall@10 %.3f\n", metric_name(metric), hits / 1000.0);
    CHECK(hits >= 900);
  }
}

TEST(unbuild_and_build_again) {
  for (Metric metric : kMetrics) {
    const std::vector<float> data = random_rows(metric, 2000, 12, 2);
    Index index = build_index(metric, 12, data, 3, 8);
    const std::string hash = hash_of(index.storage->data(), index.storage->bytes());
    CHECK(!index.storage->set_item(0, data.data()).ok());
    BuildOptions options;
    options.trees = 3;
    options.seed = 8;
    options.threads = 1;
    BuildResult result;
    CHECK_EQUAL(build_forest(index.storage.get(), options, &result).code == StatusCode::invalid_argument, true);
    CHECK_OK(index.storage->unbuild());
    CHECK_EQUAL(index.storage->nodes(), 2000);
    CHECK_OK(build_forest(index.storage.get(), options, &result));
    CHECK_EQUAL(hash_of(index.storage->data(), index.storage->bytes()), hash);
    CHECK_OK(index.storage->unbuild());
    CHECK_OK(index.storage->set_item(2005, data.data()));
    CHECK_OK(build_forest(index.storage.get(), options, &result));
    CHECK_OK(ForestView::open(index.storage->data(), index.storage->bytes(), index.layout, &index.view));
    check_valid(index.view);
    CHECK_EQUAL(index.view.has_item(2004), false);
    CHECK_EQUAL(index.view.has_item(2005), true);
  }
}

TEST(cancel_and_progress) {
  const int32_t rows = kIsSanitized ? 12000 : 60000;
  const std::vector<float> data = random_rows(Metric::angular, rows, 24, 2);
  NodeLayout layout;
  CHECK_OK(make_layout(Metric::angular, 24, &layout));
  std::unique_ptr<NodeStorage> storage;
  CHECK_OK(NodeStorage::in_memory(layout, &storage));
  CHECK_OK(storage->set_items(0, data.data(), rows, 24));
  struct Context {
    std::atomic<bool> cancel{false};
    int64_t total = 0;
    int64_t last = 0;
    int64_t limit = 0;
  };
  for (int threads : {1, 2}) {
    for (int64_t limit : {0, rows / 3, 2 * rows + rows / 6}) {
      Context context;
      context.total = int64_t{5} * rows;
      context.limit = limit;
      BuildOptions options;
      options.trees = 5;
      options.threads = threads;
      options.cancel = &context.cancel;
      options.progress_context = &context;
      options.progress = [](void* pointer, int64_t done, int64_t total) {
        Context* seen = static_cast<Context*>(pointer);
        CHECK(done > seen->last);
        CHECK_EQUAL(total, seen->total);
        seen->last = done;
        if (seen->limit > 0 && done >= seen->limit) seen->cancel.store(true);
      };
      BuildResult result;
      const Status status = build_forest(storage.get(), options, &result);
      if (limit > 0) {
        CHECK(status.code == StatusCode::cancelled);
        CHECK_EQUAL(storage->nodes(), rows);
        CHECK(!storage->is_built());
      } else {
        CHECK_OK(status);
        CHECK_EQUAL(context.last, context.total);
        CHECK_OK(storage->unbuild());
      }
    }
  }
}

TEST(filters) {
  for (Metric metric : kMetrics) {
    const std::vector<float> data = random_rows(metric, 3000, 16, 21);
    const Index index = build_index(metric, 16, data, 5);
    Random random(1);
    for (uint32_t share : {1u, 2u, 50u, 1500u}) {
      std::vector<uint32_t> bits(94, 0u);
      std::set<int32_t> allowed;
      for (int32_t item = 0; item < 3000; ++item) {
        if (random.below(share) != 0) continue;
        allowed.insert(item);
        bits[static_cast<size_t>(item >> 5)] |= 1u << (item & 31);
      }
      SearchScratch scratch;
      SearchOptions options;
      options.k = 10;
      options.search_k = 1000000;
      options.allowed = {bits.data(), 94};
      int32_t items[10];
      int32_t found;
      CHECK_OK(index.view.search(data.data(), options, &scratch, items, nullptr, &found));
      CHECK_EQUAL(found, std::min<int32_t>(10, static_cast<int32_t>(allowed.size())));
      ExactScan scan;
      CHECK_OK(scan.prepare(index.layout, data.data(), 1, 10));
      CHECK_OK(scan.scan(item_rows(index.view), 0, options.allowed));
      int32_t scanned[10];
      scan.finish(scanned, nullptr);
      for (int32_t rank = 0; rank < found; ++rank) {
        CHECK(allowed.count(items[rank]) > 0);
        CHECK_EQUAL(items[rank], scanned[rank]);
      }
      for (int32_t rank = found; rank < 10; ++rank) CHECK_EQUAL(scanned[rank], -1);
      // Fewer words than items: what is beyond is not allowed.
      options.allowed.words = 2;
      CHECK_OK(index.view.search(data.data(), options, &scratch, items, nullptr, &found));
      for (int32_t rank = 0; rank < found; ++rank) CHECK(items[rank] < 64);
    }
  }
}
