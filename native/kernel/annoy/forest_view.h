#ifndef SEMANTIC_INDEX_KERNEL_ANNOY_FOREST_VIEW_H_
#define SEMANTIC_INDEX_KERNEL_ANNOY_FOREST_VIEW_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "distance/metric.h"
#include "distance/neighbors.h"
#include "factors/item_factors.h"

namespace semantic_index {

struct SearchOptions {
  /** Neighbors wanted, at least 1. */
  int32_t k = 10;
  /** Candidates to gather, counted as Annoy does, duplicates included; -1 = k * number of trees. */
  int64_t search_k = -1;
  /** The filter. Only allowed items are gathered: the walk goes on until search_k of them, or all, were found. */
  Allowed allowed;
  /**
   * Factors of the scores of items; nullptr for none. A search in a graph then returns at most k of the items that it
   * compared, by distance, among them the `best` with the highest products. Other searches return the k nearest.
   */
  const ItemFactors* factors = nullptr;
  int32_t best = 0;
};

/** The working memory of searches, reused from one to the next. One thread at a time. Holds no pointer to a view. */
class SearchScratch {
 public:
  SearchScratch();
  ~SearchScratch();
  SearchScratch(const SearchScratch&) = delete;
  SearchScratch& operator=(const SearchScratch&) = delete;

 private:
  friend class ForestView;
  struct Memory;
  std::unique_ptr<Memory> memory_;
};

/**
 * A read-only view of the bytes of an Annoy file, on the heap or mapped. It owns nothing: the bytes must outlive it.
 * Every number read from the bytes is checked before use: untrusted bytes give `corrupt`, or an answer, in bounded
 * time, never an access out of bounds. Any number of threads may use one view at once.
 */
class ForestView {
 public:
  /** An empty view: no items, no trees. */
  ForestView() = default;

  /**
   * Interprets `bytes` as nodes of `layout` and finds the roots as Spotify's library does: the run of nodes with equal
   * n_descendants at the end, less the last root when the copies follow it. wrong_layout when `size` is 0 or not a
   * multiple of the node size, or when the roots are implausible or their copies were cut off; invalid_argument when
   * `bytes` is not aligned to 8. `changed`, if given, is the flag of the mapping: it is checked after each search,
   * which fails with file_changed instead of answering from zero bytes.
   */
  static Status open(const uint8_t* bytes, int64_t size, const NodeLayout& layout, ForestView* view,
                     const std::atomic<bool>* changed = nullptr);

  /** A view of items without trees, as they are before a build: for `item_vector`, `distance` and scans. */
  static ForestView of_items(const uint8_t* bytes, int32_t items, const NodeLayout& layout) {
    ForestView view;
    view.bytes_ = bytes;
    view.layout_ = layout;
    view.items_ = items;
    view.nodes_ = items;
    return view;
  }

  const NodeLayout& layout() const { return layout_; }
  /** Items, holes included. */
  int32_t items() const { return items_; }
  int32_t nodes() const { return nodes_; }
  int32_t trees() const { return static_cast<int32_t>(roots_.size()); }
  /** Node numbers of the roots, those of the copies where there are copies. */
  const std::vector<int32_t>& roots() const { return roots_; }
  const uint8_t* node(int32_t index) const { return bytes_ + static_cast<size_t>(index) * layout_.node_bytes; }
  /** True when `item` is in range and not a hole. */
  bool has_item(int32_t item) const;

  /**
   * Searches like Annoy: gathers candidates in a best-first walk over all trees, in the same order of visits, and
   * returns the nearest. Writes at most k neighbors, nearest first, ties by item, and their number to `found`.
   * `distances` may be nullptr; they are public distances. `query` has `dimensions` finite numbers. invalid_argument
   * for k < 1 or search_k < -1 or 0.
   */
  Status search(const float* query, const SearchOptions& options, SearchScratch* scratch, int32_t* items,
                float* distances, int32_t* found) const;

  /** Copies an item's vector (`dimensions` floats, unpacked for hamming). invalid_argument when out of range or a hole.
   */
  Status item_vector(int32_t item, float* vector) const;

  /** The public distance of two items. invalid_argument when one is out of range or a hole. */
  Status distance(int32_t left, int32_t right, float* distance) const;

  /** file_changed when the mapped file was truncated since `open`, else ok. For callers that read nodes themselves. */
  Status check_unchanged() const;

 private:
  bool has_changed() const;
  /** Why `has_item` is false. */
  Status missing_item() const;
  static Status changed_status();

  const uint8_t* bytes_ = nullptr;
  NodeLayout layout_;
  int32_t items_ = 0;
  int32_t nodes_ = 0;
  std::vector<int32_t> roots_;
  const std::atomic<bool>* changed_ = nullptr;
};

/**
 * Which of the two layouts of the dot metric these bytes have: the one whose size and roots fit, `released` when both
 * do. wrong_layout when neither does.
 */
Status detect_dot_layout(const uint8_t* bytes, int64_t size, int32_t dimensions, DotLayout* dot_layout);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_ANNOY_FOREST_VIEW_H_
