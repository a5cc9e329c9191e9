#include "binding/search/search_part.h"

#include <cmath>

#include "binding/base/addon_data.h"
#include "binding/terms/terms_file.h"
#include "binding/terms/terms_tail.h"
#include "binding/vectors/index.h"
#include "binding/vectors/vector_buffer.h"

namespace semantic_index {

namespace {

SortedKeys keys_of(Napi::Env env, double first, const Napi::Value& value) {
  const auto base = static_cast<int64_t>(first);
  const bool is_array = value.IsTypedArray();
  const napi_typedarray_type type = is_array ? value.As<Napi::TypedArray>().TypedArrayType() : napi_int8_array;
  if (type == napi_uint32_array) {
    const Napi::Uint32Array offsets = value.As<Napi::Uint32Array>();
    return {base, std::vector<uint32_t>(offsets.Data(), offsets.Data() + offsets.ElementLength())};
  }
  if (type != napi_float64_array) throw make_error(env, "INTERNAL", "expected offsets of keys");
  const Napi::Float64Array offsets = value.As<Napi::Float64Array>();
  const size_t count = offsets.ElementLength();
  const double lowest = count == 0 ? 0 : offsets[0];
  const bool is_narrow = count == 0 || offsets[count - 1] - lowest <= UINT32_MAX;
  std::vector<uint32_t> narrow;
  std::vector<int64_t> wide;
  for (size_t item = 0; item < count; ++item) {
    const double offset = offsets[item];
    if (!(std::abs(offset) <= 9007199254740992.0)) throw make_error(env, "INTERNAL", "a key is out of range");
    if (!is_narrow) {
      wide.push_back(static_cast<int64_t>(offset));
    } else if (offset < lowest || offset - lowest > UINT32_MAX) {
      throw make_error(env, "INTERNAL", "the keys of a part do not ascend");
    } else {
      narrow.push_back(static_cast<uint32_t>(offset - lowest));
    }
  }
  if (is_narrow) return {base + static_cast<int64_t>(lowest), std::move(narrow)};
  return {base, std::move(wide)};
}

bool is_instance(const Napi::Value& value, const Napi::FunctionReference& constructor) {
  return value.As<Napi::Object>().InstanceOf(constructor.Value());
}

}  // namespace

void SearchPartObject::define(Napi::Env env, Napi::Object exports) {
  const Napi::Function constructor =
      DefineClass(env, "SearchPart", {InstanceMethod<&SearchPartObject::close>("close")});
  exports.Set("SearchPart", constructor);
}

SearchPartObject::SearchPartObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SearchPartObject>(info) {
  Napi::Env env = info.Env();
  const auto* const data = env.GetInstanceData<AddonData>();
  auto part = std::make_shared<SearchPart>();
  part->keys = keys_of(env, info[2].ToNumber().DoubleValue(), info[3]);
  if (info[0].IsObject()) {
    if (is_instance(info[0], data->vector_buffer_class)) {
      part->rows = VectorBuffer::Unwrap(info[0].As<Napi::Object>())->snapshot(env);
      part->has_rows = true;
    } else {
      part->segment = Index::Unwrap(info[0].As<Napi::Object>())->segment(env);
    }
  }
  if (info[1].IsObject()) {
    if (is_instance(info[1], data->terms_file_class)) {
      part->terms_file = TermsFileObject::Unwrap(info[1].As<Napi::Object>())->file(env);
    } else {
      const TermsTailPointer& tail = TermsTailObject::Unwrap(info[1].As<Napi::Object>())->tail(env);
      part->terms_tail = std::shared_ptr<const TermsTail>(tail, &tail->tail);
    }
  }
  part_ = std::move(part);
  account(env);
}

SearchPartObject::~SearchPartObject() {
  // The environment may be ending here; then this call fails, which is harmless.
  int64_t ignored = 0;
  if (accounted_ != 0) napi_adjust_external_memory(Env(), -accounted_, &ignored);
}

const SearchPartPointer& SearchPartObject::part(Napi::Env env) const {
  if (!part_) throw make_error(env, "CLOSED", "the part is closed");
  return part_;
}

void SearchPartObject::account(Napi::Env env) {
  const int64_t now = part_ ? part_->keys.bytes() : 0;
  if (now != accounted_) Napi::MemoryManagement::AdjustExternalMemory(env, now - accounted_);
  accounted_ = now;
}

void SearchPartObject::close(const Napi::CallbackInfo& info) {
  part_.reset();
  account(info.Env());
}

}  // namespace semantic_index
