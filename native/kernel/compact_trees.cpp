#include "compact_trees.h"

#include <algorithm>

namespace semantic_index {

namespace {

Status corrupt(const char* message) { return Status::failure(StatusCode::corrupt, message); }

/** A node to read, and the place that is told its number: side `side` of plane `parent`, or the root. */
struct Waiting {
  int32_t node;
  int32_t parent;
  int side;
  /** Whether it lies in a group that was begun above it. */
  bool is_grouped;
};

class TreeReading {
 public:
  TreeReading(const ForestView& forest, int64_t group_items, std::vector<int32_t>* seen, int32_t mark,
              CompactTree* tree)
      : forest_(forest), layout_(forest.layout()), group_items_(group_items), seen_(*seen), mark_(mark), tree_(tree) {}

  Status run(int32_t root) {
    std::vector<Waiting> stack{{root, -1, 0, false}};
    while (!stack.empty()) {
      const Waiting waiting = stack.back();
      stack.pop_back();
      if (waiting.node < 0) {
        // The mark behind a group: everything of it has been read.
        const auto end = static_cast<int64_t>(tree_->items.size());
        if (end > group_begin_) tree_->groups.emplace_back(group_begin_, end);
        continue;
      }
      if (waiting.node >= forest_.nodes()) return corrupt("a child is no node of the file");
      const uint8_t* node = forest_.node(waiting.node);
      const int32_t descendants = read_int32(node + kDescendantsOffset);
      const bool is_item = waiting.node < forest_.items();
      const bool is_list = is_item || descendants <= layout_.leaf_capacity;
      const bool begins_group = !waiting.is_grouped && (is_list || descendants <= group_items_);
      if (begins_group) {
        group_begin_ = static_cast<int64_t>(tree_->items.size());
        stack.push_back({-1, 0, 0, true});
      }
      if (is_list) {
        tell(waiting, ~static_cast<int32_t>(tree_->leaf_begins.size()));
        tree_->leaf_begins.push_back(static_cast<int64_t>(tree_->items.size()));
        if (is_item) {
          add(waiting.node);
        } else if (!add_list(node, descendants)) {
          return corrupt("a leaf lists an item that does not exist");
        }
        continue;
      }
      const auto number = static_cast<int32_t>(tree_->nodes.size());
      if (number >= forest_.nodes()) return corrupt("the trees contain a cycle");
      tell(waiting, number);
      tree_->nodes.push_back(waiting.node);
      tree_->children.emplace_back(0, 0);
      const bool is_grouped = waiting.is_grouped || begins_group;
      for (int side = 1; side >= 0; --side) {
        const int32_t child = read_int32(node + layout_.children_offset + 4 * static_cast<size_t>(side));
        if (child < 0) return corrupt("a child is no node of the file");
        stack.push_back({child, number, side, is_grouped});
      }
    }
    tree_->leaf_begins.push_back(static_cast<int64_t>(tree_->items.size()));
    for (const auto& [begin, end] : tree_->groups) {
      if (end - begin > std::max<int64_t>(group_items_, layout_.leaf_capacity)) {
        return corrupt("a node has more items below it than it says");
      }
    }
    return Status::success();
  }

 private:
  void tell(const Waiting& waiting, int32_t number) {
    if (waiting.parent < 0) {
      tree_->root = number;
      return;
    }
    auto& children = tree_->children[static_cast<size_t>(waiting.parent)];
    (waiting.side == 0 ? children.first : children.second) = number;
  }

  /** Takes an item once. The list of a root over holes ends in zeros, so a repetition is no damage. */
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
  CompactTree* tree_;
  int64_t group_begin_ = 0;
};

}  // namespace

Status read_tree(const ForestView& forest, int32_t root, int64_t group_items, std::vector<int32_t>* seen, int32_t mark,
                 CompactTree* tree) {
  return TreeReading(forest, group_items, seen, mark, tree).run(root);
}

}  // namespace semantic_index
