#ifndef SEMANTIC_INDEX_BINDING_BASE_TASK_H_
#define SEMANTIC_INDEX_BINDING_BASE_TASK_H_

#include <napi.h>

#include <atomic>
#include <cstdint>
#include <memory>

namespace semantic_index {

/** State shared by long work and JavaScript; either may outlive the other. */
struct TaskState {
  std::atomic<bool> cancelled{false};
  std::atomic<int64_t> done{0};
  std::atomic<int64_t> total{0};
};

/** Progress callback of the kernel's builds; `context` is the TaskState. */
void report_progress(void* context, int64_t done, int64_t total);

/** `new Task()`: `cancel()` stops the work that it was passed to; `done` and `total` are its progress. */
class Task : public Napi::ObjectWrap<Task> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  explicit Task(const Napi::CallbackInfo& info);

  /** The state of the Task in `value`, or a new one when it is undefined. */
  static std::shared_ptr<TaskState> state_of(const Napi::Value& value);

 private:
  void cancel(const Napi::CallbackInfo& info);
  Napi::Value done(const Napi::CallbackInfo& info);
  Napi::Value total(const Napi::CallbackInfo& info);

  std::shared_ptr<TaskState> state_ = std::make_shared<TaskState>();
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_BASE_TASK_H_
