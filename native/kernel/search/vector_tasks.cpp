#include "search/vector_tasks.h"

#include <chrono>
#include <new>

namespace semantic_index {

void VectorTasks::work(SegmentScratch* scratch) {
  for (size_t index = next_.fetch_add(1); index < tasks_.size(); index = next_.fetch_add(1)) {
    VectorTask& task = tasks_[index];
    const auto began = std::chrono::steady_clock::now();
    try {
      task.status = search_part_vectors(*task.part, task.search, scratch, task.found);
    } catch (const std::bad_alloc&) {
      task.status = Status::no_memory();
    }
    const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - began;
    task.milliseconds = taken.count();
    const std::lock_guard<std::mutex> lock(mutex_);
    if (++ended_ == tasks_.size()) all_ended_.notify_all();
  }
}

void VectorTasks::wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  all_ended_.wait(lock, [this] { return ended_ == tasks_.size(); });
}

}  // namespace semantic_index
