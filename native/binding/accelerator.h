#ifndef SEMANTIC_INDEX_BINDING_ACCELERATOR_H_
#define SEMANTIC_INDEX_BINDING_ACCELERATOR_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "accelerator_view.h"
#include "forest.h"
#include "mapped_file.h"
#include "memory_block.h"

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

  const uint8_t* data() const { return file ? file->data() : memory.data(); }
  int64_t size() const { return file ? file->size() : static_cast<int64_t>(memory.size()); }
  int64_t heap_bytes() const { return static_cast<int64_t>(memory.size()); }
  int64_t mapped_bytes() const { return file ? file->size() : 0; }
};

using AcceleratorPointer = std::shared_ptr<const Accelerator>;

/** Maps the accelerator at `path` for `forest`; as AcceleratorView::open, and io_error. */
Status accelerator_of_file(const std::string& path, const Forest& forest, AcceleratorPointer* accelerator);

/**
 * Whether exact searches may pass over what `accelerator` rules out: its checksums are compared at the first of them,
 * for wrong bytes would cost answers. cancelled.
 */
Status may_rule_out(const Accelerator* accelerator, const std::atomic<bool>* cancel, bool* may);

/** The working memory of one searching thread. */
struct SearchMemory {
  SearchScratch forest;
  AcceleratorScratch accelerator;
};

/** Searches with the accelerator where there is one that is whole, else as Annoy does. */
Status search_forest(const Forest& forest, const Accelerator* accelerator, const float* query,
                     const SearchOptions& options, SearchMemory* memory, int32_t* items, float* distances,
                     int32_t* found);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_ACCELERATOR_H_
