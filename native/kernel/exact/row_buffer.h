#ifndef SEMANTIC_INDEX_KERNEL_EXACT_ROW_BUFFER_H_
#define SEMANTIC_INDEX_KERNEL_EXACT_ROW_BUFFER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "distance/metric.h"
#include "exact/scan.h"
#include "io/mapped_file.h"

namespace semantic_index {

/**
 * Growing rows of vectors in chunks that never move, to be searched exactly. One thread appends; a snapshot taken by it
 * may be read by any thread while rows are appended, and keeps the memory alive. The first chunks may be in a mapped
 * file.
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
    /** Whether the mapped file that rows are in was cut short, replaced or written to since it was mapped. */
    bool has_changed() const;

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
  /** Bytes of all chunks in memory, shared ones included. */
  int64_t bytes() const;

  /** Copies `count` rows of `dimensions` numbers to the end. All or nothing. */
  Status append(const float* rows, int64_t count);

  /** Rows of a chunk: `adopt` leaves as many where they are. */
  static int64_t chunk_rows(const NodeLayout& layout);

  /**
   * Appends a chunk of rows of a mapped file as `row` of a snapshot gives them, one after the other. They are not
   * copied: the buffer keeps the file mapped. Fewer rows than a chunk are copied, for others may follow. Without a file
   * the bytes have to outlive the buffer. invalid_argument unless all chunks so far are full.
   */
  Status adopt(std::shared_ptr<const MappedFile> file, const uint8_t* rows, int64_t count);

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
