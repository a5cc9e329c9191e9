#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_NEIGHBOR_GRAPH_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_NEIGHBOR_GRAPH_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/parallel_blocks.h"
#include "base/status.h"

namespace semantic_index {

/** Vectors of 8-bit integers, one after the other. */
struct GraphRows {
  const int8_t* rows = nullptr;
  size_t row_bytes = 0;
  int32_t count = 0;
  /** Squared lengths of the integer vectors. */
  const int64_t* squares = nullptr;
  /** One more coordinate of each vector, in the same unit; nullptr: none. */
  const float* extras = nullptr;

  const int8_t* row(int32_t position) const { return rows + static_cast<size_t>(position) * row_bytes; }
};

/** A partition of the positions into groups of near ones: the leaf groups of one tree. */
struct GraphGroups {
  /** Positions, group by group; each at most once. */
  const int32_t* positions = nullptr;
  /** First and end of each group. */
  std::vector<std::pair<int64_t, int64_t>> groups;
};

/**
 * Builds a neighbor graph in which a greedy walk approaches any query. First compares all pairs within the groups and
 * keeps the nearest of each row. Then compares the neighbors of neighbors in two rounds of NN-descent (Dong, Charikar,
 * Li 2011). Then prunes each neighbor that is nearer to a kept neighbor than to the row (Malkov, Yashunin 2016; Fu et
 * al. 2019). Then adds reverse edges; when there are too many, the ones that pruning would drop go first. A pure
 * function of rows and partitions: each step takes the exact best by (distance, position), so the result does not
 * depend on threads. cancelled, out_of_memory.
 */
class NeighborGraph {
 public:
  NeighborGraph(const GraphRows& rows, const std::vector<GraphGroups>& partitions, int threads)
      : rows_(rows), partitions_(partitions), threads_(threads) {}

  /** The number of blocks of work, for progress. */
  int64_t blocks() const;
  /** Fills `neighbors` with kMaxNeighbors positions per row; kNoNeighbor ends shorter lists. */
  Status build(ParallelWatch* watch, std::vector<uint32_t>* neighbors);

 private:
  /** A position and the squared distance to it. */
  struct Edge {
    float distance;
    int32_t position;
  };

  static bool is_nearer(const Edge& left, const Edge& right) {
    return left.distance < right.distance || (left.distance == right.distance && left.position < right.position);
  }
  static bool offer(Edge* list, int32_t capacity, const Edge& edge);
  float distance(int32_t left, int32_t right, int32_t product) const;
  void distances_to(int32_t from, const int32_t* positions, int32_t count, float* distances) const;

  Status compare_groups(ParallelWatch* watch);
  Status descend(ParallelWatch* watch, Edge* next);
  bool is_hidden(const Edge& edge, const int32_t* kept, int32_t count) const;
  void prune(int32_t position, const std::vector<Edge>& sorted, Edge* kept) const;
  void write_neighbors(int32_t position, Edge* first, Edge* last, uint32_t* room) const;
  Status join(ParallelWatch* watch, std::vector<uint32_t>* neighbors);
  static void adopt_orphans(std::vector<uint32_t>* neighbors);

  const GraphRows rows_;
  const std::vector<GraphGroups>& partitions_;
  const int threads_;
  std::vector<Edge> near_;
  std::vector<Edge> kept_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_BUILD_NEIGHBOR_GRAPH_H_
