#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_GRAPH_BUILD_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_GRAPH_BUILD_H_

#include <atomic>
#include <cstdint>

#include "annoy/forest_view.h"
#include "base/memory_block.h"
#include "base/status.h"

namespace semantic_index {

struct GraphBuildOptions {
  /** Threads to use; 0 = as many as the machine has. The bytes do not depend on it. */
  int threads = 0;
  /** Raise it to stop; the build returns `cancelled` soon. */
  const std::atomic<bool>* cancel = nullptr;
  /** Called now and then from worker threads, never from two at once. Must not throw. */
  void (*progress)(void* context, int64_t done, int64_t total) = nullptr;
  void* progress_context = nullptr;
};

/**
 * Builds the graph index of a forest: the bytes of the whole file, see native/FORMAT.md. A pure function of the bytes
 * of the forest: the same for any number of threads and any instruction set. Needs about 330 bytes per item besides
 * `file`. invalid_argument for manhattan, hamming and more than kMaxGraphDimensions; corrupt when the trees contradict
 * themselves; out_of_memory; cancelled.
 */
Status build_graph_index(const ForestView& forest, const GraphBuildOptions& options, MemoryBlock* file);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_GRAPH_BUILD_H_
