#ifndef SEMANTIC_INDEX_KERNEL_ANNOY_FOREST_BUILD_H_
#define SEMANTIC_INDEX_KERNEL_ANNOY_FOREST_BUILD_H_

#include <atomic>
#include <cstdint>

#include "annoy/node_storage.h"
#include "base/status.h"

namespace semantic_index {

/** Annoy's default seed, so that "no seed" means the same in both. */
constexpr uint64_t kDefaultSeed = 1234567890987654321u;

struct BuildOptions {
  /** Trees to build, or -1: as Annoy chooses, the fewest trees with which nodes >= 2 * items. */
  int32_t trees = -1;
  /** Tree t is grown with the random numbers of seed + t. */
  uint64_t seed = kDefaultSeed;
  /** Threads to use; 0 = as many as the machine has. The bytes do not depend on it. */
  int threads = 0;
  /**
   * A build in memory makes a copy of the items in a quarter of their size, which makes it about three times as
   * fast and changes no byte of the result. Set this to go without, as builds on disk do.
   */
  bool without_copy = false;
  /** Raise it to stop; the build returns `cancelled` within milliseconds and leaves the items as they were. */
  const std::atomic<bool>* cancel = nullptr;
  /**
   * Called now and then from worker threads, never from two at once. `done` counts items that reached a leaf, over all
   * trees; `total` is items * trees, or 0 while the number of trees is not known yet. Must not throw.
   */
  void (*progress)(void* context, int64_t done, int64_t total) = nullptr;
  void* progress_context = nullptr;
};

struct BuildResult {
  int32_t trees = 0;
  /** Nodes in all: items, trees, and a copy of each root. */
  int32_t nodes = 0;
};

/**
 * Grows a forest over the items of `storage` and appends it: the trees in order, then a copy of every root, as Spotify
 * Annoy lays them out. A pure function of (items, metric, trees, seed): the bytes are the same for any number of
 * threads and any instruction set. Holes are left out of the trees. Splits are Annoy's: two-means over 200 samples,
 * three attempts while one side has 95 % or more, then random sides. For dot, the extra coordinate that makes inner
 * product angular (Bachrach et al. 2014) is written into the items. invalid_argument when it is built already, for 0
 * trees or below -1; out_of_memory; cancelled.
 */
Status build_forest(NodeStorage* storage, const BuildOptions& options, BuildResult* result);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_ANNOY_FOREST_BUILD_H_
