// What a graph index is made of: the rotation, sketches, and the order of positions.

#include <algorithm>
#include <cmath>
#include <vector>

#include "distance/distance.h"
#include "graph/binary_sketch.h"
#include "graph/build/node_ordering.h"
#include "graph/graph_format.h"
#include "graph/rotation.h"
#include "support/check.h"
#include "support/generate.h"

using namespace semantic_index_test;

TEST(a_rotation_keeps_products_and_spreads_coordinates) {
  for (int32_t dimensions : {1, 2, 3, 63, 64, 100, 384, 1000}) {
    const auto size = static_cast<size_t>(dimensions);
    std::vector<float> rows = random_rows(Metric::angular, 20, dimensions, 4);
    // Early coordinates are much larger than late ones, as principal axes are.
    for (size_t i = 0; i < rows.size(); ++i) rows[i] /= 1.0f + static_cast<float>(i % size) / 4.0f;
    std::vector<float> rotated = rows;
    const Rotation rotation(size);
    for (size_t row = 0; row < 20; ++row) rotation.apply(rotated.data() + row * size);
    for (size_t left = 0; left < 20; ++left) {
      for (size_t right = 0; right < 20; ++right) {
        const float before = distances().dot(rows.data() + left * size, rows.data() + right * size, size);
        const float after = distances().dot(rotated.data() + left * size, rotated.data() + right * size, size);
        CHECK(std::fabs(before - after) < 1e-4f);
      }
    }
    if (dimensions < 64) continue;
    const auto largest = [&](const std::vector<float>& numbers) {
      float result = 0;
      for (float number : numbers) result = std::max(result, std::fabs(number));
      return result;
    };
    CHECK(largest(rotated) < 0.7f * largest(rows));
  }
}

TEST(sketches_of_near_vectors_are_near) {
  const size_t size = 100;
  const BinarySketch sketch(size);
  const std::vector<float> rows = random_rows(Metric::angular, 200, static_cast<int32_t>(size), 8);
  const auto differing = [](const uint64_t* left, const uint64_t* right) {
    return static_cast<double>(distances().hamming(left, right, kSketchWords));
  };
  double unrelated = 0;
  double companions = 0;
  for (size_t row = 0; row + 1 < 200; ++row) {
    const float* vector = rows.data() + row * size;
    std::vector<float> companion(vector, vector + size);
    for (size_t i = 0; i < size; ++i) companion[i] += 0.5f * vector[size + i];
    uint64_t own[kSketchWords];
    uint64_t near[kSketchWords];
    uint64_t far[kSketchWords];
    sketch.write(vector, own);
    sketch.write(companion.data(), near);
    sketch.write(vector + size, far);
    companions += differing(own, near) / 199.0;
    unrelated += differing(own, far) / 199.0;
  }
  // The share of differing bits is the angle's share of a half turn: 0.5 for unrelated vectors, 0.148 for these near
  // ones.
  CHECK(std::fabs(unrelated / (64.0 * kSketchWords) - 0.5) < 0.02);
  CHECK(std::fabs(companions / (64.0 * kSketchWords) - 0.148) < 0.02);
}

TEST(node_ordering_is_a_permutation_that_follows_neighbors) {
  constexpr size_t kRows = 500;
  Random random(12);
  // Some have no neighbors, and some are not a neighbor of any other.
  std::vector<uint32_t> neighbors(kRows * kMaxNeighbors, kNoNeighbor);
  for (size_t position = 0; position < kRows; ++position) {
    for (uint32_t rank = random.below(kMaxNeighbors + 1); rank > 0; --rank) {
      neighbors[position * kMaxNeighbors + rank - 1] = random.below(kRows);
    }
  }
  const std::vector<int32_t> order = order_by_neighbors(neighbors);
  std::vector<int32_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  CHECK_EQUAL(sorted.size(), kRows);
  for (size_t position = 0; position < kRows; ++position) CHECK_EQUAL(sorted[position], static_cast<int32_t>(position));
  // A ring whose members lie far apart becomes a run.
  std::fill(neighbors.begin(), neighbors.end(), kNoNeighbor);
  for (size_t position = 0; position < kRows; ++position) {
    neighbors[position * kMaxNeighbors] = static_cast<uint32_t>((position + 77) % kRows);
  }
  const std::vector<int32_t> ring = order_by_neighbors(neighbors);
  for (size_t place = 0; place < kRows; ++place) CHECK_EQUAL(ring[place], static_cast<int32_t>(77 * place % kRows));
}
