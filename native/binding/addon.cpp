/** The addon: what JavaScript sees of the kernel. Arguments in, typed arrays out; no arithmetic of its own. */
#include <napi.h>

#include "addon_data.h"
#include "distance/distance.h"
#include "files.h"
#include "index.h"
#include "task.h"
#include "vector_buffer.h"

namespace semantic_index {

namespace {

/** (makeError: (code, message, systemError) => Error) */
void initialize(const Napi::CallbackInfo& info) {
  info.Env().GetInstanceData<AddonData>()->make_error = Napi::Persistent(info[0].As<Napi::Function>());
}

/** (limit: milliseconds). Cancels all native work of this environment for good, and waits for it. */
void stop_work(const Napi::CallbackInfo& info) {
  const auto limit = std::chrono::milliseconds(info[0].As<Napi::Number>().Int64Value());
  info.Env().GetInstanceData<AddonData>()->work->stop(limit);
}

Napi::Value instruction_set(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), distances().name); }

Napi::Value instruction_sets(const Napi::CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env());
  uint32_t count = 0;
  for (const DistanceTable* const* table = available_instruction_sets(); *table != nullptr; table++) {
    names.Set(count++, (*table)->name);
  }
  return names;
}

}  // namespace

/** Runs once for each environment that loads the addon. */
static Napi::Object define_exports(Napi::Env env, Napi::Object exports) {
  auto data = std::make_unique<AddonData>();
  data->work = WorkQueue::create(env);
  env.SetInstanceData(data.release());
  Task::define(env, exports);
  Index::define(env, exports);
  VectorBuffer::define(env, exports);
  exports.Set("initialize", Napi::Function::New<initialize>(env, "initialize"));
  exports.Set("stopWork", Napi::Function::New<stop_work>(env, "stopWork"));
  exports.Set("writeFile", Napi::Function::New<write_file>(env, "writeFile"));
  exports.Set("syncFolder", Napi::Function::New<sync_folder>(env, "syncFolder"));
  exports.Set("instructionSet", Napi::Function::New<instruction_set>(env, "instructionSet"));
  exports.Set("instructionSets", Napi::Function::New<instruction_sets>(env, "instructionSets"));
  return exports;
}

}  // namespace semantic_index

static Napi::Object define_exports(Napi::Env env, Napi::Object exports) {
  return semantic_index::define_exports(env, exports);
}

NODE_API_MODULE(semantic_index, define_exports)
