#ifndef SEMANTIC_INDEX_BINDING_BASE_THREAD_POOL_H_
#define SEMANTIC_INDEX_BINDING_BASE_THREAD_POOL_H_

#include <functional>

namespace semantic_index {

/**
 * Runs `job` on one of the process's own threads, in the order of the calls. The threads are shared by all environments
 * and separate from libuv's, whose jobs Node waits for before it tears an environment down. False when the system
 * refuses a thread. `job` must not throw.
 */
bool run_in_thread_pool(std::function<void()> job);

/** The same when a thread is idle or can be added; otherwise returns false, and `job` never runs. */
bool run_in_idle_thread(std::function<void()> job);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_BASE_THREAD_POOL_H_
