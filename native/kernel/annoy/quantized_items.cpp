#include "annoy/quantized_items.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>

namespace semantic_index {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
/** Exceeds the rounding error of a norm in floats: residuals are some thousandths of the numbers subtracted. */
constexpr double kSlack = 1.0 + 1e-3;

size_t padded(size_t elements) { return (elements + kInt8Block - 1) / kInt8Block * kInt8Block; }

/** Quantizes `count` numbers to -127..127 with one scale, which is returned; 0 when there is nothing finite to scale.
 */
float quantize(const float* numbers, size_t count, int8_t* result) {
  // In lanes, so that the compiler may use them.
  constexpr size_t kSize = 16;
  float lanes[kSize] = {};
  size_t start = 0;
  for (; start + kSize <= count; start += kSize) {
    for (size_t lane = 0; lane < kSize; ++lane) {
      const float size = std::fabs(numbers[start + lane]);
      lanes[lane] = lanes[lane] > size ? lanes[lane] : size;
    }
  }
  float largest = 0;
  for (size_t lane = 0; lane < kSize; ++lane) largest = std::max(largest, lanes[lane]);
  for (; start < count; ++start) largest = std::max(largest, std::fabs(numbers[start]));
  const float scale = largest / 127.0f;
  const float inverse = 1.0f / scale;
  if (!(scale > 0) || !std::isfinite(scale) || !std::isfinite(inverse)) {
    std::fill_n(result, count, static_cast<int8_t>(0));
    return 0.0f;
  }
  // At this magnitude the lowest bits of a float hold the nearest integer to the number added.
  constexpr float kRounder = 12582912.0f;
  for (size_t i = 0; i < count; ++i) {
    const float shifted = numbers[i] * inverse + kRounder;
    int32_t bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    result[i] = static_cast<int8_t>(bits);
  }
  return scale;
}

}  // namespace

void QuantizedPlane::set(const float* plane, size_t elements) {
  coarse.assign(padded(elements), 0);
  fine.assign(padded(elements), 0);
  std::vector<float> rest(elements);
  coarse_scale = quantize(plane, elements, coarse.data());
  for (size_t i = 0; i < elements; ++i) rest[i] = static_cast<float>(plane[i] - coarse_scale * coarse[i]);
  fine_scale = quantize(rest.data(), elements, fine.data());
  double square = 0;
  double coarse_square = 0;
  double fine_square = 0;
  for (size_t i = 0; i < elements; ++i) {
    const double coarse_rest = plane[i] - coarse_scale * coarse[i];
    const double fine_rest = coarse_rest - fine_scale * fine[i];
    square += static_cast<double>(plane[i]) * plane[i];
    coarse_square += coarse_rest * coarse_rest;
    fine_square += fine_rest * fine_rest;
  }
  norm = std::sqrt(square) * kSlack;
  coarse_residual = std::sqrt(coarse_square) * kSlack;
  fine_residual = std::sqrt(fine_square) * kSlack;
}

bool QuantizedItems::prepare(const ItemNodes& items) {
  const int32_t dimensions = items.layout->dimensions;
  if (items.layout->metric == Metric::hamming || dimensions < kMinDimensions ||
      static_cast<size_t>(dimensions) > kMaxInt8 - kInt8Block) {
    return false;
  }
  items_ = items;
  elements_ = static_cast<size_t>(dimensions);
  stride_ = padded(elements_);
  facts_.reset(new (std::nothrow) Row[static_cast<size_t>(items.count)]);
  return facts_ != nullptr && rows_.resize(static_cast<size_t>(items.count) * stride_);
}

void QuantizedItems::fill(int32_t begin, int32_t end) {
  std::vector<float> restored(elements_);
  for (int32_t item = begin; item < end; ++item) fill_row(item, restored.data());
}

void QuantizedItems::fill_row(int32_t item, float* restored) {
  const float* vector = items_.vector(item);
  int8_t* row = reinterpret_cast<int8_t*>(rows_.data()) + static_cast<size_t>(item) * stride_;
  const float scale = quantize(vector, elements_, row);
  std::fill(row + elements_, row + stride_, static_cast<int8_t>(0));
  for (size_t i = 0; i < elements_; ++i) restored[i] = scale * static_cast<float>(row[i]);
  const DistanceTable& table = distances();
  const double residual = table.squared_euclidean(vector, restored, elements_);
  const double square = table.dot(vector, vector, elements_);
  const double integer = table.dot(restored, restored, elements_);
  // A sum of n products in 16 lanes rounds each at most n / 16 + 6 times, by 2^-24 of it (Higham, "Accuracy and
  // Stability of Numerical Algorithms", 3.1); the products' sizes add up to at most the product of the lengths.
  const double rounding = (static_cast<double>(elements_) / 16.0 + 6.0) * 6.0e-8;
  Row& facts = facts_[static_cast<size_t>(item)];
  facts.scale = scale;
  facts.residual_norm = static_cast<float>((std::sqrt(residual) + rounding * std::sqrt(square)) * kSlack);
  facts.quantized_norm = static_cast<float>(std::sqrt(integer) * kSlack);
  // Lengths whose squares come near the ends of the range of floats are not for shortcuts.
  if (!(square < 1e36) || !(square > 1e-24)) facts.residual_norm = kInfinity;
}

void QuantizedItems::products(const DistanceTable& table, const QuantizedPlane& plane, bool with_fine,
                              const int32_t* items, double* products, double* bounds) const {
  const int8_t* rows[4];
  for (int index = 0; index < 4; ++index) rows[index] = row(items[index]);
  int32_t coarse[4];
  int32_t fine[4] = {};
  table.dot_int8_four(plane.coarse.data(), rows, stride_, coarse);
  if (with_fine) table.dot_int8_four(plane.fine.data(), rows, stride_, fine);
  const double residual = with_fine ? plane.fine_residual : plane.coarse_residual;
  for (int index = 0; index < 4; ++index) {
    const Row& facts = facts_[static_cast<size_t>(items[index])];
    products[index] = facts.scale * (plane.coarse_scale * coarse[index] + plane.fine_scale * fine[index]);
    bounds[index] = plane.norm * facts.residual_norm + residual * facts.quantized_norm;
  }
}

}  // namespace semantic_index
