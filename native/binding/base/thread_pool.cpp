#include "binding/base/thread_pool.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace semantic_index {

namespace {

/** As many as libuv has; each job of an index may start more threads of its own. */
constexpr size_t kMinThreads = 4;

class ThreadPool {
 public:
  bool run(std::function<void()> job) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (jobs_.size() >= idle_ && threads_ < limit_ && !add_thread() && threads_ == 0) return false;
      jobs_.push_back(std::move(job));
    }
    // A thread that is woken under the lock would wait for it at once.
    wake_.notify_one();
    return true;
  }

  bool run_if_idle(std::function<void()> job) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (jobs_.size() >= idle_ && (threads_ >= limit_ || !add_thread())) return false;
      jobs_.push_back(std::move(job));
    }
    wake_.notify_one();
    return true;
  }

 private:
  bool add_thread() {
    try {
      std::thread([this] { work(); }).detach();
    } catch (const std::system_error&) {
      return false;
    }
    ++threads_;
    return true;
  }

  [[noreturn]] void work() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      ++idle_;
      wake_.wait(lock, [this] { return !jobs_.empty(); });
      --idle_;
      {
        const std::function<void()> job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        job();
      }
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  const size_t limit_ = std::max<size_t>(kMinThreads, std::thread::hardware_concurrency());
  size_t threads_ = 0;
  size_t idle_ = 0;
};

ThreadPool& pool() {
  // Never destroyed: its threads wait in it until the process ends.
  static ThreadPool* const pool = new ThreadPool();
  return *pool;
}

}  // namespace

bool run_in_thread_pool(std::function<void()> job) { return pool().run(std::move(job)); }

bool run_in_idle_thread(std::function<void()> job) { return pool().run_if_idle(std::move(job)); }

}  // namespace semantic_index
