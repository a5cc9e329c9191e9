#include "binding/base/arguments.h"

#include <cmath>
#include <cstdio>

#include "binding/base/addon_data.h"
#include "distance/vector_check.h"

namespace semantic_index {

int32_t Arguments::integer(size_t index) const { return info_[index].ToNumber().Int32Value(); }

int64_t Arguments::wide_integer(size_t index) const { return info_[index].ToNumber().Int64Value(); }

double Arguments::number(size_t index) const { return info_[index].ToNumber().DoubleValue(); }

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

Numbers<double> Arguments::doubles(size_t index) const {
  Numbers<double> numbers;
  numbers.data = static_cast<double*>(typed_array(index, napi_float64_array, &numbers.count));
  return numbers;
}

Numbers<int32_t> Arguments::integers(size_t index) const {
  Numbers<int32_t> numbers;
  numbers.data = static_cast<int32_t*>(typed_array(index, napi_int32_array, &numbers.count));
  return numbers;
}

Numbers<uint32_t> Arguments::unsigned_integers(size_t index) const {
  Numbers<uint32_t> numbers;
  numbers.data = static_cast<uint32_t*>(typed_array(index, napi_uint32_array, &numbers.count));
  return numbers;
}

Numbers<uint8_t> Arguments::bytes(size_t index) const {
  Numbers<uint8_t> numbers;
  numbers.data = static_cast<uint8_t*>(typed_array(index, napi_uint8_array, &numbers.count));
  return numbers;
}

Allowed Arguments::allowed(size_t index) const {
  if (info_[index].IsUndefined()) return {};
  size_t count = 0;
  const void* data = typed_array(index, napi_uint32_array, &count);
  return allowed_of(static_cast<const uint32_t*>(data), count);
}

Allowed allowed_of(const uint32_t* words, size_t count) {
  // An empty array may have no address, and no address means that everything is allowed.
  static const uint32_t kNone = 0;
  Allowed allowed;
  allowed.bits = count == 0 ? &kNone : words;
  allowed.words = static_cast<int64_t>(count);
  return allowed;
}

void check_finite(Napi::Env env, const Numbers<float>& rows, int32_t dimensions, const char* name, int64_t first) {
  const int64_t bad = find_not_finite(rows.data, rows.count);
  if (bad < 0) return;
  throw make_error(env, "INVALID_VECTOR",
                   std::string(name) + " " + std::to_string(first + bad / dimensions) + " is " +
                       (std::isnan(rows.data[bad]) ? "NaN" : "infinite") + " at position " +
                       std::to_string(bad % dimensions));
}

void check_lengths(Napi::Env env, const Numbers<float>& rows, Metric metric, int32_t dimensions, const char* name,
                   int64_t first) {
  if (metric == Metric::hamming) return;
  double length = 0;
  const int64_t row = find_bad_length(rows.data, rows.count, dimensions, &length);
  if (row < 0) return;
  char text[160];
  std::snprintf(text, sizeof text, "%s %lld has the length %.3g, expected 0 or a length from 1e-18 to 1e18", name,
                static_cast<long long>(first + row), length);
  throw make_error(env, "INVALID_VECTOR", text);
}

}  // namespace semantic_index
