#ifndef SEMANTIC_INDEX_BINDING_ACCELERATOR_H_
#define SEMANTIC_INDEX_BINDING_ACCELERATOR_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/memory_block.h"
#include "forest.h"
#include "graph/graph_view.h"
#include "io/mapped_file.h"

namespace semantic_index {

/** The accelerator of a forest with the memory that it lies in: derived here, or mapped from a file. */
struct Accelerator {
  std::unique_ptr<MappedFile> file;
  MemoryBlock memory;
  AcceleratorView view;
  /** Raised when a search has met bytes that make no sense; from then on the forest is searched without it. */
  mutable std::atomic<bool> is_damaged{false};
  /** Raised when the checksums of what exact answers need have been compared. */
  mutable std::atomic<bool> is_verified{false};
  /** Raised when the forest is known to be the one that it was derived from, or to be another one. */
  mutable std::atomic<bool> is_own{false};
  mutable std::atomic<bool> is_foreign{false};
  /** Held while the forest is compared, so that only one thread reads all of it. */
  mutable std::mutex comparing;

  const uint8_t* data() const { return file ? file->data() : memory.data(); }
  int64_t size() const { return file ? file->size() : static_cast<int64_t>(memory.size()); }
  int64_t heap_bytes() const { return static_cast<int64_t>(memory.size()); }
  int64_t mapped_bytes() const { return file ? file->size() : 0; }
};

using AcceleratorPointer = std::shared_ptr<const Accelerator>;

/**
 * Maps the accelerator at `path` for `forest`; as AcceleratorView::open, and io_error. `content` is the checksum of the
 * whole forest where the caller knows it; without it (empty) the forest is compared when the accelerator is first used.
 */
Status accelerator_of_file(const std::string& path, const Forest& forest, const std::string& content,
                           AcceleratorPointer* accelerator);

/**
 * Whether exact searches may pass over what `accelerator` rules out. At the first of them its checksums are compared:
 * wrong bytes would cost answers. cancelled.
 */
Status may_rule_out(const Forest& forest, const Accelerator* accelerator, const std::atomic<bool>* cancel, bool* may);

/** The working memory of one searching thread. */
struct SearchMemory {
  SearchScratch forest;
  AcceleratorScratch accelerator;
};

/** Searches with the accelerator where there is one that is whole and of this forest, else as Annoy does. */
Status search_forest(const Forest& forest, const Accelerator* accelerator, const float* query,
                     const SearchOptions& options, SearchMemory* memory, int32_t* items, float* distances,
                     int32_t* found);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_ACCELERATOR_H_
