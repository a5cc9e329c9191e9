#ifndef SEMANTIC_INDEX_KERNEL_EXACT_ROW_BUFFER_H_
#define SEMANTIC_INDEX_KERNEL_EXACT_ROW_BUFFER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/memory_block.h"
#include "base/status.h"
#include "distance/metric.h"
#include "exact/scan.h"

namespace semantic_index {

/**
 * Growing rows of vectors in chunks that never move, to be searched exactly. One thread appends; a snapshot taken by it
 * may be read by any thread while rows are appended, and keeps the memory alive.
 */
class RowBuffer {
 public:
  /** A fixed run of rows as it was when the snapshot was taken. Cheap to copy. */
  class Snapshot {
   public:
    int64_t rows() const { return rows_; }
    const NodeLayout& layout() const { return layout_; }
    /** The bytes of a row below `rows()`, and its squared norm, 0 where it is not kept. */
    const uint8_t* row(int64_t row, float* squared_norm) const;
    /** Runs `scan` over all rows, or the first `limit` when that is not negative, from `first` on; row i is item i. */
    Status scan(ExactScan* scan, const Allowed& allowed, int64_t limit = -1, const std::atomic<bool>* cancel = nullptr,
                int64_t first = 0) const;

   private:
    friend class RowBuffer;
    struct Chunk;
    using Directory = std::vector<std::shared_ptr<Chunk>>;
    NodeLayout layout_;
    std::shared_ptr<const Directory> directory_;
    /** Rows of the first chunk that do not belong to this buffer. */
    int64_t skipped_ = 0;
    int64_t rows_ = 0;
  };

  /** `layout` gives metric and dimensions. */
  explicit RowBuffer(const NodeLayout& layout);

  const NodeLayout& layout() const { return snapshot_.layout_; }
  int64_t rows() const { return snapshot_.rows_; }
  /** Bytes of all chunks, shared ones included. */
  int64_t bytes() const;

  /** Copies `count` rows of `dimensions` numbers to the end. All or nothing. */
  Status append(const float* rows, int64_t count);

  /** Bytes of a block that `adopt` takes: `rows` rows and room for those that complete the last chunk. */
  static size_t block_bytes(const NodeLayout& layout, int64_t rows);

  /**
   * Sets the rows of an empty buffer to the first `rows` of a block, as `row` of a snapshot gives them, one after the
   * other. Nothing is copied. invalid_argument when there are rows already or the block is too small.
   */
  Status adopt(std::shared_ptr<MemoryBlock> block, int64_t rows);

  /** Copies row `row` (`dimensions` floats). invalid_argument when out of range. */
  Status row(int64_t row, float* vector) const;

  const Snapshot& snapshot() const { return snapshot_; }

  /**
   * A buffer of the rows from `count` on, sharing their memory: its row 0 is row `count` here. Chunks that lie wholly
   * before are freed once this buffer is gone. Rows appended to either later are not seen by the other.
   */
  Status drop(int64_t count, std::unique_ptr<RowBuffer>* rest) const;

 private:
  Snapshot snapshot_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_EXACT_ROW_BUFFER_H_
