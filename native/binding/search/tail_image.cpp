#include "binding/search/tail_image.h"

#include <utility>

#include "binding/base/addon_data.h"
#include "binding/base/arguments.h"
#include "binding/base/write_file_work.h"
#include "binding/terms/terms_tail.h"
#include "binding/vectors/vector_buffer.h"
#include "search/tail_image.h"

namespace semantic_index {

namespace {

class WriteTailWork : public WriteFileWork<TailHeader> {
 public:
  TailSource source;
  TermsTailPointer terms;

 protected:
  Status make(MemoryBlock* file) override { return make_tail_image(source, &task->cancelled, file); }
};

class ReadTailWork : public Work {
 public:
  ReadTailWork(const NodeLayout& layout, VectorBuffer* buffer, TermsTailObject* object)
      : rows_(std::make_unique<RowBuffer>(layout)), buffer_(buffer), object_(object) {}

  std::string path;
  int threads = 1;
  TermsTailPointer terms;

  Status run() override {
    const std::lock_guard<std::mutex> lock(terms->appending);
    return load_tail_image(path, threads, &task->cancelled, rows_.get(), &terms->tail, &loaded_);
  }

  Napi::Value finish(Napi::Env env) override {
    buffer_->adopt(env, std::move(rows_));
    object_->account(env);
    Napi::Object result = Napi::Object::New(env);
    result.Set("checksum", checksum_text(loaded_.checksum));
    Napi::Float64Array keys = Napi::Float64Array::New(env, loaded_.keys.size());
    for (size_t item = 0; item < loaded_.keys.size(); ++item) keys[item] = static_cast<double>(loaded_.keys[item]);
    result.Set("keys", keys);
    if (loaded_.alive.empty()) return result;
    Napi::Uint32Array alive = Napi::Uint32Array::New(env, loaded_.alive.size());
    std::copy(loaded_.alive.begin(), loaded_.alive.end(), alive.Data());
    result.Set("alive", alive);
    return result;
  }

 private:
  std::unique_ptr<RowBuffer> rows_;
  VectorBuffer* buffer_;
  TermsTailObject* object_;
  LoadedTail loaded_;
};

}  // namespace

Napi::Value write_tail_image(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const Arguments arguments(info);
  auto work = std::make_unique<WriteTailWork>();
  work->path = arguments.string(0);
  work->source.rows = VectorBuffer::Unwrap(info[1].As<Napi::Object>())->snapshot(env);
  work->terms = TermsTailObject::Unwrap(info[2].As<Napi::Object>())->tail(env);
  work->source.terms = &work->terms->tail;
  const Numbers<double> keys = arguments.doubles(3);
  for (size_t item = 0; item < keys.count; ++item) {
    work->source.keys.push_back(static_cast<int64_t>(keys.data[item]));
  }
  if (!info[4].IsUndefined()) {
    const Numbers<uint32_t> alive = arguments.unsigned_integers(4);
    work->source.alive.assign(alive.data, alive.data + alive.count);
  }
  work->task = Task::state_of(info[5]);
  return Work::start(env, std::move(work));
}

Napi::Value read_tail_image(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const Arguments arguments(info);
  auto* const buffer = VectorBuffer::Unwrap(info[1].As<Napi::Object>());
  auto* const object = TermsTailObject::Unwrap(info[2].As<Napi::Object>());
  auto work = std::make_unique<ReadTailWork>(buffer->snapshot(env).layout(), buffer, object);
  work->path = arguments.string(0);
  work->terms = object->tail(env);
  work->threads = arguments.integer(3);
  work->task = Task::state_of(info[4]);
  work->keep(info[1].As<Napi::Object>());
  work->keep(info[2].As<Napi::Object>());
  return Work::start(env, std::move(work));
}

}  // namespace semantic_index
