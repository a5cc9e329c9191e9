#ifndef SEMANTIC_INDEX_KERNEL_SEGMENT_GRAPH_INDEX_H_
#define SEMANTIC_INDEX_KERNEL_SEGMENT_GRAPH_INDEX_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/memory_block.h"
#include "base/status.h"
#include "graph/build/graph_build.h"
#include "graph/graph_view.h"
#include "io/mapped_file.h"
#include "segment/forest.h"

namespace semantic_index {

/** What is known about a graph index. Set by searches on any thread, so that later ones need not find out again. */
struct GraphIndexState {
  /** A search met invalid bytes: the forest is searched without the graph from then on. */
  std::atomic<bool> is_damaged{false};
  /** The checksums that exact answers rely on were compared and agree. */
  std::atomic<bool> is_verified{false};
  /** The graph is known to be derived from this forest, or from another one. Neither is set before the comparison. */
  std::atomic<bool> is_own{false};
  std::atomic<bool> is_foreign{false};
  /** Held during the comparison, so that only one thread reads the whole forest. */
  std::mutex comparing;
  /** The position of each item, found by the first search that needs it. Not changed after `has_positions` is set. */
  std::vector<uint32_t> positions;
  std::atomic<bool> has_positions{false};
  std::mutex finding_positions;
};

/** The graph index of a forest and the memory that holds it: built in this process, or mapped from a file. */
struct GraphIndex {
  std::unique_ptr<MappedFile> file;
  MemoryBlock memory;
  GraphView view;
  mutable GraphIndexState state;

  const uint8_t* data() const { return file ? file->data() : memory.data(); }
  int64_t size() const { return file ? file->size() : static_cast<int64_t>(memory.size()); }
  int64_t heap_bytes() const { return static_cast<int64_t>(memory.size()); }
  int64_t mapped_bytes() const { return file ? file->size() : 0; }
};

using GraphPointer = std::shared_ptr<const GraphIndex>;

/** Builds the graph index of `forest` in memory. Fails as `build_graph_index` does. */
Status graph_from_forest(const Forest& forest, const GraphBuildOptions& options, GraphPointer* graph);

/**
 * Maps the graph index at `path` for `forest`. `content` is `ForestDigest::content` if the caller knows it; when empty,
 * the forest is compared at the first use of the graph. Fails as `GraphView::open` does; io_error.
 */
Status graph_from_file(const std::string& path, const Forest& forest, const std::string& content, GraphPointer* graph);

/** Writes the graph index to `path`, which is replaced at once or not at all. cancelled, io_error, file_changed. */
Status save_graph(const GraphIndex& graph, const std::string& path, const std::atomic<bool>* cancel);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_SEGMENT_GRAPH_INDEX_H_
