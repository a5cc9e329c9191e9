#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_GRAPH_VIEW_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_GRAPH_VIEW_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "annoy/forest_view.h"
#include "graph/binary_sketch.h"
#include "graph/graph_format.h"
#include "graph/rotation.h"

namespace semantic_index {

/** The working memory of accelerated searches, reused from one to the next. One thread at a time. */
class GraphScratch {
 public:
  GraphScratch();
  ~GraphScratch();
  GraphScratch(const GraphScratch&) = delete;
  GraphScratch& operator=(const GraphScratch&) = delete;

 private:
  friend class GraphView;
  friend class GraphSearch;
  struct Memory;
  std::unique_ptr<Memory> memory_;
};

/** Search statistics, for benchmarks: rows compared by upper halves, by whole integers, and by floats. */
struct GraphSearchStats {
  int64_t compared = 0;
  int64_t refined = 0;
  int64_t reranked = 0;
  bool scanned = false;
};

/**
 * A read-only view of the bytes of an accelerator. It owns nothing: the bytes must outlive it. The bytes may be
 * anything: what is followed is checked first, so hostile bytes give `corrupt` or a poor answer in bounded time, never
 * an access out of bounds. Any number of threads may use one view at once.
 */
class GraphView {
 public:
  GraphView() = default;

  /**
   * Checks the header, the bounds of its sections, and whether it can have been derived from `forest`: same metric,
   * dimensions, counts, size, and the same bytes at both ends. Another forest can still agree in all of that:
   * `verify_forest` compares the rest. wrong_layout for another kind of file or another version, corrupt for a damaged
   * header, invalid_argument when it belongs to another forest.
   */
  static Status open(const uint8_t* bytes, int64_t size, const ForestView& forest, GraphView* view,
                     const std::atomic<bool>* changed = nullptr);

  const GraphHeader& header() const { return header_; }

  /**
   * The nearest neighbours, as ForestView::search returns them, with the same distances; `forest` is the one that it
   * was opened with. `search_k` is about how many items are compared, kDefaultSearchK for -1, and never so few that k
   * could not be found. Always finds min(k, items allowed): where few are allowed, or the graph does not lead to
   * enough, all of them are compared with the floats. An item whose vector is the query is found. Where the header says
   * `needs_trees`, it finds no less than ForestView::search with the same options.
   */
  Status search(const ForestView& forest, const float* query, const SearchOptions& options, GraphScratch* scratch,
                int32_t* items, float* distances, int32_t* found, GraphSearchStats* work = nullptr) const;

  /** Positions that lie next to a distinct one in the graph. Writes at most kMaxNeighbors items. */
  Status neighbors(int32_t position, int32_t* items, int32_t* count) const;

  /**
   * Compares every checksum, that of the forest too. ok when all agree; corrupt with the part that does not,
   * invalid_argument when the forest has other bytes; cancelled.
   */
  Status verify(const ForestView& forest, const std::atomic<bool>* cancel) const;

  /**
   * Compares the checksum of the whole forest. invalid_argument when the accelerator was derived from another one,
   * cancelled.
   */
  Status verify_forest(const ForestView& forest, const std::atomic<bool>* cancel) const;

  /** Compares the checksums of what scan_pruned relies on. corrupt with the part that differs, cancelled,
   * file_changed. */
  Status verify_rows(const std::atomic<bool>* cancel) const;

  /** file_changed when the file under the bytes was cut short since `open`, else ok. */
  Status check_unchanged() const;

  const Rotation& rotation() const { return *rotation_; }

  template <typename T>
  const T* section(GraphSection name) const {
    return reinterpret_cast<const T*>(bytes_ + header_.sections[static_cast<size_t>(name)].offset);
  }

 private:
  friend class GraphSearch;

  Status verify_section(GraphSection section, const std::atomic<bool>* cancel) const;

  const uint8_t* bytes_ = nullptr;
  GraphHeader header_ = {};
  const std::atomic<bool>* changed_ = nullptr;
  std::shared_ptr<const BinarySketch> sketch_;
  std::shared_ptr<const Rotation> rotation_;
};

/** What -1 stands for: recall@10 was 0.968 among 200,000 paragraphs and sentences, with 10 trees. */
constexpr int64_t kDefaultSearchK = 640;

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_GRAPH_VIEW_H_
