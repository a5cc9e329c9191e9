// Growing rows: searches over what was there when they began, suffixes that share memory.

#include "exact/row_buffer.h"

#include <thread>

#include "support/check.h"
#include "support/generate.h"

using namespace semantic_index_test;

namespace {

NodeLayout layout_of(Metric metric, int32_t dimensions) {
  NodeLayout layout;
  CHECK_OK(make_layout(metric, dimensions, &layout));
  return layout;
}

std::vector<int32_t> search(const RowBuffer::Snapshot& snapshot, const NodeLayout& layout, const float* query,
                            int32_t k, int64_t limit = -1) {
  ExactScan scan;
  CHECK_OK(scan.prepare(layout, query, 1, k));
  CHECK_OK(snapshot.scan(&scan, Allowed(), limit));
  std::vector<int32_t> items(static_cast<size_t>(k));
  scan.finish(items.data(), nullptr);
  return items;
}

}  // namespace

TEST(rows_are_kept_and_found) {
  for (Metric metric : kMetrics) {
    const NodeLayout layout = layout_of(metric, 50);
    // More than one chunk of a megabyte, in pieces of many sizes.
    const int64_t rows = metric == Metric::hamming ? 140000 : 12000;
    const std::vector<float> data = random_rows(metric, rows, 50, 3);
    RowBuffer buffer(layout);
    Random random(1);
    while (buffer.rows() < rows) {
      const int64_t count = std::min<int64_t>(random.below(3000), rows - buffer.rows());
      CHECK_OK(buffer.append(data.data() + buffer.rows() * 50, count));
    }
    CHECK(buffer.bytes() >= rows * static_cast<int64_t>(layout.vector_bytes));
    float vector[50];
    for (int64_t row = 0; row < rows; row += 97) {
      CHECK_OK(buffer.row(row, vector));
      for (int column = 0; column < 50; ++column)
        CHECK_EQUAL(vector[column], data[static_cast<size_t>(row * 50 + column)]);
    }
    CHECK(!buffer.row(rows, vector).ok());
    ExactScan scan;
    CHECK_OK(scan.prepare(layout, data.data(), 3, 10));
    std::vector<float> numbers = data;
    std::vector<uint64_t> packed;
    const void* matrix = data.data();
    if (metric == Metric::hamming) {
      packed.resize(static_cast<size_t>(rows));
      for (int64_t row = 0; row < rows; ++row) pack_bits(data.data() + row * 50, 50, &packed[static_cast<size_t>(row)]);
      matrix = packed.data();
    }
    CHECK_OK(scan.scan(matrix_rows(layout, matrix, rows), 0, Allowed()));
    std::vector<int32_t> expected(30);
    scan.finish(expected.data(), nullptr);
    for (int32_t query = 0; query < 3; ++query) {
      const std::vector<int32_t> found = search(buffer.snapshot(), layout, data.data() + query * 50, 10);
      for (size_t rank = 0; rank < 10; ++rank)
        CHECK_EQUAL(found[rank], expected[static_cast<size_t>(query) * 10 + rank]);
    }
    // The first rows alone; and none at all.
    const std::vector<int32_t> few = search(buffer.snapshot(), layout, data.data(), 10, 4);
    for (size_t rank = 0; rank < 10; ++rank) CHECK_EQUAL(few[rank] >= 0, rank < 4);
    CHECK_EQUAL(search(buffer.snapshot(), layout, data.data(), 1, 0)[0], -1);
  }
}

TEST(snapshots_do_not_see_later_rows) {
  const NodeLayout layout = layout_of(Metric::euclidean, 4);
  RowBuffer buffer(layout);
  const std::vector<float> far(400, 9.0f);
  CHECK_OK(buffer.append(far.data(), 100));
  const RowBuffer::Snapshot snapshot = buffer.snapshot();
  const float origin[4] = {};
  std::thread reader([&] {
    for (int round = 0; round < 200; ++round) CHECK(search(snapshot, layout, origin, 1)[0] == 0);
  });
  for (int round = 0; round < 2000; ++round) CHECK_OK(buffer.append(origin, 1));
  reader.join();
  CHECK_EQUAL(search(buffer.snapshot(), layout, origin, 1)[0], 100);
  CHECK_EQUAL(snapshot.rows(), 100);
}

