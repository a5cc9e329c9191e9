#ifndef SEMANTIC_INDEX_BINDING_BASE_WORK_QUEUE_H_
#define SEMANTIC_INDEX_BINDING_BASE_WORK_QUEUE_H_

#include <napi.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

namespace semantic_index {

class Work;

/**
 * The work of one environment (the main thread, or one worker). Work keeps the event loop alive until its promise is
 * settled. When the environment goes, its work is cancelled and waited for, so that neither `process.exit` nor
 * `worker.terminate` waits for the natural end of a long build.
 *
 * Work is settled at most once in each turn of the event loop: what settled promises start may have ended before the
 * last of their reactions has run, and would otherwise keep timers and sockets waiting as long as that goes on.
 */
class WorkQueue : public std::enable_shared_from_this<WorkQueue> {
 public:
  /** Called once for each environment. */
  static std::shared_ptr<WorkQueue> create(Napi::Env env);

  /** Starts `work`, whose promise is settled on the thread of JavaScript. Throws when the system refuses a thread. */
  void start(Napi::Env env, std::unique_ptr<Work> work);

  /**
   * Cancels all work and waits until it has ended, at most `limit`. No promise is settled from then on, and work
   * started later never runs.
   */
  void stop(std::chrono::milliseconds limit);

 private:
  void run(Work* work);
  /** On the thread of JavaScript; `env` is null when the environment is gone. */
  static void on_signal(napi_env env, napi_value, void* context, void*);
  static void on_turn(const Napi::CallbackInfo& info);
  /** Settles what has ended, and comes back in the next turn if that was anything. */
  void settle(Napi::Env env);

  napi_threadsafe_function signal_ = nullptr;
  Napi::FunctionReference set_immediate_;
  Napi::FunctionReference on_turn_;
  /** Work that is not settled yet; only the thread of JavaScript reads it. */
  int64_t open_ = 0;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::unordered_set<Work*> running_;
  /** Work whose promise is to be settled, and whether a call of `settle` is on its way. */
  std::vector<std::unique_ptr<Work>> finished_;
  bool is_signalled_ = false;
  /** Work that ended after `stop`, kept for the thread of JavaScript to delete. */
  std::vector<std::unique_ptr<Work>> abandoned_;
  bool is_stopped_ = false;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_BASE_WORK_QUEUE_H_
