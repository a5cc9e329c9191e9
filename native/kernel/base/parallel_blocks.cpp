#include "base/parallel_blocks.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "base/cancel.h"

namespace semantic_index {

int thread_count(int threads) {
  return threads > 0 ? threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

Status run_blocks(int threads, int64_t blocks, ParallelWatch* watch,
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
        if (is_raised(watch->cancel)) {
          status.code = StatusCode::cancelled;
          break;
        }
        status = body(block);
        const std::lock_guard<std::mutex> lock(mutex);
        ++watch->done;
        if (watch->progress) watch->progress(watch->done);
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
  const int64_t wanted = std::min<int64_t>(thread_count(threads), blocks) - 1;
  for (int64_t helper = 0; helper < wanted; ++helper) {
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
