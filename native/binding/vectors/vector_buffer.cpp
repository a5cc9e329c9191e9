#include "binding/vectors/vector_buffer.h"

#include <algorithm>

#include "binding/base/addon_data.h"
#include "binding/base/arguments.h"
#include "binding/base/task.h"
#include "binding/base/work.h"
#include "distance/vector_check.h"
#include "segment/segment_search.h"

namespace semantic_index {

namespace {

class ScanWork : public Work {
 public:
  RowBuffer::Snapshot rows;
  NodeLayout layout;
  std::vector<float> queries;
  int64_t limit = -1;
  AllowedCopy allowed{Allowed()};
  BatchSearch batch;

  Status run() override {
    batch.queries = queries.data();
    batch.options.allowed = allowed.view();
    batch.cancel = &task->cancelled;
    return search_rows(rows, layout, limit, batch);
  }
};

}  // namespace

void VectorBuffer::define(Napi::Env env, Napi::Object exports) {
  const Napi::Function constructor = DefineClass(
      env, "VectorBuffer",
      {InstanceMethod<&VectorBuffer::append>("append"), InstanceMethod<&VectorBuffer::row>("row"),
       InstanceAccessor<&VectorBuffer::rows>("rows"), InstanceAccessor<&VectorBuffer::byte_length>("byteLength"),
       InstanceMethod<&VectorBuffer::search>("search"), InstanceMethod<&VectorBuffer::has_changed>("hasChanged"),
       InstanceMethod<&VectorBuffer::drop_into>("dropInto"), InstanceMethod<&VectorBuffer::close>("close")});
  env.GetInstanceData<AddonData>()->vector_buffer_class = Napi::Persistent(constructor);
  exports.Set("VectorBuffer", constructor);
}

VectorBuffer::VectorBuffer(const Napi::CallbackInfo& info) : Napi::ObjectWrap<VectorBuffer>(info) {
  const Arguments arguments(info);
  NodeLayout layout;
  throw_unless_ok(info.Env(), make_layout(static_cast<Metric>(arguments.integer(0)), arguments.integer(1), &layout));
  buffer_ = std::make_unique<RowBuffer>(layout);
}

VectorBuffer::~VectorBuffer() {
  buffer_.reset();
  // The environment may be ending here; then this call fails, which is harmless.
  int64_t ignored = 0;
  if (accounted_ != 0) napi_adjust_external_memory(Env(), -accounted_, &ignored);
}

RowBuffer& VectorBuffer::buffer(Napi::Env env) const {
  if (!buffer_) throw make_error(env, "CLOSED", "the buffer is closed");
  return *buffer_;
}

void VectorBuffer::account(Napi::Env env) {
  const int64_t now = buffer_ ? buffer_->bytes() : 0;
  if (now != accounted_) Napi::MemoryManagement::AdjustExternalMemory(env, now - accounted_);
  accounted_ = now;
}

void VectorBuffer::adopt(Napi::Env env, std::unique_ptr<RowBuffer> rows) {
  if (!buffer_) return;
  buffer_ = std::move(rows);
  account(env);
}

void VectorBuffer::append(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  RowBuffer& rows = buffer(env);
  const Numbers<float> numbers = Arguments(info).floats(0);
  const int32_t dimensions = rows.layout().dimensions;
  check_finite(env, numbers, dimensions, "row", 0);
  const Status status = rows.append(numbers.data, static_cast<int64_t>(numbers.count) / dimensions);
  account(env);
  throw_unless_ok(env, status);
}

void VectorBuffer::row(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const RowBuffer& rows = buffer(info.Env());
  const Numbers<float> out = arguments.floats(1);
  if (out.count != static_cast<size_t>(rows.layout().dimensions)) {
    throw make_error(info.Env(), "INTERNAL", "wrong length");
  }
  throw_unless_ok(info.Env(), rows.row(arguments.wide_integer(0), out.data));
}

Napi::Value VectorBuffer::rows(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), buffer_ ? static_cast<double>(buffer_->rows()) : 0);
}

Napi::Value VectorBuffer::byte_length(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), buffer_ ? static_cast<double>(buffer_->bytes()) : 0);
}

Napi::Value VectorBuffer::search(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const Arguments arguments(info);
  const RowBuffer& rows = buffer(env);
  auto work = std::make_unique<ScanWork>();
  work->rows = rows.snapshot();
  work->layout = rows.layout();
  const int32_t dimensions = work->layout.dimensions;
  const Numbers<float> queries = arguments.floats(0);
  work->batch.count = static_cast<int64_t>(queries.count) / dimensions;
  work->batch.options.k = arguments.integer(1);
  work->limit = arguments.wide_integer(2);
  work->allowed = AllowedCopy(arguments.allowed(3));
  work->batch.threads = arguments.integer(4);
  const Numbers<int32_t> items = arguments.integers(5);
  const Numbers<float> distances = arguments.floats(6);
  work->task = Task::state_of(info[7]);
  const auto results = static_cast<size_t>(work->batch.count) * static_cast<size_t>(std::max(work->batch.options.k, 1));
  if (work->batch.options.k < 1 || items.count < results || distances.count < results) {
    throw make_error(env, "INTERNAL", "the arrays for the results are too short");
  }
  const int64_t bad = find_not_finite(queries.data, queries.count);
  if (bad >= 0) {
    throw make_error(env, "INVALID_VECTOR", "query " + std::to_string(bad / dimensions) + " holds NaN or infinity");
  }
  work->queries.assign(queries.data, queries.data + queries.count);
  work->batch.items = items.data;
  work->batch.distances = distances.data;
  work->keep(info[5].As<Napi::Object>());
  work->keep(info[6].As<Napi::Object>());
  return Work::start(env, std::move(work));
}

void VectorBuffer::drop_into(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  VectorBuffer* target = VectorBuffer::Unwrap(info[0].As<Napi::Object>());
  std::unique_ptr<RowBuffer> rest;
  throw_unless_ok(env, buffer(env).drop(Arguments(info).wide_integer(1), &rest));
  target->buffer_ = std::move(rest);
  target->account(env);
}

Napi::Value VectorBuffer::has_changed(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), buffer_ && buffer_->snapshot().has_changed());
}

void VectorBuffer::close(const Napi::CallbackInfo& info) {
  buffer_.reset();
  account(info.Env());
}

}  // namespace semantic_index
