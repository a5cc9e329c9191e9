#ifndef SEMANTIC_INDEX_BINDING_BASE_WORK_H_
#define SEMANTIC_INDEX_BINDING_BASE_WORK_H_

#include <napi.h>

#include <functional>
#include <memory>
#include <vector>

#include "base/status.h"
#include "binding/base/task.h"

namespace semantic_index {

/**
 * A long operation that runs on a pool thread and settles a promise. Members must own their memory (shared_ptr,
 * copies): the objects they come from may be closed meanwhile. `run` checks `task->cancelled` at least every few
 * milliseconds; the caller's signal raises it, and so does the end of the environment.
 */
class Work {
 public:
  virtual ~Work() = default;

  std::shared_ptr<TaskState> task = std::make_shared<TaskState>();

  /** On a pool thread: touches no JavaScript. Exceptions become out_of_memory. */
  virtual Status run() = 0;
  /** On the thread of JavaScript, after success: the value of the promise. May throw Napi::Error, which rejects. */
  virtual Napi::Value finish(Napi::Env env) { return env.Undefined(); }
  /** On the thread of JavaScript, after a failure, before the promise rejects. */
  virtual void fail(Napi::Env) {}

  /** Keeps a JavaScript object alive until the work is done. */
  void keep(const Napi::Object& object) { kept_.push_back(Napi::Persistent(object)); }

  /** Starts it and returns the promise. */
  static Napi::Value start(Napi::Env env, std::unique_ptr<Work> work);

 private:
  friend class WorkQueue;
  /** On a pool thread: runs it, unless it is cancelled already. */
  void execute();
  /** On the thread of JavaScript: resolves or rejects the promise. */
  void settle(Napi::Env env);

  napi_deferred deferred_ = nullptr;
  Status status_;
  std::vector<Napi::ObjectReference> kept_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_BASE_WORK_H_
