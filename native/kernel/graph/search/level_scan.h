#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_LEVEL_SCAN_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_LEVEL_SCAN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bits.h"
#include "factors/factor_bounds.h"
#include "graph/search/level_order.h"

namespace semantic_index {

/** How the levels of a factor are scanned. */
enum class LevelScanUse { none, beside_walk, in_place_of_walk };

/**
 * Looks through the levels with the highest factors for items that a walk by distance hardly meets. An item needs a
 * score that follows from the factor of its level, and its sketch shows about how likely it has that: Hamming distances
 * of a level are computed one after the other in memory, some nanoseconds for an item.
 */
class LevelScan {
 public:
  /** Takes the levels of the first factor that has any. Scans where few items have high factors. May throw bad_alloc.
   */
  LevelScanUse prepare(const ItemFactors& factors);

  /** nullptr if no factor has levels of the graph's items. */
  const LevelOrder* order() const { return order_; }

  /** For each level, what no item of it has a larger factor than. */
  const float* bounds() const { return bounds_; }

  /** The score that an item of a chunk needs at least for a product. */
  double needed_score(const LevelChunk& chunk, double product) const {
    return boosted(product, 1.0 / bounds_[chunk.level]);
  }

  /** The chunks whose items need a score of at most `most` for a product, those with the highest factors first. */
  const std::vector<LevelChunk>& choose(double product, double most);

  /**
   * Calls take(position) for the items of a chunk that are likely enough within this squared distance of a query, which
   * has this sketch and this squared distance from the centroid.
   */
  template <typename Take>
  void find(const LevelChunk& chunk, const uint64_t* sketch, double query_square, double square, const Take& take) {
    compare(chunk, sketch);
    const uint32_t* const positions = order_->positions(chunk);
    const int32_t limit = limit_of(query_square, square);
    for (size_t place = 0; place < chunk.size; place += kAtOnce) {
      for (uint64_t near = near_of(place, limit); near != 0; near &= near - 1) {
        const size_t found = place + lowest_bit(near) / 8;
        if (found < chunk.size) take(positions[found]);
      }
    }
  }

 private:
  /** Differences that are looked at at once: the bytes of a word. */
  static constexpr size_t kAtOnce = 8;
  static_assert(kLevelChunk % kAtOnce == 0, "a chunk is divided into words");

  /** Finds the Hamming distances of a chunk. */
  void compare(const LevelChunk& chunk, const uint64_t* sketch);
  /** The bits in which a sketch may differ. */
  int32_t limit_of(double query_square, double square) const;
  /** For each of eight differences the highest bit of a byte, set if it is at most `limit`, or one more. */
  uint64_t near_of(size_t place, int32_t limit) const;

  FactorBounds factors_;
  const LevelOrder* order_ = nullptr;
  float bounds_[kFactorLevels];
  double deviations_ = 0;
  std::vector<LevelChunk> chosen_;
  uint8_t differences_[kLevelChunk] = {};
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_LEVEL_SCAN_H_
