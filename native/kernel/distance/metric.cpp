#include "distance/metric.h"

#include <cmath>

namespace semantic_index {

namespace {

constexpr const char* kMetricNames[] = {"angular", "euclidean", "manhattan", "dot", "hamming"};

}  // namespace

Status make_layout(Metric metric, int32_t dimensions, NodeLayout* layout, DotLayout dot_layout) {
  if (dimensions < 1 || dimensions > kMaxDimensions) {
    return Status::failure(StatusCode::invalid_argument, "dimensions must be between 1 and 1048576");
  }
  NodeLayout result;
  result.metric = metric;
  result.dot_layout = dot_layout;
  result.dimensions = dimensions;
  result.elements = dimensions;
  size_t element_bytes = sizeof(float);
  switch (metric) {
    case Metric::angular:
      result.children_offset = 4;
      result.vector_offset = 12;
      break;
    case Metric::euclidean:
    case Metric::manhattan:
      result.children_offset = 8;
      result.vector_offset = 16;
      break;
    case Metric::dot:
      result.children_offset = 4;
      result.vector_offset = dot_layout == DotLayout::released ? 16 : 24;
      break;
    case Metric::hamming:
      result.children_offset = 4;
      result.vector_offset = 16;
      result.elements = (dimensions + 63) / 64;
      element_bytes = sizeof(uint64_t);
      break;
  }
  result.vector_bytes = static_cast<size_t>(result.elements) * element_bytes;
  result.node_bytes = result.vector_offset + result.vector_bytes;
  result.leaf_capacity = static_cast<int32_t>((result.node_bytes - result.children_offset) / sizeof(int32_t));
  *layout = result;
  return Status::success();
}

const char* metric_name(Metric metric) { return kMetricNames[static_cast<int>(metric)]; }

bool metric_from_name(const char* name, Metric* metric) {
  for (int index = 0; index < 5; ++index) {
    if (std::strcmp(name, kMetricNames[index]) == 0) {
      *metric = static_cast<Metric>(index);
      return true;
    }
  }
  return false;
}

void pack_bits(const float* numbers, int32_t dimensions, uint64_t* words) {
  for (int32_t start = 0; start < dimensions; start += 64) {
    const int32_t count = dimensions - start < 64 ? dimensions - start : 64;
    uint64_t word = 0;
    for (int32_t bit = 0; bit < count; ++bit) {
      word |= static_cast<uint64_t>(numbers[start + bit] > 0.5f) << bit;
    }
    words[start / 64] = word;
  }
}

void unpack_bits(const uint64_t* words, int32_t dimensions, float* numbers) {
  for (int32_t index = 0; index < dimensions; ++index) {
    numbers[index] = static_cast<float>((words[index / 64] >> (index % 64)) & 1u);
  }
}

float public_distance(Metric metric, float internal) {
  switch (metric) {
    case Metric::angular:
    case Metric::euclidean:
      return std::sqrt(internal > 0 ? internal : 0.0f);
    case Metric::dot:
      return -internal;
    default:
      return internal;
  }
}

}  // namespace semantic_index
