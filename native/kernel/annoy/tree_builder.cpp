#include "annoy/tree_builder.h"

#include <algorithm>
#include <cstring>

#include "base/cancel.h"
#include "base/status.h"

namespace semantic_index {

TreeBuilder::TreeBuilder(const ItemNodes& items, const QuantizedItems* quantized)
    : items_(items), splitter_(items, quantized) {}

uint64_t half_seed(uint64_t seed, int side) { return Random(seed ^ (side == 0 ? 0 : 0x5851f42d4c957f2du)).next(); }

/** Cuts items in two, keeping the order within each side, so that memory is still read upwards. */
int32_t TreeBuilder::partition(int32_t* items, int32_t count, Random* random, uint8_t* node) {
  if (sides_.size() < static_cast<size_t>(count)) {
    sides_.resize(static_cast<size_t>(count));
    moved_.resize(static_cast<size_t>(count));
  }
  const int32_t ones = splitter_.split(items, count, random, sides_.data(), node);
  int32_t zeros_end = 0;
  int32_t moved_end = 0;
  for (int32_t i = 0; i < count; ++i) {
    if (sides_[static_cast<size_t>(i)] == 0) {
      items[zeros_end++] = items[i];
    } else {
      moved_[static_cast<size_t>(moved_end++)] = items[i];
    }
  }
  std::copy_n(moved_.data(), ones, items + zeros_end);
  return count - ones;
}

void TreeBuilder::split_part(std::vector<int32_t>* order, const TreePart& part, std::vector<uint8_t>* node,
                             TreePart halves[2]) {
  node->assign(items_.layout->node_bytes, 0);
  Random random(part.seed);
  const int32_t zeros = partition(order->data() + part.begin, part.count, &random, node->data());
  const bool is_root = part.parent < 0;
  write_int32(node->data() + kDescendantsOffset, is_root ? items_.count : part.count);
  halves[0].begin = part.begin;
  halves[0].count = zeros;
  halves[1].begin = part.begin + zeros;
  halves[1].count = part.count - zeros;
  for (int side = 0; side < 2; ++side) {
    halves[side].seed = half_seed(part.seed, side);
    halves[side].side = side;
  }
}

int32_t TreeBuilder::append(const uint8_t* node) {
  const size_t node_bytes = items_.layout->node_bytes;
  const int32_t number = items_.count + static_cast<int32_t>(fragment_->size() / node_bytes);
  fragment_->insert(fragment_->end(), node, node + node_bytes);
  return number;
}

int32_t TreeBuilder::append_leaf(const int32_t* items, int32_t count, bool is_root) {
  const NodeLayout& layout = *items_.layout;
  const size_t start = fragment_->size();
  fragment_->resize(start + layout.node_bytes);
  uint8_t* node = fragment_->data() + start;
  write_int32(node + kDescendantsOffset, is_root ? items_.count : count);
  if (count > 0) {
    std::memcpy(node + layout.children_offset, items, static_cast<size_t>(count) * sizeof(int32_t));
  }
  return items_.count + static_cast<int32_t>(start / layout.node_bytes);
}

bool TreeBuilder::grow(std::vector<int32_t>* order, const TreePart& part, bool is_root, const std::atomic<bool>* cancel,
                       GrowingTree::Fragment* fragment) {
  struct Frame {
    TreePart part;
    int32_t zeros;
    int32_t children[2];
    int next_side;
  };
  const NodeLayout& layout = *items_.layout;
  fragment_ = &fragment->nodes;
  fragment_->clear();
  // The path from the top to the part that grows, with the plane of each frame.
  std::vector<Frame> frames;
  std::vector<uint8_t> planes;
  TreePart next = part;
  while (true) {
    if (is_raised(cancel)) return false;
    int32_t* items = order->data() + next.begin;
    const bool at_root = is_root && frames.empty();
    int32_t result;
    // A root lists its items only when all items, holes included, fit: that is how a reader knows a list from a plane.
    // A root over more holes than that, with at most one item, is a plane whose children are that item and the hole 0.
    if (next.count == 1 && !at_root) {
      result = items[0];
    } else if (at_root ? items_.count <= layout.leaf_capacity || next.count <= 1 : next.count <= layout.leaf_capacity) {
      result = append_leaf(items, next.count, at_root);
    } else {
      Frame frame;
      frame.part = next;
      frame.next_side = 0;
      planes.resize(planes.size() + layout.node_bytes);
      uint8_t* plane = planes.data() + planes.size() - layout.node_bytes;
      std::memset(plane, 0, layout.node_bytes);
      Random random(next.seed);
      frame.zeros = partition(items, next.count, &random, plane);
      frames.push_back(frame);
      next.count = frame.zeros;
      next.seed = half_seed(frame.part.seed, 0);
      continue;
    }
    // Hand the finished child to its parent, and finish every parent that has both.
    while (!frames.empty()) {
      Frame& frame = frames.back();
      frame.children[frame.next_side++] = result;
      if (frame.next_side < 2) {
        next = frame.part;
        next.begin += frame.zeros;
        next.count -= frame.zeros;
        next.seed = half_seed(frame.part.seed, 1);
        break;
      }
      uint8_t* plane = planes.data() + planes.size() - layout.node_bytes;
      const bool is_top = frames.size() == 1 && is_root;
      write_int32(plane + kDescendantsOffset, is_top ? items_.count : frame.part.count);
      write_int32(plane + layout.children_offset, frame.children[0]);
      write_int32(plane + layout.children_offset + 4, frame.children[1]);
      result = append(plane);
      planes.resize(planes.size() - layout.node_bytes);
      frames.pop_back();
    }
    if (frames.empty()) {
      fragment->item = result;
      return true;
    }
  }
}

void rebase_tree(const NodeLayout& layout, int32_t items, int32_t offset, uint8_t* nodes, int64_t count) {
  if (offset == 0) return;
  for (int64_t index = 0; index < count; ++index) {
    uint8_t* node = nodes + static_cast<size_t>(index) * layout.node_bytes;
    if (read_int32(node + kDescendantsOffset) <= layout.leaf_capacity) continue;
    for (int side = 0; side < 2; ++side) {
      uint8_t* child = node + layout.children_offset + 4 * side;
      const int32_t number = read_int32(child);
      if (number >= items) write_int32(child, number + offset);
    }
  }
}

std::vector<uint8_t> assemble_tree(const NodeLayout& layout, int32_t items, GrowingTree* tree) {
  struct Frame {
    int32_t upper;
    int32_t children[2];
    int next_side;
  };
  size_t bytes = tree->upper.size() * layout.node_bytes;
  for (const GrowingTree::Fragment& fragment : tree->fragments) bytes += fragment.nodes.size();
  std::vector<uint8_t> result;
  result.reserve(bytes);
  const auto next_number = [&] { return items + static_cast<int32_t>(result.size() / layout.node_bytes); };

  std::vector<Frame> frames;
  int32_t next = tree->top;
  while (true) {
    int32_t number;
    if (next >= 0) {
      frames.push_back({next, {0, 0}, 0});
      next = tree->upper[static_cast<size_t>(next)].children[0];
      continue;
    }
    GrowingTree::Fragment& fragment = tree->fragments[static_cast<size_t>(-1 - next)];
    number = fragment.item;
    if (!fragment.nodes.empty()) {
      const int64_t count = static_cast<int64_t>(fragment.nodes.size() / layout.node_bytes);
      rebase_tree(layout, items, next_number() - items, fragment.nodes.data(), count);
      result.insert(result.end(), fragment.nodes.begin(), fragment.nodes.end());
      number = next_number() - 1;
      std::vector<uint8_t>().swap(fragment.nodes);
    }
    while (!frames.empty()) {
      Frame& frame = frames.back();
      frame.children[frame.next_side++] = number;
      GrowingTree::Upper& upper = tree->upper[static_cast<size_t>(frame.upper)];
      if (frame.next_side < 2) {
        next = upper.children[1];
        break;
      }
      write_int32(upper.node.data() + layout.children_offset, frame.children[0]);
      write_int32(upper.node.data() + layout.children_offset + 4, frame.children[1]);
      number = next_number();
      result.insert(result.end(), upper.node.begin(), upper.node.end());
      frames.pop_back();
    }
    if (frames.empty()) return result;
  }
}

}  // namespace semantic_index
