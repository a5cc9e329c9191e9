#ifndef SEMANTIC_INDEX_KERNEL_SEARCH_SEARCH_PART_H_
#define SEMANTIC_INDEX_KERNEL_SEARCH_SEARCH_PART_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "distance/query.h"
#include "exact/row_buffer.h"
#include "search/sorted_keys.h"
#include "segment/segment_search.h"
#include "terms/terms_file.h"
#include "terms/terms_part.h"

namespace semantic_index {

/**
 * A run of documents by ascending key with vectors, with terms, or with both: a segment, or the tail. Item i has the
 * i-th key. Immutable, and shared by snapshots: what it searches stays open as long as it lives.
 */
struct SearchPart {
  SortedKeys keys;
  /** Vectors: those of a segment's forest, or the first rows of a buffer. At most one of them is set. */
  Segment segment;
  RowBuffer::Snapshot rows;
  bool has_rows = false;
  /** Terms: of a file, or the first documents of a tail. At most one of them is set. */
  TermsFilePointer terms_file;
  std::shared_ptr<const TermsTail> terms_tail;

  int32_t items() const { return static_cast<int32_t>(keys.size()); }
  bool has_vectors() const { return segment.forest != nullptr || has_rows; }
  bool has_terms() const { return terms_file != nullptr || terms_tail != nullptr; }

  /** invalid_argument when keys, vectors and terms do not fit together, or vectors are not of this layout. */
  Status check(const NodeLayout& layout) const;

  /** The terms as a part of a terms snapshot, without its deleted documents. */
  TermsPart terms() const;

  /** The public distance to the vector of an item; NaN when it has none. */
  float distance(const NodeLayout& layout, const Query& query, int32_t item) const;

  /** Whether a mapped file was cut short, replaced or written to since it was mapped. */
  bool has_changed() const;
};

using SearchPartPointer = std::shared_ptr<const SearchPart>;

/** A search of the vectors of one part. */
struct PartVectorSearch {
  const float* queries = nullptr;
  int64_t count = 0;
  int32_t k = 0;
  /** Compare all allowed items. */
  bool exact = false;
  /** Effort of an approximate search; 0 for the default, which grows with `needed`, the neighbors that must be right.
   */
  int64_t search_k = 0;
  int32_t needed = 0;
  /** Share of the default effort of a graph, for queries in which distances decide only in part. */
  double effort = 1;
  /** Factors of the scores of items; nullptr for none. See search_part_vectors. */
  const ItemFactors* factors = nullptr;
  /** Items that may be found, and their number. */
  Allowed allowed;
  int64_t candidates = 0;
  int threads = 1;
  const std::atomic<bool>* cancel = nullptr;
};

/** The nearest items of each query, `k` columns each; -1 and NaN where there are fewer. */
struct PartNeighbors {
  int32_t k = 0;
  std::vector<int32_t> items;
  std::vector<float> distances;
  /** Whether all allowed items were compared. */
  bool exact = false;
};

/**
 * Searches graph or trees, or compares all allowed items where that takes less, or where the walk finds fewer than
 * min(k, candidates): always finds that many. With factors, a graph gives the `k` highest products of what it compared
 * among others, and elsewhere more than k of the nearest are found. Fails as search_batch.
 */
Status search_part_vectors(const SearchPart& part, const PartVectorSearch& search, SegmentScratch* scratch,
                           PartNeighbors* found);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_SEARCH_SEARCH_PART_H_
