#ifndef SEMANTIC_INDEX_KERNEL_BASE_CANCEL_H_
#define SEMANTIC_INDEX_KERNEL_BASE_CANCEL_H_

#include <atomic>

namespace semantic_index {

/** Whether a caller that can cancel has done so; null means that it cannot. */
inline bool is_raised(const std::atomic<bool>* cancel) {
  return cancel != nullptr && cancel->load(std::memory_order_relaxed);
}

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_BASE_CANCEL_H_
