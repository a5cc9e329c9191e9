#ifndef SEMANTIC_INDEX_KERNEL_EXACT_SCAN_H_
#define SEMANTIC_INDEX_KERNEL_EXACT_SCAN_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "annoy/forest_view.h"
#include "base/status.h"
#include "distance/metric.h"
#include "distance/neighbors.h"

namespace semantic_index {

/** Rows at a fixed distance in memory: a plain matrix, a chunk of a RowBuffer, or the items of an Annoy file. */
struct RowsView {
  /** The first row's vector. */
  const uint8_t* vectors = nullptr;
  /** Bytes from one row's vector to the next one's. */
  size_t stride = 0;
  int64_t count = 0;
  /** Squared norms (angular), `norm_stride` bytes apart; a 0 is computed. nullptr: all are computed. */
  const uint8_t* squared_norms = nullptr;
  size_t norm_stride = 0;
  /** n_descendants, `stride` bytes apart: rows where it is not 1 are holes. nullptr: no holes. */
  const uint8_t* descendants = nullptr;

  /** The rows begin..end-1 of these. */
  RowsView part(int64_t begin, int64_t end) const {
    const size_t skipped = static_cast<size_t>(begin);
    RowsView rows = *this;
    rows.count = end - begin;
    rows.vectors += skipped * stride;
    if (squared_norms != nullptr) rows.squared_norms += skipped * norm_stride;
    if (descendants != nullptr) rows.descendants += skipped * stride;
    return rows;
  }
};

/** The items of a forest as rows. */
RowsView item_rows(const ForestView& view);

/** `count` rows of floats (of 64-bit words for hamming) one after the other. */
RowsView matrix_rows(const NodeLayout& layout, const void* matrix, int64_t count);

/**
 * Exact nearest neighbors of one or more queries: every row is compared with every query, several queries per pass so
 * that a row is read from memory once for all of them. Use: `prepare`, `scan` once per piece of rows, `finish`.
 * Distances are those of ForestView::search, bit for bit. One thread at a time; several scans may run at once.
 */
class ExactScan {
 public:
  /**
   * `queries` holds `count` rows of `dimensions` finite numbers and is copied. `layout` gives metric and dimensions.
   * invalid_argument for k < 1.
   */
  Status prepare(const NodeLayout& layout, const float* queries, int64_t count, int32_t k);

  /**
   * Offers all rows; row i is item `first_item` + i, and `allowed` is asked about that number. Stops with `cancelled`
   * when the flag is raised.
   */
  Status scan(const RowsView& rows, int32_t first_item, const Allowed& allowed,
              const std::atomic<bool>* cancel = nullptr);

  int64_t queries() const { return count_; }
  int32_t k() const { return k_; }
  const float* query(int64_t query) const {
    return queries_.data() + static_cast<size_t>(query) * static_cast<size_t>(layout_.elements);
  }
  /** An internal distance above this cannot be among the nearest of a query. */
  float limit(int64_t query) const { return nearest_[static_cast<size_t>(query)].limit(); }
  /** Offers an item at an internal distance, for callers with their own scan. Offer each item once. */
  void offer(int64_t query, float distance, int32_t item) {
    nearest_[static_cast<size_t>(query)].offer(distance, item);
  }

  /**
   * Merges the results of `other`, a scan prepared with the same queries that scanned other rows. The result is that of
   * one scan over all rows.
   */
  void absorb(ExactScan* other);

  /**
   * Writes k neighbors per query, nearest first, ties by item; -1 and NaN where there are no more. `distances` may be
   * nullptr; they are public distances.
   */
  void finish(int32_t* items, float* distances);

 private:
  void offer_values(const int32_t* rows, const float* squared_norms, int64_t count, int32_t first_item, int64_t query,
                    const float* values);

  NodeLayout layout_;
  int32_t k_ = 0;
  int64_t count_ = 0;
  /** Queries as floats or packed bits, and their squared norms. */
  std::vector<float> queries_;
  std::vector<uint64_t> bits_;
  std::vector<float> squared_norms_;
  std::vector<NearestHeap> nearest_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_EXACT_SCAN_H_
