#include "arguments.h"

#include <cmath>
#include <cstdio>
#include <cstring>

#include "addon_data.h"
#include "distance/distance.h"

namespace semantic_index {

int32_t Arguments::integer(size_t index) const { return info_[index].ToNumber().Int32Value(); }

int64_t Arguments::wide_integer(size_t index) const { return info_[index].ToNumber().Int64Value(); }

bool Arguments::boolean(size_t index) const { return info_[index].ToBoolean().Value(); }

std::string Arguments::string(size_t index) const { return info_[index].ToString().Utf8Value(); }

void* Arguments::typed_array(size_t index, napi_typedarray_type type, size_t* count) const {
  napi_typedarray_type actual;
  void* data = nullptr;
  const napi_status status =
      napi_get_typedarray_info(info_.Env(), info_[index], &actual, count, &data, nullptr, nullptr);
  if (status != napi_ok || actual != type) {
    throw make_error(info_.Env(), "INTERNAL", "argument " + std::to_string(index) + " has the wrong type");
  }
  return data;
}

Numbers<float> Arguments::floats(size_t index) const {
  Numbers<float> numbers;
  numbers.data = static_cast<float*>(typed_array(index, napi_float32_array, &numbers.count));
  return numbers;
}

Numbers<int32_t> Arguments::integers(size_t index) const {
  Numbers<int32_t> numbers;
  numbers.data = static_cast<int32_t*>(typed_array(index, napi_int32_array, &numbers.count));
  return numbers;
}

Numbers<uint8_t> Arguments::bytes(size_t index) const {
  Numbers<uint8_t> numbers;
  numbers.data = static_cast<uint8_t*>(typed_array(index, napi_uint8_array, &numbers.count));
  return numbers;
}

Allowed Arguments::allowed(size_t index) const {
  Allowed allowed;
  if (info_[index].IsUndefined()) return allowed;
  static const uint32_t kNone = 0;
  size_t count = 0;
  const void* data = typed_array(index, napi_uint32_array, &count);
  allowed.bits = count == 0 ? &kNone : static_cast<const uint32_t*>(data);
  allowed.words = static_cast<int64_t>(count);
  return allowed;
}

int64_t find_not_finite(const float* numbers, size_t count) {
  // In blocks, so that the common case is one pass that the compiler turns into wide instructions.
  constexpr size_t kBlock = 256;
  constexpr uint32_t kExponent = 0x7f800000u;
  for (size_t start = 0; start < count; start += kBlock) {
    const size_t end = start + kBlock < count ? start + kBlock : count;
    uint32_t found = 0;
    for (size_t index = start; index < end; index++) {
      uint32_t bits;
      std::memcpy(&bits, numbers + index, sizeof bits);
      found |= static_cast<uint32_t>((bits & kExponent) == kExponent);
    }
    if (found == 0) continue;
    for (size_t index = start; index < end; index++) {
      uint32_t bits;
      std::memcpy(&bits, numbers + index, sizeof bits);
      if ((bits & kExponent) == kExponent) return static_cast<int64_t>(index);
    }
  }
  return -1;
}

std::string length_fault(const float* rows, size_t count, int32_t dimensions, const char* name, int64_t first) {
  constexpr double kShortest = 1e-18;
  constexpr double kLongest = 1e18;
  const auto size = static_cast<size_t>(dimensions);
  for (size_t row = 0; (row + 1) * size <= count; ++row) {
    const float* vector = rows + row * size;
    const float fast = distances().dot(vector, vector, size);
    if (fast > 1e-30f && fast < 1e30f) continue;
    double square = 0;
    for (size_t i = 0; i < size; ++i) square += static_cast<double>(vector[i]) * vector[i];
    const double length = std::sqrt(square);
    if (length == 0 || (length >= kShortest && length <= kLongest)) continue;
    char text[160];
    std::snprintf(text, sizeof text, "%s %lld has the length %.3g, expected 0 or a length from 1e-18 to 1e18", name,
                  static_cast<long long>(first + static_cast<int64_t>(row)), length);
    return text;
  }
  return {};
}

}  // namespace semantic_index
