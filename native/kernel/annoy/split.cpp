#include "annoy/split.h"

#include <algorithm>
#include <cmath>

#include "annoy/quantized_items.h"
#include "base/prefetch.h"
#include "distance/distance.h"

namespace semantic_index {

namespace {

/** Items drawn to place the two means of a split, as in Annoy. */
constexpr int kSamples = 200;
/** Planes tried while one side has this share of the items or more. */
constexpr int kAttempts = 3;
constexpr double kPoorShare = 0.95;
/** With a larger share than this on one side, the plane is given up and sides are random. */
constexpr double kHopelessShare = 0.99;

/** Quantized rows prefetched ahead of use: the rows of a part are scattered in memory. */
constexpr int32_t kAheadQuantized = 8;
/** Smaller parts are still in the cache as floats after their planes are found. */
constexpr int32_t kMinQuantized = 64;

/** The share of the larger side. */
double imbalance(int32_t ones, int32_t count) {
  return static_cast<double>(std::max(ones, count - ones)) / static_cast<double>(count);
}

/** Scales a vector (with its extra coordinate) to length 1; a zero vector stays. */
void normalize(float* vector, size_t elements, float* extra) {
  const float square = distances().dot(vector, vector, elements) + *extra * *extra;
  if (!(square > 0)) return;
  const float scale = 1.0f / std::sqrt(square);
  for (size_t i = 0; i < elements; ++i) vector[i] *= scale;
  *extra *= scale;
}

}  // namespace

Splitter::Splitter(const ItemNodes& items, const QuantizedItems* quantized)
    : items_(items), elements_(static_cast<size_t>(items.layout->elements)), quantized_(quantized) {
  if (quantized != nullptr) quantized_plane_ = std::make_unique<QuantizedPlane>();
  if (items.layout->metric == Metric::hamming) {
    varying_.resize(elements_);
  } else {
    first_.resize(elements_);
    second_.resize(elements_);
    plane_.resize(elements_);
  }
}

Splitter::~Splitter() = default;

int32_t Splitter::split(const int32_t* items, int32_t count, Random* random, uint8_t* sides, uint8_t* node) {
  const bool is_hamming = items_.layout->metric == Metric::hamming;
  const bool can_split = !is_hamming || find_varying_bits(items, count);
  int32_t ones = 0;
  for (int attempt = 0; can_split && attempt < kAttempts; ++attempt) {
    find_plane(items, count, random);
    ones = assign(items, count, random, sides);
    if (imbalance(ones, count) < kPoorShare) break;
  }
  bool has_plane = can_split;
  while (!has_plane || imbalance(ones, count) > kHopelessShare) {
    has_plane = true;
    std::fill(plane_.begin(), plane_.end(), 0.0f);
    plane_constant_ = 0;
    bit_ = 0;
    ones = 0;
    for (int32_t i = 0; i < count; ++i) {
      sides[i] = random->flip() ? 1 : 0;
      ones += sides[i];
    }
  }
  write_plane(node);
  return ones;
}

void Splitter::find_plane(const int32_t* items, int32_t count, Random* random) {
  switch (items_.layout->metric) {
    case Metric::angular:
    case Metric::dot:
      return find_angular_plane(items, count, random);
    case Metric::euclidean:
    case Metric::manhattan:
      return find_minkowski_plane(items, count, random);
    case Metric::hamming:
      return find_bit(random);
  }
}

/**
 * Two-means by angle. Annoy keeps the means of the unit vectors seen; only their direction matters here, so sums are
 * kept instead, and a sum's length follows from the product that was needed anyway: |p + v|^2 = |p|^2 + 2 p.v + 1.
 */
void Splitter::find_angular_plane(const int32_t* items, int32_t count, Random* random) {
  const DistanceTable& table = distances();
  const bool is_dot = items_.layout->metric == Metric::dot;
  const auto squared_norm = [&](int32_t item) {
    if (!is_dot) {
      const float stored = read_float(items_.node(item) + kAngularNormOffset);
      if (stored > 0) return stored;
    }
    const float factor = items_.dot_factor(item);
    return table.dot(items_.vector(item), items_.vector(item), elements_) + factor * factor;
  };
  float factors[2];
  float squares[2];
  int weights[2] = {1, 1};
  float* const means[2] = {first_.data(), second_.data()};

  const uint32_t first = random->below(static_cast<uint32_t>(count));
  uint32_t second = random->below(static_cast<uint32_t>(count - 1));
  second += second >= first ? 1 : 0;
  const uint32_t starts[2] = {first, second};
  for (int side = 0; side < 2; ++side) {
    const int32_t item = items[starts[side]];
    std::copy_n(items_.vector(item), elements_, means[side]);
    factors[side] = items_.dot_factor(item);
    normalize(means[side], elements_, &factors[side]);
    squares[side] = table.dot(means[side], means[side], elements_) + factors[side] * factors[side];
  }

  int32_t next = items[random->below(static_cast<uint32_t>(count))];
  for (int sample = 0; sample < kSamples; ++sample) {
    const int32_t item = next;
    next = items[random->below(static_cast<uint32_t>(count))];
    prefetch(items_.node(next), items_.layout->node_bytes);
    const float square = squared_norm(item);
    if (!(square > 0)) continue;
    const float factor = items_.dot_factor(item);
    float products[2];
    table.dot_two(items_.vector(item), means, elements_, products);
    float scores[2];
    for (int side = 0; side < 2; ++side) {
      products[side] += factors[side] * factor;
      const float lengths = squares[side] * square;
      const float distance = lengths > 0 ? 2.0f - 2.0f * products[side] / std::sqrt(lengths) : 2.0f;
      scores[side] = static_cast<float>(weights[side]) * distance;
    }
    if (scores[0] == scores[1]) continue;
    const int side = scores[0] < scores[1] ? 0 : 1;
    const float scale = 1.0f / std::sqrt(square);
    table.add_scaled(means[side], items_.vector(item), scale, elements_);
    factors[side] += scale * factor;
    squares[side] += 2.0f * scale * products[side] + 1.0f;
    ++weights[side];
  }

  const float scales[2] = {1.0f / static_cast<float>(weights[0]), 1.0f / static_cast<float>(weights[1])};
  for (size_t i = 0; i < elements_; ++i) plane_[i] = first_[i] * scales[0] - second_[i] * scales[1];
  plane_dot_factor_ = factors[0] * scales[0] - factors[1] * scales[1];
  normalize(plane_.data(), elements_, &plane_dot_factor_);
}

void Splitter::find_minkowski_plane(const int32_t* items, int32_t count, Random* random) {
  const DistanceTable& table = distances();
  const auto distance_two =
      items_.layout->metric == Metric::euclidean ? table.squared_euclidean_two : table.manhattan_two;
  float* const means[2] = {first_.data(), second_.data()};
  int weights[2] = {1, 1};
  const uint32_t first = random->below(static_cast<uint32_t>(count));
  uint32_t second = random->below(static_cast<uint32_t>(count - 1));
  second += second >= first ? 1 : 0;
  std::copy_n(items_.vector(items[first]), elements_, means[0]);
  std::copy_n(items_.vector(items[second]), elements_, means[1]);

  int32_t next = items[random->below(static_cast<uint32_t>(count))];
  for (int sample = 0; sample < kSamples; ++sample) {
    const float* vector = items_.vector(next);
    next = items[random->below(static_cast<uint32_t>(count))];
    prefetch(items_.node(next), items_.layout->node_bytes);
    float scores[2];
    distance_two(vector, means, elements_, scores);
    for (int side = 0; side < 2; ++side) scores[side] *= static_cast<float>(weights[side]);
    if (scores[0] == scores[1]) continue;
    const int side = scores[0] < scores[1] ? 0 : 1;
    ++weights[side];
    table.move_towards(means[side], vector, 1.0f / static_cast<float>(weights[side]), elements_);
  }

  for (size_t i = 0; i < elements_; ++i) plane_[i] = first_[i] - second_[i];
  plane_dot_factor_ = 0;
  normalize(plane_.data(), elements_, &plane_dot_factor_);
  float products[2];
  table.dot_two(plane_.data(), means, elements_, products);
  plane_constant_ = -0.5f * (products[0] + products[1]);
}

bool Splitter::find_varying_bits(const int32_t* items, int32_t count) {
  const uint64_t* reference = items_.words(items[0]);
  std::fill(varying_.begin(), varying_.end(), 0u);
  for (int32_t i = 1; i < count; ++i) {
    const uint64_t* words = items_.words(items[i]);
    for (size_t word = 0; word < elements_; ++word) varying_[word] |= words[word] ^ reference[word];
  }
  varying_bits_.clear();
  for (int32_t bit = 0; bit < items_.layout->elements * 64; ++bit) {
    if ((varying_[static_cast<size_t>(bit / 64)] >> (bit % 64) & 1) != 0) varying_bits_.push_back(bit);
  }
  return !varying_bits_.empty();
}

void Splitter::find_bit(Random* random) {
  bit_ = varying_bits_[random->below(static_cast<uint32_t>(varying_bits_.size()))];
}

int32_t Splitter::assign(const int32_t* items, int32_t count, Random* random, uint8_t* sides) {
  if (items_.layout->metric == Metric::hamming) return assign_bits(items, count, sides);
  undecided_.clear();
  int32_t ones = 0;
  if (quantized_ != nullptr && count >= kMinQuantized) {
    quantized_plane_->set(plane_.data(), elements_);
    ones = assign_quantized(items, nullptr, count, false, sides);
    ones += assign_quantized(items, undecided_.data(), static_cast<int32_t>(undecided_.size()), true, sides);
  } else {
    for (int32_t place = 0; place < count; ++place) undecided_.push_back(place);
  }
  return ones + assign_places(items, undecided_.data(), static_cast<int32_t>(undecided_.size()), random, sides);
}

int32_t Splitter::assign_bits(const int32_t* items, int32_t count, uint8_t* sides) const {
  int32_t ones = 0;
  for (int32_t i = 0; i < count; ++i) {
    sides[i] = static_cast<uint8_t>(items_.words(items[i])[bit_ / 64] >> (bit_ % 64) & 1);
    ones += sides[i];
  }
  return ones;
}

/** The constant added to the product of plane and vector. */
float Splitter::margin_rest(int32_t item) const {
  switch (items_.layout->metric) {
    case Metric::dot:
      return plane_dot_factor_ * items_.dot_factor(item);
    case Metric::euclidean:
    case Metric::manhattan:
      return plane_constant_;
    default:
      return 0.0f;
  }
}

/**
 * Assigns the sides that quantized items determine: for the items at `places`, or for all when that is nullptr. Leaves
 * the undecided places in `undecided_`.
 */
int32_t Splitter::assign_quantized(const int32_t* items, const int32_t* places, int32_t count, bool with_fine,
                                   uint8_t* sides) {
  const DistanceTable& table = distances();
  int32_t ones = 0;
  int32_t undecided = 0;
  if (undecided_.size() < static_cast<size_t>(count)) undecided_.resize(static_cast<size_t>(count));
  for (int32_t start = 0; start < count; start += 4) {
    int32_t four_places[4];
    int32_t four[4];
    for (int32_t index = 0; index < 4; ++index) {
      const int32_t at = std::min(start + index, count - 1);
      four_places[index] = places != nullptr ? places[at] : at;
      four[index] = items[four_places[index]];
      const int32_t ahead = start + index + kAheadQuantized;
      if (ahead < count && places == nullptr) prefetch(quantized_->row(items[ahead]), quantized_->stride());
    }
    double products[4];
    double bounds[4];
    quantized_->products(table, *quantized_plane_, with_fine, four, products, bounds);
    for (int32_t index = 0; index < 4 && start + index < count; ++index) {
      const float rest = margin_rest(four[index]);
      const double margin = products[index] + rest;
      // The sum of two floats has the sign of the exact sum, so only the product's own error counts.
      const double bound = bounds[index] + 1e-9 * std::fabs(rest);
      if (std::fabs(margin) > bound) {
        sides[four_places[index]] = margin > 0 ? 1 : 0;
        ones += margin > 0 ? 1 : 0;
      } else {
        // Never writes past the read part of `places`, which may be this very list.
        undecided_[static_cast<size_t>(undecided++)] = four_places[index];
      }
    }
  }
  undecided_.resize(static_cast<size_t>(undecided));
  return ones;
}

int32_t Splitter::assign_places(const int32_t* items, const int32_t* places, int32_t count, Random* random,
                                uint8_t* sides) {
  const DistanceTable& table = distances();
  int32_t ones = 0;
  for (int32_t start = 0; start < count; start += 4) {
    const float* vectors[4];
    for (int32_t index = 0; index < 4; ++index) {
      vectors[index] = items_.vector(items[places[std::min(start + index, count - 1)]]);
    }
    float products[4];
    table.dot_four(plane_.data(), vectors, elements_, products);
    for (int32_t index = 0; index < 4 && start + index < count; ++index) {
      const int32_t place = places[start + index];
      const float margin = products[index] + margin_rest(items[place]);
      const bool side = margin != 0 ? margin > 0 : random->flip();
      sides[place] = side ? 1 : 0;
      ones += side ? 1 : 0;
    }
  }
  return ones;
}

void Splitter::write_plane(uint8_t* node) const {
  uint8_t* vector = node + items_.layout->vector_offset;
  if (items_.layout->metric == Metric::hamming) {
    // Spotify counts bits from the highest of each word.
    const uint64_t position = static_cast<uint64_t>(bit_ / 64 * 64 + 63 - bit_ % 64);
    std::memset(vector, 0, items_.layout->vector_bytes);
    std::memcpy(vector, &position, sizeof position);
    return;
  }
  std::memcpy(vector, plane_.data(), items_.layout->vector_bytes);
  if (items_.layout->metric == Metric::euclidean || items_.layout->metric == Metric::manhattan) {
    write_float(node + kPlaneConstantOffset, plane_constant_);
  }
  // For dot, the plane's extra coordinate is left at 0: a query's own is 0, so it plays no part in a search, and
  // Spotify's released version would add its square to every margin.
}

}  // namespace semantic_index
