#include "binding/base/addon_data.h"
#include "binding/base/arguments.h"
#include "binding/base/bitsets.h"
#include "binding/base/validate_file_work.h"
#include "binding/base/write_file_work.h"
#include "binding/columns/columns.h"

namespace semantic_index {

namespace {

/** { certain: Uint32Array, possible: Uint32Array | undefined } */
Napi::Value result_of(Napi::Env env, const FilteredItems& items) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("certain", words_of(env, items.certain));
  result.Set("possible", items.is_exact ? env.Undefined() : words_of(env, items.possible));
  return result;
}

/** The snapshots in an array, for work on other threads. */
std::vector<std::shared_ptr<const ColumnsSnapshot>> snapshots_of(Napi::Env env, const Napi::Value& value) {
  std::vector<std::shared_ptr<const ColumnsSnapshot>> snapshots;
  const Napi::Array given = value.As<Napi::Array>();
  for (uint32_t index = 0; index < given.Length(); ++index) {
    snapshots.push_back(ColumnsSnapshotObject::Unwrap(given.Get(index).As<Napi::Object>())->snapshot(env));
  }
  return snapshots;
}

class FilterWork : public Work {
 public:
  std::vector<std::shared_ptr<const ColumnsSnapshot>> snapshots;
  std::vector<uint8_t> bytes;

  Status run() override {
    FilterProgram program;
    Status status = FilterProgram::decode(bytes.data(), bytes.size(), &program);
    FilterEvaluation evaluation;
    results_.resize(snapshots.size());
    for (size_t part = 0; part < snapshots.size() && status.ok(); ++part) {
      status = snapshots[part]->filter(program, &evaluation, &results_[part], &task->cancelled);
    }
    return status;
  }

  Napi::Value finish(Napi::Env env) override {
    Napi::Array results = Napi::Array::New(env, results_.size());
    for (size_t part = 0; part < results_.size(); ++part) {
      results.Set(static_cast<uint32_t>(part), result_of(env, results_[part]));
    }
    return results;
  }

 private:
  std::vector<FilteredItems> results_;
};

class WriteColumnsWork : public WriteFileWork<ColumnsHeader> {
 public:
  std::vector<std::shared_ptr<const ColumnsSnapshot>> snapshots;
  BitsetCopies dead;
  ColumnsMergeOptions options;

  Napi::Value finish(Napi::Env env) override {
    Napi::Object result = WriteFileWork::finish(env).As<Napi::Object>();
    result.Set("columns", header().columns);
    return result;
  }

 protected:
  Status make(MemoryBlock* file) override {
    options.cancel = &task->cancelled;
    std::vector<ColumnsPart> parts;
    for (size_t part = 0; part < snapshots.size(); ++part) {
      parts.push_back({snapshots[part].get(), {dead.set(part).bits, dead.set(part).words}});
    }
    return merge_parts(parts, options, file);
  }
};

}  // namespace

void ColumnsSnapshotObject::define(Napi::Env env, Napi::Object exports) {
  exports.Set("ColumnsSnapshot", DefineClass(env, "ColumnsSnapshot",
                                             {InstanceAccessor<&ColumnsSnapshotObject::items>("items"),
                                              InstanceMethod<&ColumnsSnapshotObject::filter>("filter"),
                                              InstanceMethod<&ColumnsSnapshotObject::close>("close")}));
}

ColumnsSnapshotObject::ColumnsSnapshotObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ColumnsSnapshotObject>(info),
      snapshot_(ColumnsObject::Unwrap(info[0].As<Napi::Object>())->columns(info.Env())->columns.snapshot()) {}

const std::shared_ptr<const ColumnsSnapshot>& ColumnsSnapshotObject::snapshot(Napi::Env env) const {
  if (!snapshot_) throw make_error(env, "CLOSED", "the snapshot of the columns is closed");
  return snapshot_;
}

Napi::Value ColumnsSnapshotObject::items(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), snapshot_ ? snapshot_->items : 0);
}

Napi::Value ColumnsSnapshotObject::filter(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const Numbers<uint8_t> bytes = Arguments(info).bytes(0);
  FilterProgram program;
  throw_unless_ok(env, FilterProgram::decode(bytes.data, bytes.count, &program));
  FilterEvaluation evaluation;
  FilteredItems found;
  throw_unless_ok(env, snapshot(env)->filter(program, &evaluation, &found));
  return result_of(env, found);
}

void ColumnsSnapshotObject::close(const Napi::CallbackInfo&) { snapshot_.reset(); }

Napi::Value filter_columns(const Napi::CallbackInfo& info) {
  auto work = std::make_unique<FilterWork>();
  work->snapshots = snapshots_of(info.Env(), info[0]);
  const Numbers<uint8_t> bytes = Arguments(info).bytes(1);
  work->bytes.assign(bytes.data, bytes.data + bytes.count);
  work->task = Task::state_of(info[2]);
  return Work::start(info.Env(), std::move(work));
}

Napi::Value validate_columns(const Napi::CallbackInfo& info) {
  return ValidateFileWork<ColumnsImagePointer, open_columns_file>::start(info);
}

Napi::Value write_columns(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  auto work = std::make_unique<WriteColumnsWork>();
  work->path = arguments.string(0);
  work->snapshots = snapshots_of(info.Env(), info[1]);
  work->dead = BitsetCopies(info.Env(), info[2]);
  if (work->dead.size() != work->snapshots.size()) {
    throw make_error(info.Env(), "INTERNAL", "snapshots and dead do not fit together");
  }
  work->options.source = static_cast<uint64_t>(arguments.wide_integer(3));
  work->options.threads = arguments.integer(4);
  work->task = Task::state_of(info[5]);
  return Work::start(info.Env(), std::move(work));
}

}  // namespace semantic_index
