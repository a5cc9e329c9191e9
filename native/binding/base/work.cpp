#include "binding/base/work.h"

#include <exception>
#include <new>

#include "binding/base/addon_data.h"
#include "binding/base/work_queue.h"

namespace semantic_index {

Napi::Value Work::start(Napi::Env env, std::unique_ptr<Work> work) {
  napi_value promise;
  if (napi_create_promise(env, &work->deferred_, &promise) != napi_ok) {
    throw make_error(env, "INTERNAL", "the environment makes no promise");
  }
  env.GetInstanceData<AddonData>()->work->start(env, std::move(work));
  return Napi::Value(env, promise);
}

void Work::execute() {
  // The work may have been cancelled while it waited for a thread.
  if (task->cancelled.load()) {
    status_.code = StatusCode::cancelled;
    return;
  }
  try {
    status_ = run();
  } catch (const std::bad_alloc&) {
    status_ = Status::no_memory();
  } catch (const std::exception& exception) {
    status_ = Status::failure(StatusCode::out_of_memory, exception.what());
  }
}

void Work::settle(Napi::Env env) {
  Napi::HandleScope scope(env);
  // An environment that is being torn down refuses every call, and no promise of it is awaited any more.
  try {
    try {
      if (!status_.ok()) {
        fail(env);
        throw to_error(env, status_);
      }
      napi_resolve_deferred(env, deferred_, finish(env));
    } catch (const Napi::Error& error) {
      napi_reject_deferred(env, deferred_, error.Value());
    }
  } catch (...) {
  }
}

}  // namespace semantic_index
