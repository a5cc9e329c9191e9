#ifndef SEMANTIC_INDEX_KERNEL_COLUMNS_LAYERS_LAYERED_COLUMNS_H_
#define SEMANTIC_INDEX_KERNEL_COLUMNS_LAYERS_LAYERED_COLUMNS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/status.h"
#include "columns/build/packed_metadata.h"
#include "columns/layers/columns_snapshot.h"

namespace semantic_index {

/**
 * The metadata of the documents of one part, which grows and changes: a file or nothing, documents that were appended,
 * and metadata that was replaced. Each change makes an image in memory, in the format of the file; `compact` merges
 * images of similar sizes, so that there are few. One thread changes it; any number take snapshots.
 */
class LayeredColumns {
 public:
  /** Without a file: no documents. */
  explicit LayeredColumns(ColumnsImagePointer file = nullptr);
  LayeredColumns(const LayeredColumns&) = delete;
  LayeredColumns& operator=(const LayeredColumns&) = delete;

  std::shared_ptr<const ColumnsSnapshot> snapshot() const;

  /**
   * Appends the documents at these positions of a batch, ascending: they get the items from `items` on.
   * invalid_argument for positions that there are not, out_of_memory.
   */
  Status append(const PackedMetadata& batch, const uint32_t* selected, size_t count);

  /**
   * Replaces the metadata of items by that of the documents at the same places of the batch, kNoItem for documents that
   * are not of this part. invalid_argument for an item that there is not or that comes twice, out_of_memory.
   */
  Status replace(const PackedMetadata& batch, const uint32_t* items, size_t count);

  /** Whether `compact` has something to merge. */
  bool is_due() const;

  /**
   * Merges images until there are few. For any thread, one at a time; snapshots can be taken and changes made
   * meanwhile. cancelled, out_of_memory, corrupt.
   */
  Status compact(const std::atomic<bool>* cancel = nullptr);

 private:
  Status merge_layers(const ColumnsSnapshot& snapshot, size_t begin, const std::atomic<bool>* cancel);
  Status merge_patches(const ColumnsSnapshot& snapshot, size_t begin, const std::atomic<bool>* cancel);

  mutable std::mutex mutex_;
  std::shared_ptr<const ColumnsSnapshot> snapshot_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_COLUMNS_LAYERS_LAYERED_COLUMNS_H_
