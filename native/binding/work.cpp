#include "work.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

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

Status run_in_parallel(int threads, int64_t blocks,
                       const std::function<std::function<Status(int64_t block)>()>& make_body) {
  std::atomic<int64_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  Status first_failure;

  const auto worker = [&]() {
    Status status;
    try {
      const std::function<Status(int64_t)> body = make_body();
      while (status.ok() && !failed.load(std::memory_order_relaxed)) {
        const int64_t block = next.fetch_add(1);
        if (block >= blocks) return;
        status = body(block);
      }
    } catch (const std::exception&) {
      status = Status::no_memory();
    }
    if (!status.ok()) {
      failed.store(true);
      const std::lock_guard<std::mutex> lock(mutex);
      if (first_failure.ok()) first_failure = std::move(status);
    }
  };

  std::vector<std::thread> helpers;
  const int64_t wanted = std::min<int64_t>(std::max(threads, 1), blocks) - 1;
  for (int64_t helper = 0; helper < wanted; helper++) {
    try {
      helpers.emplace_back(worker);
    } catch (const std::system_error&) {
      break;  // The system gives no more threads: fewer do the same work.
    }
  }
  worker();
  for (std::thread& helper : helpers) helper.join();
  return first_failure;
}

}  // namespace semantic_index
