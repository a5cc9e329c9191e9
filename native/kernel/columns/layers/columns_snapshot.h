#ifndef SEMANTIC_INDEX_KERNEL_COLUMNS_LAYERS_COLUMNS_SNAPSHOT_H_
#define SEMANTIC_INDEX_KERNEL_COLUMNS_LAYERS_COLUMNS_SNAPSHOT_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "columns/build/columns_merge.h"
#include "columns/filter_evaluation.h"
#include "columns/layers/columns_image.h"

namespace semantic_index {

/** An image whose item i is the item `first` + i of the part. */
struct ColumnsLayer {
  ColumnsImagePointer image;
  uint32_t first = 0;

  uint32_t items() const { return static_cast<uint32_t>(image->view.items()); }
};

/** Metadata that replaces that of some items: item i of the image replaces the item `items[i]`, ascending. */
struct ColumnsPatch {
  ColumnsImagePointer image;
  std::shared_ptr<const std::vector<uint32_t>> items;
};

/**
 * The metadata of the documents of one part at one time: layers that follow each other, and patches, each of which
 * overrides the layers and the patches before it. Immutable; any number of threads may use it at once.
 */
struct ColumnsSnapshot {
  std::vector<ColumnsLayer> layers;
  std::vector<ColumnsPatch> patches;
  uint32_t items = 0;

  /** Bytes of memory, without mapped files. */
  size_t memory() const;

  /**
   * Evaluates a filter on all items. `evaluation` is working memory. Fails as FilterEvaluation::run.
   */
  Status filter(const FilterProgram& program, FilterEvaluation* evaluation, FilteredItems* result,
                const std::atomic<bool>* cancel = nullptr) const;
};

/** A part that is merged, and which of its documents are deleted. Owns nothing. */
struct ColumnsPart {
  const ColumnsSnapshot* snapshot = nullptr;
  ItemBits dead;
};

/**
 * Writes the documents of the parts, without the deleted ones, into the bytes of one columns file: the items of the
 * first part come first, each part in its order. Fails as merge_columns.
 */
Status merge_parts(const std::vector<ColumnsPart>& parts, const ColumnsMergeOptions& options, MemoryBlock* file);

/** The sources of a merge, and the numbers of their items, which the sources point to. */
struct NumberedSources {
  std::vector<ColumnsSource> sources;
  std::vector<std::unique_ptr<std::vector<uint32_t>>> numbers;
  int64_t items = 0;

  void add(const ColumnsView& view, std::unique_ptr<std::vector<uint32_t>> items_of_view);
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_COLUMNS_LAYERS_COLUMNS_SNAPSHOT_H_
