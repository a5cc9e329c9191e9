#ifndef SEMANTIC_INDEX_KERNEL_COLUMNS_LAYERS_COLUMNS_IMAGE_H_
#define SEMANTIC_INDEX_KERNEL_COLUMNS_LAYERS_COLUMNS_IMAGE_H_

#include <memory>
#include <string>

#include "base/memory_block.h"
#include "base/status.h"
#include "columns/columns_view.h"
#include "io/mapped_file.h"

namespace semantic_index {

/** The bytes of a columns file, mapped or in memory, and their view. */
struct ColumnsImage {
  std::unique_ptr<MappedFile> file;
  MemoryBlock memory;
  ColumnsView view;

  size_t memory_bytes() const { return memory.size(); }
};

/** Immutable and shared: a search keeps the images that it started with. */
using ColumnsImagePointer = std::shared_ptr<const ColumnsImage>;

/** Maps the columns file at `path`. Fails as MappedFile::open and ColumnsView::open do. */
Status open_columns_file(const std::string& path, ColumnsImagePointer* image);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_COLUMNS_LAYERS_COLUMNS_IMAGE_H_
