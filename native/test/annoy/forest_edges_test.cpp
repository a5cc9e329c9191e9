// Forests at the edge: few items, missing items, equal items, and both layouts of dot.

#include "support/check.h"
#include "support/check_forest.h"
#include "support/generate.h"

using namespace semantic_index_test;

TEST(tiny_sets) {
  for (Metric metric : kMetrics) {
    for (int32_t rows : {0, 1, 2, 3, 4, 5, 8, 10, 11, 12, 13, 14, 20}) {
      for (int32_t trees : {1, 2, 3, 6}) {
        const std::vector<float> data = random_rows(metric, rows, 8, 5);
        const Index index = build_index(metric, 8, data, trees);
        CHECK_EQUAL(index.view.items(), rows);
        CHECK_EQUAL(index.view.trees(), trees);
        check_valid(index.view);
        SearchScratch scratch;
        SearchOptions options;
        options.k = 30;
        int32_t items[30];
        int32_t found = -1;
        const std::vector<float> query = random_rows(metric, 1, 8, 6);
        CHECK_OK(index.view.search(query.data(), options, &scratch, items, nullptr, &found));
        CHECK_EQUAL(found, rows);
      }
      if (rows > 0) CHECK(build_index(metric, 8, random_rows(metric, rows, 8, 5), -1).view.trees() > 0);
    }
  }
}

TEST(files_cut_at_a_node_are_refused) {
  for (Metric metric : kMetrics) {
    for (int32_t rows : {2, 9, 100, 500}) {
      for (int32_t trees : {1, 2, 3, 10}) {
        const Index index = build_index(metric, 8, random_rows(metric, rows, 8, 5), trees);
        const int64_t node_bytes = static_cast<int64_t>(index.layout.node_bytes);
        for (int64_t size = node_bytes; size < index.storage->bytes(); size += node_bytes) {
          ForestView view;
          if (!ForestView::open(index.storage->data(), size, index.layout, &view).ok()) continue;
          StructureReport report;
          CHECK_OK(validate_structure(view, &report));
          // Where every tree is the same list of all items, fewer of them and their copies are a whole file.
          const bool is_whole = rows <= index.layout.leaf_capacity && view.items() == rows;
          CHECK(report.errors > 0 || is_whole);
        }
      }
    }
  }
}

TEST(holes_are_left_out) {
  for (Metric metric : kMetrics) {
    for (int32_t last : {3, 9, 40, 1000, 5000}) {
      for (int32_t step : {2, 3, 7, 6000}) {
        NodeLayout layout;
        CHECK_OK(make_layout(metric, 8, &layout));
        std::unique_ptr<NodeStorage> storage;
        CHECK_OK(NodeStorage::in_memory(layout, &storage));
        const std::vector<float> data = random_rows(metric, last + 1, 8, 9);
        int32_t count = 0;
        for (int32_t item = last; item >= 0; item -= step, ++count) {
          CHECK_OK(storage->set_item(item, data.data() + item * 8));
        }
        BuildOptions options;
        options.trees = 3;
        options.threads = 1;
        BuildResult result;
        CHECK_OK(build_forest(storage.get(), options, &result));
        ForestView view;
        CHECK_OK(ForestView::open(storage->data(), storage->bytes(), layout, &view));
        CHECK_EQUAL(view.items(), last + 1);
        CHECK_EQUAL(view.trees(), 3);
        check_valid(view);
        SearchScratch scratch;
        SearchOptions search;
        search.k = last + 1;
        search.search_k = 1000000;
        std::vector<int32_t> items(static_cast<size_t>(last + 1));
        int32_t found;
        CHECK_OK(view.search(data.data(), search, &scratch, items.data(), nullptr, &found));
        CHECK_EQUAL(found, count);
        for (int32_t rank = 0; rank < found; ++rank) CHECK_EQUAL((last - items[static_cast<size_t>(rank)]) % step, 0);
        float vector[8];
        CHECK_EQUAL(view.item_vector(last - 1, vector).code == StatusCode::invalid_argument, step != 1);
        CHECK_EQUAL(view.item_vector(last + 1, vector).ok(), false);
        CHECK_EQUAL(view.item_vector(-1, vector).ok(), false);
      }
    }
  }
}

TEST(equal_and_zero_vectors) {
  for (Metric metric : kMetrics) {
    for (float value : {0.0f, 1.0f}) {
      const std::vector<float> data(3000 * 10, value);
      const Index index = build_index(metric, 10, data, 2);
      check_valid(index.view);
      SearchScratch scratch;
      SearchOptions options;
      options.k = 5;
      options.search_k = 100000;
      int32_t items[5];
      int32_t found;
      CHECK_OK(index.view.search(data.data(), options, &scratch, items, nullptr, &found));
      for (int32_t rank = 0; rank < 5; ++rank) CHECK_EQUAL(items[rank], rank);
    }
    // One vector that is different from all others.
    std::vector<float> data(3000 * 10, 1.0f);
    data[1234 * 10] = 0.0f;
    check_valid(build_index(metric, 10, data, 2).view);
    // Numbers whose squares overflow.
    if (metric != Metric::hamming) {
      std::vector<float> huge = random_rows(metric, 500, 10, 4);
      for (float& number : huge) number *= 1e30f;
      const Index index = build_index(metric, 10, huge, 2);
      CHECK_EQUAL(index.view.trees(), 2);
    }
  }
}

TEST(both_dot_layouts) {
  const std::vector<float> data = clustered_rows(3000, 16, 60, 5);
  std::vector<int32_t> first;
  for (DotLayout kind : {DotLayout::released, DotLayout::extended}) {
    NodeLayout layout;
    CHECK_OK(make_layout(Metric::dot, 16, &layout, kind));
    std::unique_ptr<NodeStorage> storage;
    CHECK_OK(NodeStorage::in_memory(layout, &storage));
    CHECK_OK(storage->set_items(0, data.data(), 3000, 16));
    BuildOptions options;
    options.trees = 4;
    BuildResult result;
    CHECK_OK(build_forest(storage.get(), options, &result));
    DotLayout detected;
    CHECK_OK(detect_dot_layout(storage->data(), storage->bytes(), 16, &detected));
    CHECK(detected == kind);
    ForestView view;
    CHECK_OK(ForestView::open(storage->data(), storage->bytes(), layout, &view));
    check_valid(view);
    SearchScratch scratch;
    SearchOptions search;
    search.search_k = 1000000;
    std::vector<int32_t> items(10);
    int32_t found;
    CHECK_OK(view.search(data.data() + 160, search, &scratch, items.data(), nullptr, &found));
    if (first.empty()) first = items;
    CHECK(items == first);
  }
}
