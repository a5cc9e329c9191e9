#include "binding/base/task.h"

#include "binding/base/addon_data.h"

namespace semantic_index {

void report_progress(void* context, int64_t done, int64_t total) {
  auto* state = static_cast<TaskState*>(context);
  state->done.store(done);
  state->total.store(total);
}

void Task::define(Napi::Env env, Napi::Object exports) {
  Napi::Function constructor =
      DefineClass(env, "Task",
                  {InstanceMethod<&Task::cancel>("cancel"), InstanceAccessor<&Task::done>("done"),
                   InstanceAccessor<&Task::total>("total")});
  env.GetInstanceData<AddonData>()->task_class = Napi::Persistent(constructor);
  exports.Set("Task", constructor);
}

Task::Task(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Task>(info) {}

std::shared_ptr<TaskState> Task::state_of(const Napi::Value& value) {
  if (value.IsUndefined()) return std::make_shared<TaskState>();
  Napi::Env env = value.Env();
  if (!value.IsObject() || !value.As<Napi::Object>().InstanceOf(env.GetInstanceData<AddonData>()->task_class.Value())) {
    throw make_error(env, "INTERNAL", "expected a Task");
  }
  return Task::Unwrap(value.As<Napi::Object>())->state_;
}

void Task::cancel(const Napi::CallbackInfo&) { state_->cancelled.store(true); }

Napi::Value Task::done(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(state_->done.load()));
}

Napi::Value Task::total(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(state_->total.load()));
}

}  // namespace semantic_index
