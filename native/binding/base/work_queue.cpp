#include "binding/base/work_queue.h"

#include <utility>

#include "binding/base/addon_data.h"
#include "binding/base/thread_pool.h"
#include "binding/base/work.h"

namespace semantic_index {

namespace {

/** Work stops within milliseconds of being cancelled, except in a write or fsync, which the system has to end. */
constexpr std::chrono::hours kUntilItEnds{24};

void stop_at_teardown(void* queue) { static_cast<WorkQueue*>(queue)->stop(kUntilItEnds); }

}  // namespace

std::shared_ptr<WorkQueue> WorkQueue::create(Napi::Env env) {
  auto queue = std::make_shared<WorkQueue>();
  const napi_value name = Napi::String::New(env, "semantic-index");
  const bool is_ready = napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr,
                                                        queue.get(), settle, &queue->settled_) == napi_ok &&
                        // An idle addon lets the process end.
                        napi_unref_threadsafe_function(env, queue->settled_) == napi_ok &&
                        // Hooks run last in, first out: this one before that of the function above.
                        napi_add_env_cleanup_hook(env, stop_at_teardown, queue.get()) == napi_ok;
  if (!is_ready) throw Napi::Error::New(env, "The environment accepts no native work");
  return queue;
}

void WorkQueue::start(Napi::Env env, std::unique_ptr<Work> work) {
  Work* const raw = work.get();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (is_stopped_) {
      abandoned_.push_back(std::move(work));
      return;
    }
    running_.insert(raw);
  }
  if (!run_in_thread_pool([self = shared_from_this(), raw] { self->run(raw); })) {
    const std::lock_guard<std::mutex> lock(mutex_);
    running_.erase(raw);
    throw make_error(env, "OUT_OF_MEMORY", "the system gives no thread for native work");
  }
  (void)work.release();  // `settle` takes it back.
  if (open_++ == 0) napi_ref_threadsafe_function(env, settled_);
}

void WorkQueue::run(Work* work) {
  work->execute();
  const std::lock_guard<std::mutex> lock(mutex_);
  running_.erase(work);
  if (is_stopped_ || napi_call_threadsafe_function(settled_, work, napi_tsfn_nonblocking) != napi_ok) {
    abandoned_.emplace_back(work);
  }
  ended_.notify_all();
}

void WorkQueue::settle(napi_env env, napi_value, void* context, void* data) {
  std::unique_ptr<Work> work(static_cast<Work*>(data));
  if (env == nullptr) return;
  auto* const queue = static_cast<WorkQueue*>(context);
  if (--queue->open_ == 0) napi_unref_threadsafe_function(env, queue->settled_);
  work->settle(env);
}

void WorkQueue::stop(std::chrono::milliseconds limit) {
  std::vector<std::unique_ptr<Work>> ended;
  std::unique_lock<std::mutex> lock(mutex_);
  is_stopped_ = true;
  for (Work* work : running_) work->task->cancelled.store(true);
  ended_.wait_for(lock, limit, [this] { return running_.empty(); });
  ended.swap(abandoned_);
}

}  // namespace semantic_index
