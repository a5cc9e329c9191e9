#include "work.h"

#include <exception>
#include <new>

#include "addon_data.h"

namespace semantic_index {

Napi::Value Work::start(Napi::Env env, std::unique_ptr<Work> work) {
  napi_value promise;
  napi_value name = Napi::String::New(env, "semantic-index");
  if (napi_create_promise(env, &work->deferred_, &promise) != napi_ok ||
      napi_create_async_work(env, nullptr, name, execute, complete, work.get(), &work->handle_) != napi_ok) {
    throw make_error(env, "INTERNAL", "the thread pool does not accept work");
  }
  if (napi_queue_async_work(env, work->handle_) != napi_ok) {
    napi_delete_async_work(env, work->handle_);
    throw make_error(env, "INTERNAL", "the thread pool does not accept work");
  }
  (void)work.release();  // `complete` takes it back.
  return Napi::Value(env, promise);
}

void Work::execute(napi_env, void* data) {
  Work* work = static_cast<Work*>(data);
  try {
    work->status_ = work->run();
  } catch (const std::bad_alloc&) {
    work->status_ = Status::no_memory();
  } catch (const std::exception& exception) {
    work->status_ = Status::failure(StatusCode::out_of_memory, exception.what());
  }
}

void Work::complete(napi_env raw_env, napi_status status, void* data) {
  std::unique_ptr<Work> work(static_cast<Work*>(data));
  Napi::Env env(raw_env);
  Napi::HandleScope scope(env);
  // An environment that is being torn down refuses every call: there is nobody left to be told.
  try {
    if (status == napi_ok) {
      try {
        if (!work->status_.ok()) {
          work->fail(env);
          throw to_error(env, work->status_);
        }
        napi_resolve_deferred(env, work->deferred_, work->finish(env));
      } catch (const Napi::Error& error) {
        napi_reject_deferred(env, work->deferred_, error.Value());
      }
    }
  } catch (...) {
  }
  napi_delete_async_work(env, work->handle_);
}

}  // namespace semantic_index
