#include "binding/columns/read_column.h"

#include <cstring>

#include "binding/base/arguments.h"
#include "binding/base/bitsets.h"
#include "binding/base/work.h"
#include "binding/columns/columns.h"
#include "columns/layers/column_rows.h"

namespace semantic_index {

namespace {

class ReadColumnWork : public Work {
 public:
  std::shared_ptr<const ColumnsSnapshot> snapshot;
  std::vector<uint8_t> path;

  Status run() override {
    const std::string_view text(reinterpret_cast<const char*>(path.data()), path.size());
    return read_column_rows(*snapshot, text, &rows_, &task->cancelled);
  }

  Napi::Value finish(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    result.Set("ends", words_of(env, rows_.ends));
    result.Set("ids", words_of(env, rows_.ids));
    Napi::Uint8Array values = Napi::Uint8Array::New(env, rows_.values.size());
    if (!rows_.values.empty()) std::memcpy(values.Data(), rows_.values.data(), rows_.values.size());
    result.Set("values", values);
    result.Set("valueCount", rows_.value_count);
    if (!rows_.unknown.empty()) result.Set("unknown", words_of(env, rows_.unknown));
    return result;
  }

 private:
  ColumnRows rows_;
};

}  // namespace

Napi::Value read_column(const Napi::CallbackInfo& info) {
  auto work = std::make_unique<ReadColumnWork>();
  work->snapshot = ColumnsSnapshotObject::Unwrap(info[0].As<Napi::Object>())->snapshot(info.Env());
  const Numbers<uint8_t> path = Arguments(info).bytes(1);
  work->path.assign(path.data, path.data + path.count);
  work->task = Task::state_of(info[2]);
  return Work::start(info.Env(), std::move(work));
}

}  // namespace semantic_index
