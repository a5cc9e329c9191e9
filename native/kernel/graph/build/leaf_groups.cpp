#include "graph/build/leaf_groups.h"

#include <algorithm>

#include "base/status.h"

namespace semantic_index {

namespace {

/** A node to read, or -1 for the end of a group. */
struct Waiting {
  int32_t node;
  /** Whether a group that began above contains it. */
  bool is_grouped;
};

class TreeReading {
 public:
  TreeReading(const ForestView& forest, int64_t group_items, std::vector<int32_t>* seen, int32_t mark, LeafGroups* tree)
      : forest_(forest), layout_(forest.layout()), group_items_(group_items), seen_(*seen), mark_(mark), tree_(tree) {}

  Status run(int32_t root) {
    std::vector<Waiting> stack{{root, false}};
    int32_t planes = 0;
    while (!stack.empty()) {
      const Waiting waiting = stack.back();
      stack.pop_back();
      if (waiting.node < 0) {
        // The mark behind a group: everything of it has been read.
        const auto end = static_cast<int64_t>(tree_->items.size());
        if (end > group_begin_) tree_->groups.emplace_back(group_begin_, end);
        continue;
      }
      if (waiting.node >= forest_.nodes()) return corrupt("a child is not a node of the file");
      const uint8_t* node = forest_.node(waiting.node);
      const int32_t descendants = read_int32(node + kDescendantsOffset);
      const bool is_item = waiting.node < forest_.items();
      const bool is_list = is_item || descendants <= layout_.leaf_capacity;
      const bool begins_group = !waiting.is_grouped && (is_list || descendants <= group_items_);
      if (begins_group) {
        group_begin_ = static_cast<int64_t>(tree_->items.size());
        stack.push_back({-1, true});
      }
      if (is_list) {
        if (is_item) {
          add(waiting.node);
        } else if (!add_list(node, descendants)) {
          return corrupt("a leaf lists an item that does not exist");
        }
        continue;
      }
      if (++planes > forest_.nodes()) return corrupt("the trees contain a cycle");
      const bool is_grouped = waiting.is_grouped || begins_group;
      for (int side = 1; side >= 0; --side) {
        const int32_t child = read_int32(node + layout_.children_offset + 4 * static_cast<size_t>(side));
        if (child < 0) return corrupt("a child is not a node of the file");
        stack.push_back({child, is_grouped});
      }
    }
    for (const auto& [begin, end] : tree_->groups) {
      if (end - begin > std::max<int64_t>(group_items_, layout_.leaf_capacity)) {
        return corrupt("a node has more items below it than it says");
      }
    }
    return Status::success();
  }

 private:
  /** Adds an item once. The list of a root over holes ends in zeros, so repeated items are valid. */
  void add(int32_t item) {
    int32_t& seen = seen_[static_cast<size_t>(item)];
    if (seen == mark_ || !forest_.has_item(item)) return;
    seen = mark_;
    tree_->items.push_back(item);
  }

  bool add_list(const uint8_t* node, int32_t count) {
    for (int32_t index = 0; index < count; ++index) {
      const int32_t item = read_int32(node + layout_.children_offset + 4 * static_cast<size_t>(index));
      if (item < 0 || item >= forest_.items()) return false;
      add(item);
    }
    return true;
  }

  const ForestView& forest_;
  const NodeLayout& layout_;
  const int64_t group_items_;
  std::vector<int32_t>& seen_;
  const int32_t mark_;
  LeafGroups* tree_;
  int64_t group_begin_ = 0;
};

}  // namespace

Status read_tree(const ForestView& forest, int32_t root, int64_t group_items, std::vector<int32_t>* seen, int32_t mark,
                 LeafGroups* tree) {
  return TreeReading(forest, group_items, seen, mark, tree).run(root);
}

}  // namespace semantic_index
