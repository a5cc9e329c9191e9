#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_ENTRIES_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_ENTRIES_H_

#include <cstdint>
#include <vector>

#include "annoy/forest_view.h"
#include "graph/beam.h"
#include "graph/graph_view.h"
#include "graph/position_items.h"

namespace semantic_index {

/**
 * Finds the positions at which a walk begins: the landmarks whose sketches differ least from that of the query, and
 * the items most like it in the leaves to which the first tree sends it. An item whose vector is the query lies in such
 * a leaf and has the same sketch, so it is always among them, however far it is from all others.
 */
class SearchEntries {
 public:
  struct Memory {
    /** In how many bits the sketch of each landmark differs from the query's, up to a whole block. */
    std::vector<uint8_t> differences;
    /** The least of them in each block. */
    std::vector<uint8_t> least;
    /** The landmarks that differ least, of all and of those allowed; a distance is the number of bits. */
    Beam landmarks;
    Beam allowed;
    /** Nodes below planes without direction, still to be searched. */
    std::vector<int32_t> sides;
    /** As for the landmarks, of a leaf. */
    std::vector<uint8_t> leaf_differences;
    Beam leaf;
    /** The result; a position may be there more than once. */
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

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_ENTRIES_H_
