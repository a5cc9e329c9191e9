#ifndef SEMANTIC_INDEX_KERNEL_BASE_PARALLEL_BLOCKS_H_
#define SEMANTIC_INDEX_KERNEL_BASE_PARALLEL_BLOCKS_H_

#include <atomic>
#include <cstdint>
#include <functional>

#include "base/status.h"

namespace semantic_index {

/** Progress and cancellation of one job with several passes. */
struct ParallelWatch {
  /** Raise it to stop: run_blocks returns `cancelled` after the running blocks. */
  const std::atomic<bool>* cancel = nullptr;
  /** Called after blocks, never from two threads at once, with the blocks done so far in all passes. Must not throw. */
  std::function<void(int64_t done)> progress;
  int64_t done = 0;
};

/**
 * Calls `body(block)` once for each block in 0..blocks-1, on `threads` threads (this one is among them), in no
 * particular order. Each thread makes a body of its own with `make_body`, which may hold working memory. Returns the
 * first failure; running out of memory is one.
 */
Status run_blocks(int threads, int64_t blocks, ParallelWatch* watch,
                  const std::function<std::function<Status(int64_t block)>()>& make_body);

/** The number of threads to use when `threads` are asked for: 0 means all of the machine's. */
int thread_count(int threads);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_BASE_PARALLEL_BLOCKS_H_
