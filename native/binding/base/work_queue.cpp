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
                                                        queue.get(), on_signal, &queue->signal_) == napi_ok &&
                        // An idle addon lets the process end.
                        napi_unref_threadsafe_function(env, queue->signal_) == napi_ok &&
                        // Hooks run last in, first out: this one before that of the function above.
                        napi_add_env_cleanup_hook(env, stop_at_teardown, queue.get()) == napi_ok;
  if (!is_ready) throw Napi::Error::New(env, "The environment accepts no native work");
  queue->set_immediate_ = Napi::Persistent(env.Global().Get("setImmediate").As<Napi::Function>());
  queue->on_turn_ = Napi::Persistent(Napi::Function::New<on_turn>(env, "settleWork", queue.get()));
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
  if (open_++ == 0) napi_ref_threadsafe_function(env, signal_);
}

void WorkQueue::run(Work* work) {
  work->execute();
  const std::lock_guard<std::mutex> lock(mutex_);
  running_.erase(work);
  (is_stopped_ ? abandoned_ : finished_).emplace_back(work);
  // If the environment refuses the signal, it is being torn down, and `stop` takes the work.
  if (!is_stopped_ && !is_signalled_) {
    is_signalled_ = napi_call_threadsafe_function(signal_, nullptr, napi_tsfn_nonblocking) == napi_ok;
  }
  ended_.notify_all();
}

void WorkQueue::on_signal(napi_env env, napi_value, void* context, void*) {
  if (env != nullptr) static_cast<WorkQueue*>(context)->settle(Napi::Env(env));
}

void WorkQueue::on_turn(const Napi::CallbackInfo& info) { static_cast<WorkQueue*>(info.Data())->settle(info.Env()); }

void WorkQueue::settle(Napi::Env env) {
  std::vector<std::unique_ptr<Work>> finished;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    finished.swap(finished_);
    is_signalled_ = !finished.empty() && !is_stopped_;
    if (!is_signalled_) return;
  }
  open_ -= static_cast<int64_t>(finished.size());
  if (open_ == 0) napi_unref_threadsafe_function(env, signal_);
  Napi::HandleScope scope(env);
  for (const std::unique_ptr<Work>& work : finished) work->settle(env);
  try {
    set_immediate_.Call({on_turn_.Value()});
  } catch (const Napi::Error&) {
    // The environment is being torn down: nothing is settled any more.
  }
}

void WorkQueue::stop(std::chrono::milliseconds limit) {
  std::vector<std::unique_ptr<Work>> ended;
  std::unique_lock<std::mutex> lock(mutex_);
  is_stopped_ = true;
  for (Work* work : running_) work->task->cancelled.store(true);
  ended_.wait_for(lock, limit, [this] { return running_.empty(); });
  ended.swap(abandoned_);
  for (std::unique_ptr<Work>& work : finished_) ended.push_back(std::move(work));
  finished_.clear();
  set_immediate_.Reset();
  on_turn_.Reset();
}

}  // namespace semantic_index
