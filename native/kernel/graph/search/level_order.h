#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_LEVEL_ORDER_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_LEVEL_ORDER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "factors/factor_bounds.h"
#include "graph/graph_view.h"

namespace semantic_index {

/** Items of one level whose sketches are compared at once. */
struct LevelChunk {
  size_t level;
  /** Where it begins in the order. */
  size_t first;
  size_t size;
};

/** Items of a chunk, at most. */
constexpr size_t kLevelChunk = 512;

/**
 * The items of a graph in the order of the levels of their values, with their sketches: searches with factors look
 * through the levels with the highest factors, which a walk by distance hardly meets. Immutable; holds no pointer to
 * the graph.
 */
class LevelOrder {
 public:
  /**
   * `levels` are those of the graph's items. Reads each item once, about 10 ns, and takes 29 bytes for it. corrupt,
   * cancelled, file_changed, out_of_memory.
   */
  static Status build(const GraphView& view, const ItemLevels& levels, const std::atomic<bool>* cancel,
                      std::shared_ptr<const LevelOrder>* order);

  /** In the order of levels. */
  const std::vector<LevelChunk>& chunks() const { return chunks_; }
  /** The distinct positions of a chunk's items. */
  const uint32_t* positions(const LevelChunk& chunk) const { return positions_.data() + chunk.first; }
  /** Their sketches, word by word. */
  const uint64_t* sketches(const LevelChunk& chunk) const { return sketches_.data() + kSketchWords * chunk.first; }
  /** The number of items. */
  size_t size() const { return positions_.size(); }

  /** For each distinct position, the level of its own item, not of copies. */
  const uint8_t* levels() const { return levels_.data(); }
  /** The average squared distance from the centroid; not for the dot metric. */
  float mean_square() const { return mean_square_; }

 private:
  std::vector<LevelChunk> chunks_;
  std::vector<uint32_t> positions_;
  std::vector<uint64_t> sketches_;
  std::vector<uint8_t> levels_;
  float mean_square_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_LEVEL_ORDER_H_
