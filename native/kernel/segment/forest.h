#ifndef SEMANTIC_INDEX_KERNEL_SEGMENT_FOREST_H_
#define SEMANTIC_INDEX_KERNEL_SEGMENT_FOREST_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "annoy/forest_view.h"
#include "annoy/node_storage.h"
#include "base/status.h"
#include "io/mapped_file.h"

namespace semantic_index {

/** A finished forest and the memory that holds it: built in this process, mapped from a file, or copied from bytes. */
struct Forest {
  std::shared_ptr<NodeStorage> storage;
  std::unique_ptr<MappedFile> file;
  std::unique_ptr<uint64_t[]> bytes;
  int64_t size = 0;
  ForestView view;

  const uint8_t* data() const { return view.node(0); }
  /** Bytes on the heap of this process. */
  int64_t heap_bytes() const;
  /** Bytes of the mapped file, which other processes may share. */
  int64_t mapped_bytes() const { return file ? file->size() : 0; }
};

/** Immutable and shared: a search keeps the forest that it started with. */
using ForestPointer = std::shared_ptr<const Forest>;

/** Makes a forest of a storage that was built on. */
Status forest_from_storage(std::shared_ptr<NodeStorage> storage, ForestPointer* forest);

/** Maps the Annoy file at `path`. For dot, detects which of Annoy's two layouts it has. */
Status forest_from_file(const std::string& path, Metric metric, int32_t dimensions, ForestPointer* forest);

/** Makes a forest of the bytes of an Annoy file, and owns them from then on. */
Status forest_from_bytes(std::unique_ptr<uint64_t[]> bytes, int64_t size, Metric metric, int32_t dimensions,
                         ForestPointer* forest);

/**
 * Copies the items of a forest, without its trees, into a new storage; holes stay holes. cancelled, file_changed,
 * out_of_memory.
 */
Status copy_items(const Forest& forest, const std::atomic<bool>* cancel, std::shared_ptr<NodeStorage>* storage);

/** Copies all bytes to `target`, which has room for `forest.size`. cancelled, file_changed. */
Status copy_bytes(const Forest& forest, const std::atomic<bool>* cancel, uint8_t* target);

/** Writes all bytes to `path`, which is replaced at once or not at all. cancelled, io_error, file_changed. */
Status save_forest(const Forest& forest, const std::string& path, const std::atomic<bool>* cancel);

/**
 * Compares the bytes of two forests. Reads them only when the sizes are equal, up to the first difference. cancelled,
 * file_changed.
 */
Status compare_forests(const Forest& left, const Forest& right, const std::atomic<bool>* cancel, bool* equal);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_SEGMENT_FOREST_H_
