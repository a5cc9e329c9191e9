#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_SEARCH_ENTRIES_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_SEARCH_ENTRIES_H_

#include <cstdint>
#include <vector>

#include "annoy/forest_view.h"
#include "graph/graph_view.h"
#include "graph/position_items.h"
#include "graph/search/beam.h"

namespace semantic_index {

/**
 * Finds the entry positions of a walk: the landmarks with the sketches nearest to the query's, and the nearest items by
 * sketch in the leaves that the first tree assigns to the query. An item equal to the query lies in such a leaf and has
 * the same sketch, so it is always an entry, even if it is an outlier.
 */
class SearchEntries {
 public:
  struct Memory {
    /** The Hamming distance of each landmark's sketch to the query's, padded to a whole block. */
    std::vector<uint8_t> differences;
    /** The minimum of each block. */
    std::vector<uint8_t> minima;
    /** The nearest landmarks, of all and of those allowed, by Hamming distance. */
    Beam landmarks;
    Beam allowed;
    /** Nodes below degenerate planes, still to be searched. */
    std::vector<int32_t> sides;
    /** The same for the entries of a leaf. */
    std::vector<uint8_t> leaf_differences;
    Beam leaf;
    /** The result; may contain duplicates. */
    std::vector<uint32_t> positions;
  };

  SearchEntries(const GraphView& view, const ForestView& forest, const Allowed& allowed, Memory* memory);

  /** Fills `Memory::positions` for a query with a sketch. corrupt. */
  Status find(const float* query, const uint64_t* sketch);

 private:
  void find_landmarks(const uint64_t* sketch);
  Status find_in_leaves(const float* query, const uint64_t* sketch);
  Status search_leaf(int32_t node, const uint64_t* sketch);
  uint32_t position_of(size_t landmark) const {
    return static_cast<uint32_t>(landmark * static_cast<size_t>(header_.landmark_stride));
  }

  const GraphView& view_;
  const GraphHeader& header_;
  const ForestView& forest_;
  const Allowed& allowed_;
  const PositionItems items_;
  Memory& memory_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_SEARCH_ENTRIES_H_
