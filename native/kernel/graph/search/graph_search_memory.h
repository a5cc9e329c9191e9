#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_GRAPH_SEARCH_MEMORY_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_GRAPH_SEARCH_MEMORY_H_

#include <cstdint>
#include <vector>

#include "annoy/forest_view.h"
#include "distance/neighbors.h"
#include "graph/graph_view.h"
#include "graph/quantized_query.h"
#include "graph/search/beam.h"
#include "graph/search/boosted_order.h"
#include "graph/search/level_scan.h"
#include "graph/search/search_entries.h"

namespace semantic_index {

/** What a search of a graph keeps for the next one. */
struct GraphSearchMemory {
  QuantizedQuery query;
  uint64_t sketch[kSketchWords];
  SearchEntries::Memory entries;
  /** One bit per position compared in this search; `compared` lists them for clearing. */
  std::vector<uint64_t> seen;
  std::vector<uint32_t> compared;
  Beam beam;
  /** For searches with factors. */
  BoostedBeam boosted;
  LevelScan levels;
  /** All compared candidates that pass the filter; with factors, `boosted` has the best of them. */
  std::vector<Candidate> met;
  /** The best positions of a walk. */
  std::vector<uint32_t> candidates;
  /** For each of them, the dot product with its high nibbles. */
  std::vector<int32_t> high_sums;
  std::vector<Candidate> refined;
  NearestHeap nearest;
  /** For searches that also walk the trees. */
  SearchScratch forest;
  std::vector<int32_t> tree_items;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_SEARCH_GRAPH_SEARCH_MEMORY_H_
