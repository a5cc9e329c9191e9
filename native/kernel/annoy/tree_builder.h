#ifndef SEMANTIC_INDEX_KERNEL_ANNOY_TREE_BUILDER_H_
#define SEMANTIC_INDEX_KERNEL_ANNOY_TREE_BUILDER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "annoy/split.h"

namespace semantic_index {

/** Larger sets of items are split as work of their own, so that several threads share one tree. */
constexpr int32_t kSharedSplitItems = 1 << 14;

/** A part of a tree that is still to be grown: items order[begin .. begin + count). */
struct TreePart {
  int32_t begin = 0;
  int32_t count = 0;
  /** Where its random numbers start: from the tree's seed and the path that leads here. */
  uint64_t seed = 0;
  /** The parent among the upper nodes, -1 for the root, and the side below it. */
  int32_t parent = -1;
  int side = 0;
};

/**
 * One tree while it grows. Large sets are split one by one into `upper` nodes, which different threads may do; what is
 * small enough becomes a fragment: a finished subtree whose nodes are numbered from the number of items on.
 */
struct GrowingTree {
  struct Fragment {
    /** Empty when the part was one item, which then needs no node. */
    std::vector<uint8_t> nodes;
    int32_t item = -1;
  };

  struct Upper {
    std::vector<uint8_t> node;
    /** Upper nodes or fragments below; the latter as -1 - index. */
    int32_t children[2] = {0, 0};
  };

  int32_t number = 0;
  std::vector<int32_t> order;
  std::vector<Upper> upper;
  std::vector<Fragment> fragments;
  /** The top: an upper node, or a fragment as -1 - index. */
  int32_t top = 0;
  /** Parts not finished yet. */
  int32_t open_parts = 1;
};

/** Grows parts of trees; one per thread. Methods may throw bad_alloc. */
class TreeBuilder {
 public:
  explicit TreeBuilder(const ItemNodes& items, const QuantizedItems* quantized = nullptr);

  /** Splits a part with more than kSharedSplitItems items: fills `node`, orders the items, and names the two halves. */
  void split_part(std::vector<int32_t>* order, const TreePart& part, std::vector<uint8_t>* node, TreePart halves[2]);

  /**
   * Grows a whole part into a fragment. False when `cancel` was raised. `is_root` writes the root as Spotify marks it:
   * its n_descendants is the number of items, holes included.
   */
  bool grow(std::vector<int32_t>* order, const TreePart& part, bool is_root, const std::atomic<bool>* cancel,
            GrowingTree::Fragment* fragment);

 private:
  int32_t partition(int32_t* items, int32_t count, Random* random, uint8_t* node);
  int32_t append(const uint8_t* node);
  int32_t append_leaf(const int32_t* items, int32_t count, bool is_root);

  ItemNodes items_;
  Splitter splitter_;
  std::vector<uint8_t> sides_;
  std::vector<int32_t> moved_;
  std::vector<uint8_t>* fragment_ = nullptr;
};

/** The seed of the half `side` of a part with seed `seed`. */
uint64_t half_seed(uint64_t seed, int side);

/**
 * Puts the finished parts of a tree together: children before parents, the root last. Children that are nodes are
 * numbered from `items` on, relative to the tree.
 */
std::vector<uint8_t> assemble_tree(const NodeLayout& layout, int32_t items, GrowingTree* tree);

/** Adds `offset` to the number of every child that is a node of the tree, and not an item. */
void rebase_tree(const NodeLayout& layout, int32_t items, int32_t offset, uint8_t* nodes, int64_t count);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_ANNOY_TREE_BUILDER_H_
