#ifndef SEMANTIC_INDEX_KERNEL_SEARCH_VECTOR_TASKS_H_
#define SEMANTIC_INDEX_KERNEL_SEARCH_VECTOR_TASKS_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "search/search_part.h"

namespace semantic_index {

/** The search of the vectors of one part, and what came of it. */
struct VectorTask {
  const SearchPart* part = nullptr;
  int32_t number = 0;
  PartVectorSearch search;
  PartNeighbors* found = nullptr;
  Status status;
  double milliseconds = 0;
};

/**
 * Searches of several parts, which any number of threads may share: each takes the next one until none is left. A
 * thread that comes late finds none, and touches nothing but this object.
 */
class VectorTasks {
 public:
  explicit VectorTasks(std::vector<VectorTask> tasks) : tasks_(std::move(tasks)) {}

  const std::vector<VectorTask>& tasks() const { return tasks_; }

  /** Runs tasks until none is left. */
  void work(SegmentScratch* scratch);

  /** Returns when all tasks have ended. To be called after `work`. */
  void wait();

 private:
  std::vector<VectorTask> tasks_;
  std::atomic<size_t> next_{0};
  std::mutex mutex_;
  std::condition_variable all_ended_;
  size_t ended_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_SEARCH_VECTOR_TASKS_H_
