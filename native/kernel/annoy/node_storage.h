#ifndef SEMANTIC_INDEX_KERNEL_ANNOY_NODE_STORAGE_H_
#define SEMANTIC_INDEX_KERNEL_ANNOY_NODE_STORAGE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/memory_block.h"
#include "base/status.h"
#include "distance/metric.h"

namespace semantic_index {

class MappedFile;

/**
 * A growing array of nodes in file layout: first the items, after a build also the trees. It lies on the heap, or in
 * a file that is mapped for writing (an on-disk build). One thread at a time may change it; `data` moves when it grows.
 */
class NodeStorage {
 public:
  /** An empty array on the heap. */
  static Status in_memory(const NodeLayout& layout, std::unique_ptr<NodeStorage>* storage);

  /**
   * An empty array in the file `path`, which is created or replaced. It becomes an Annoy file only after a build and
   * `finish`.
   */
  static Status on_disk(const NodeLayout& layout, const std::string& path, std::unique_ptr<NodeStorage>* storage);

  ~NodeStorage();
  NodeStorage(const NodeStorage&) = delete;
  NodeStorage& operator=(const NodeStorage&) = delete;

  const NodeLayout& layout() const { return layout_; }
  /** Items, holes included: one more than the highest item. */
  int32_t items() const { return items_; }
  /** Items and nodes of trees. */
  int32_t nodes() const { return nodes_; }
  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  uint8_t* node(int32_t index) { return data_ + static_cast<size_t>(index) * layout_.node_bytes; }
  int64_t bytes() const { return nodes_ * static_cast<int64_t>(layout_.node_bytes); }
  /** Bytes allocated, on the heap or in the file. */
  int64_t capacity_bytes() const { return capacity_ * static_cast<int64_t>(layout_.node_bytes); }
  bool is_on_disk() const { return file_ != nullptr; }
  /** True once a forest was built on it: items can no longer be set. */
  bool is_built() const { return built_; }

  /**
   * Writes the vector (`dimensions` floats; hamming packs them) as item `item`, growing with zero bytes, which are
   * holes, as needed. invalid_argument for a negative item, for one above 2^31 - 3, after a build.
   */
  Status set_item(int32_t item, const float* vector);

  /** Sets `count` items from `first` on, from rows that lie `row_stride` floats apart. */
  Status set_items(int32_t first, const float* rows, int64_t count, int64_t row_stride);

  /** Makes room for `nodes` nodes in all, so that setting them moves nothing. */
  Status reserve(int64_t nodes);

  /** Removes all trees; items can be set again. */
  Status unbuild();

  /** On disk: truncates the file to the used size and syncs it. In memory: does nothing. */
  Status finish();

  /**
   * For the build: takes a finished tree (whole nodes) to append. `data` does not move, so items may be read meanwhile;
   * a tree of an on-disk build is written to the file immediately. Call `commit_trees` or `discard_trees` after the
   * last.
   */
  Status append_tree(std::vector<uint8_t> tree);
  /** For the build: makes the appended trees part of the nodes and marks the storage as built. `data` may move. */
  Status commit_trees();
  /** For the build: forgets the appended trees. */
  void discard_trees();

 private:
  explicit NodeStorage(const NodeLayout& layout);
  Status grow(int64_t nodes);
  Status set_capacity(int64_t nodes);
  Status check_room(int64_t first, int64_t count) const;
  void write_item(uint8_t* node, const float* vector) const;

  NodeLayout layout_;
  /** The bytes of `file_` or of `memory_`. */
  uint8_t* data_ = nullptr;
  MemoryBlock memory_;
  int32_t items_ = 0;
  int32_t nodes_ = 0;
  int64_t capacity_ = 0;
  bool built_ = false;
  std::unique_ptr<MappedFile> file_;
  /** Trees that wait for the commit, and all their bytes. */
  std::vector<std::vector<uint8_t>> trees_;
  int64_t tree_bytes_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_ANNOY_NODE_STORAGE_H_
