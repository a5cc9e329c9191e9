#include "binding/base/bitsets.h"

#include <cstring>

#include "binding/base/addon_data.h"
#include "binding/base/arguments.h"

namespace semantic_index {

BitsetCopies::BitsetCopies(Napi::Env env, const Napi::Value& value) {
  const Napi::Array given = value.As<Napi::Array>();
  words_.resize(given.Length());
  for (uint32_t index = 0; index < given.Length(); ++index) {
    const Napi::Value set = given.Get(index);
    sets_.emplace_back();
    if (set.IsUndefined()) continue;
    if (!set.IsTypedArray() || set.As<Napi::TypedArray>().TypedArrayType() != napi_uint32_array) {
      throw make_error(env, "INTERNAL", "expected sets of items as Uint32Array");
    }
    const Napi::Uint32Array words = set.As<Napi::Uint32Array>();
    words_[index].assign(words.Data(), words.Data() + words.ElementLength());
    // A set without words would look like none.
    if (words_[index].empty()) words_[index].push_back(0);
    sets_.back().bits = words_[index].data();
    sets_.back().words = static_cast<int64_t>(words_[index].size());
  }
}

Napi::Value words_of(Napi::Env env, const std::vector<uint32_t>& words) {
  Napi::Uint32Array array = Napi::Uint32Array::New(env, words.size());
  if (!words.empty()) std::memcpy(array.Data(), words.data(), words.size() * sizeof(uint32_t));
  return array;
}

}  // namespace semantic_index