TEST(suffixes_share_memory_and_part_ways) {
  const NodeLayout layout = layout_of(Metric::euclidean, 64);
  const std::vector<float> data = random_rows(Metric::euclidean, 10000, 64, 5);
  auto buffer = std::make_unique<RowBuffer>(layout);
  CHECK_OK(buffer->append(data.data(), 9000));
  for (int64_t count : {0, 1, 4095, 4096, 4097, 8999, 9000}) {
    std::unique_ptr<RowBuffer> rest;
    CHECK_OK(buffer->drop(count, &rest));
    CHECK_EQUAL(rest->rows(), 9000 - count);
    CHECK(rest->bytes() <= buffer->bytes());
    // Both go on, each with rows of its own.
    CHECK_OK(rest->append(data.data() + 9000 * 64, 500));
    std::unique_ptr<RowBuffer> other;
    CHECK_OK(buffer->drop(count, &other));
    CHECK_OK(other->append(data.data() + 9500 * 64, 500));
    float vector[64];
    for (int64_t row = 0; row < 9500 - count; row += 13) {
      CHECK_OK(rest->row(row, vector));
      CHECK_EQUAL(vector[7], data[static_cast<size_t>((count + row) * 64 + 7)]);
      CHECK_OK(other->row(row, vector));
      CHECK_EQUAL(vector[7], data[static_cast<size_t>((count + row + (count + row >= 9000 ? 500 : 0)) * 64 + 7)]);
    }
    CHECK_EQUAL(search(rest->snapshot(), layout, data.data() + 9001 * 64, 1)[0], static_cast<int32_t>(9001 - count));
    std::unique_ptr<RowBuffer> again;
    CHECK_OK(rest->drop(rest->rows() - 10, &again));
    CHECK_EQUAL(again->rows(), 10);
    CHECK_OK(again->row(9, vector));
    CHECK_EQUAL(vector[0], data[9499 * 64]);
  }
  std::unique_ptr<RowBuffer> rest;
  CHECK(!buffer->drop(9001, &rest).ok());
  CHECK(!buffer->drop(-1, &rest).ok());
  CHECK_OK(buffer->drop(5000, &rest));
  buffer.reset();
  float vector[64];
  CHECK_OK(rest->row(0, vector));
  CHECK_EQUAL(vector[0], data[5000 * 64]);
}

TEST(chunks_that_are_adopted_stay_where_they_are) {
  for (Metric metric : kMetrics) {
    const NodeLayout layout = layout_of(metric, 50);
    const int64_t chunk = RowBuffer::chunk_rows(layout);
    const int64_t rows = chunk + 30;
    const std::vector<float> data = random_rows(metric, rows + 20, 50, 5);
    RowBuffer source(layout);
    CHECK_OK(source.append(data.data(), rows));
    std::vector<uint8_t> bytes;
    for (int64_t row = 0; row < rows; ++row) {
      float norm = 0;
      const uint8_t* const begin = source.snapshot().row(row, &norm);
      bytes.insert(bytes.end(), begin, begin + layout.vector_bytes);
    }
    RowBuffer buffer(layout);
    CHECK(buffer.adopt(nullptr, bytes.data(), 0).code == StatusCode::invalid_argument);
    CHECK(buffer.adopt(nullptr, bytes.data(), chunk + 1).code == StatusCode::invalid_argument);
    CHECK_OK(buffer.adopt(nullptr, bytes.data(), chunk));
    const int64_t own = buffer.bytes();
    CHECK(own < chunk * static_cast<int64_t>(layout.vector_bytes));
    CHECK_OK(buffer.adopt(nullptr, bytes.data() + static_cast<size_t>(chunk) * layout.vector_bytes, 30));
    CHECK(buffer.bytes() >= own + chunk * static_cast<int64_t>(layout.vector_bytes));
    CHECK(buffer.adopt(nullptr, bytes.data(), 1).code == StatusCode::invalid_argument);
    float norm = 0;
    CHECK(buffer.snapshot().row(7, &norm) == bytes.data() + 7 * layout.vector_bytes);
    CHECK(!buffer.snapshot().has_changed());
    CHECK_OK(source.append(data.data() + rows * 50, 20));
    CHECK_OK(buffer.append(data.data() + rows * 50, 20));
    CHECK(search(buffer.snapshot(), layout, data.data(), 40) == search(source.snapshot(), layout, data.data(), 40));
    // Two buffers that go on behind the same rows do not see each other's.
    std::unique_ptr<RowBuffer> rest;
    CHECK_OK(buffer.drop(10, &rest));
    CHECK_OK(rest->append(data.data(), 5));
    CHECK_OK(buffer.append(data.data() + 50, 5));
    std::vector<float> left(50);
    std::vector<float> right(50);
    CHECK_OK(rest->row(rest->rows() - 5, left.data()));
    CHECK_OK(buffer.row(buffer.rows() - 5, right.data()));
    CHECK(std::equal(left.begin(), left.end(), data.begin()));
    CHECK(std::equal(right.begin(), right.end(), data.begin() + 50));
  }
}
