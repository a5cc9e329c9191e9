#ifndef SEMANTIC_INDEX_KERNEL_ANNOY_VALIDATE_H_
#define SEMANTIC_INDEX_KERNEL_ANNOY_VALIDATE_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "annoy/forest_view.h"
#include "base/status.h"

namespace semantic_index {

/** One kind of damage. */
enum class Defect {
  /** n_descendants of an item is neither 1 nor 0 (a hole). */
  item_header,
  /** A coordinate, norm, plane constant or dot factor is NaN or infinite. */
  not_finite,
  /** The squared norm stored in an item of the angular metric is not that of its vector. */
  wrong_norm,
  /** A split of the hamming metric tests a bit beyond the vector. */
  bit_out_of_bounds,
  /** A child is not a node of the file, or a leaf lists an item that does not exist. */
  child_out_of_bounds,
  /** A node is reached twice: a cycle, or two parents. */
  node_reached_twice,
  /** n_descendants is negative, or not the number of items below. */
  descendants_mismatch,
  /** An item occurs twice in one tree. */
  item_repeated,
  /** An item is in no leaf of a tree. */
  item_missing,
  /** A hole is listed in a tree. */
  hole_listed,
  /** A node belongs to no tree: the root of its tree was cut off. */
  node_unreachable,
};

/** The name of a defect, such as "child_out_of_bounds". */
const char* defect_name(Defect defect);

struct Finding {
  Defect defect;
  /** Where: the tree (or -1), the node, and the child or item (or -1). */
  int32_t tree = -1;
  int32_t node = -1;
  int32_t item = -1;
};

struct StructureReport {
  /** The first findings, at most `kMaximumFindings`. */
  std::vector<Finding> findings;
  /** All findings, listed or not. */
  int64_t errors = 0;
  int32_t trees = 0;
  /** Items that are not holes. */
  int32_t items = 0;
  int32_t holes = 0;
};

constexpr size_t kMaximumFindings = 64;

/**
 * Checks everything that a search relies on, and that each tree holds every item exactly once. Time is linear in the
 * size of the file whatever the bytes are; memory is 5 bytes per node and a stack as deep as the deepest tree.
 */
Status validate_structure(const ForestView& view, StructureReport* report, const std::atomic<bool>* cancel = nullptr);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_ANNOY_VALIDATE_H_
