#include "support/text_like.h"

#include <cmath>

#include "support/generate.h"

namespace semantic_index_test {

std::vector<float> text_like_rows(int64_t rows, int32_t dimensions, uint64_t seed) {
  const auto size = static_cast<size_t>(dimensions);
  const int64_t narrow = rows / 100 + 1;
  const auto wide = static_cast<int64_t>(std::sqrt(static_cast<double>(rows))) / 10 + 1;
  std::vector<float> spread(size);
  for (size_t i = 0; i < size; ++i)
    spread[i] = 1.0f / std::sqrt(1.0f + 8.0f * static_cast<float>(i) / static_cast<float>(size));
  const std::vector<float> tops = random_rows(Metric::angular, wide, dimensions, seed);
  std::vector<float> topics = random_rows(Metric::angular, narrow, dimensions, seed + 1);
  Random random(seed + 2);
  std::vector<int64_t> top_of(static_cast<size_t>(narrow));
  std::vector<std::vector<int64_t>> below(static_cast<size_t>(wide));
  for (int64_t topic = 0; topic < narrow; ++topic) {
    const int64_t top = random.below(static_cast<uint32_t>(wide));
    top_of[static_cast<size_t>(topic)] = top;
    below[static_cast<size_t>(top)].push_back(topic);
    for (size_t i = 0; i < size; ++i) {
      float& number = topics[static_cast<size_t>(topic) * size + i];
      number = spread[i] * (0.8f * tops[static_cast<size_t>(top) * size + i] + number);
    }
  }
  std::vector<float> result(static_cast<size_t>(rows) * size);
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t topic = random.below(static_cast<uint32_t>(narrow));
    const std::vector<int64_t>& siblings = below[static_cast<size_t>(top_of[static_cast<size_t>(topic)])];
    const int64_t second = siblings[random.below(static_cast<uint32_t>(siblings.size()))];
    const float share = 0.5f * static_cast<float>(random.below(1000)) / 1000.0f;
    float square = 0;
    float* vector = result.data() + static_cast<size_t>(row) * size;
    for (size_t i = 0; i < size; ++i) {
      vector[i] = (1.0f - share) * topics[static_cast<size_t>(topic) * size + i] +
                  share * topics[static_cast<size_t>(second) * size + i] + 0.8f * spread[i] * normal(&random);
      square += vector[i] * vector[i];
    }
    for (size_t i = 0; i < size; ++i) vector[i] /= std::sqrt(square);
  }
  return result;
}

}  // namespace semantic_index_test
