#ifndef SEMANTIC_INDEX_KERNEL_SEGMENT_SEGMENT_SEARCH_H_
#define SEMANTIC_INDEX_KERNEL_SEGMENT_SEGMENT_SEARCH_H_

#include <atomic>
#include <cstdint>

#include "annoy/forest_view.h"
#include "base/status.h"
#include "exact/row_buffer.h"
#include "graph/graph_view.h"
#include "segment/forest.h"
#include "segment/graph_index.h"

namespace semantic_index {

/** The working memory of one searching thread. */
struct SegmentScratch {
  SearchScratch forest;
  GraphScratch graph;
};

/**
 * A forest and, where there is one, its graph index. Searches use the graph when it is undamaged and derived from this
 * forest, and fall back to the trees or to a full scan otherwise: a damaged graph costs speed, never answers. Copies
 * share both; any number of threads may search one segment at once.
 */
struct Segment {
  ForestPointer forest;
  /** nullptr: there is none. */
  GraphPointer graph;

  int64_t heap_bytes() const;
  int64_t mapped_bytes() const;

  /**
   * Searches the graph, or the trees as Annoy does. The first search with a graph of unknown origin compares the whole
   * forest. Results and failures are those of `ForestView::search`.
   */
  Status search(const float* query, const SearchOptions& options, SegmentScratch* scratch, int32_t* items,
                float* distances, int32_t* found) const;
};

/** A search for many queries. */
struct BatchSearch {
  /** `count` rows of `dimensions` finite numbers. */
  const float* queries = nullptr;
  int64_t count = 0;
  SearchOptions options;
  /** How many items `options.allowed` has at most; -1 for all. Only the time depends on it. */
  int64_t candidates = -1;
  /** Compare with every item. */
  bool exact = false;
  int threads = 1;
  const std::atomic<bool>* cancel = nullptr;
  /** Counts the queries answered so far; from any thread. May be nullptr. */
  std::atomic<int64_t>* done = nullptr;
  /** `options.k` of each per query; -1 and NaN where fewer were found. */
  int32_t* items = nullptr;
  float* distances = nullptr;
};

/**
 * Answers all queries on several threads. An exact search skips the items that the graph rules out, after the checksums
 * of the graph were compared once; without a valid graph it scans every item. The answer depends neither on that
 * nor on the number of threads. cancelled, corrupt, file_changed, out_of_memory.
 */
Status search_batch(const Segment& segment, const BatchSearch& batch);

/**
 * Answers all queries exactly from rows in memory: the first `limit` rows, or all when `limit` is negative. Row i is
 * item i. `batch.exact` and `search_k` are ignored. cancelled, out_of_memory.
 */
Status search_rows(const RowBuffer::Snapshot& rows, const NodeLayout& layout, int64_t limit, const BatchSearch& batch);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_SEGMENT_SEGMENT_SEARCH_H_
