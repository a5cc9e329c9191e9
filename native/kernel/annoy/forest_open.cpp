// Opening a ForestView on bytes without a header: sizes, roots, and plausibility checks.

#include <algorithm>
#include <cstring>
#include <new>

#include "annoy/forest_view.h"

namespace semantic_index {

namespace {

Status wrong_layout(const char* message) { return Status::failure(StatusCode::wrong_layout, message); }

int32_t descendants_of(const ForestView& view, int32_t index) {
  return read_int32(view.node(index) + kDescendantsOffset);
}

int32_t child_of(const ForestView& view, int32_t index, int side) {
  return read_int32(view.node(index) + view.layout().children_offset + 4 * static_cast<size_t>(side));
}

/**
 * Whether a node below a root is plausible in this layout: its children exist and their item counts add up. With the
 * wrong metric or dimension the fields are fragments of floats, and the check fails.
 */
bool is_plausible_child(const ForestView& view, int32_t index) {
  if (index < 0 || index >= view.nodes()) return false;
  const int32_t descendants = descendants_of(view, index);
  if (index < view.items()) return descendants == 0 || descendants == 1;
  if (descendants < 1 || descendants > view.items()) return false;
  if (descendants <= view.layout().leaf_capacity) {
    for (int32_t entry = 0; entry < std::min(descendants, 8); ++entry) {
      const int32_t item =
          read_int32(view.node(index) + view.layout().children_offset + 4 * static_cast<size_t>(entry));
      if (item < 0 || item >= view.items()) return false;
    }
    return true;
  }
  const int32_t left = child_of(view, index, 0);
  const int32_t right = child_of(view, index, 1);
  if (left < 0 || left >= view.nodes() || right < 0 || right >= view.nodes()) return false;
  return static_cast<int64_t>(descendants_of(view, left)) + descendants_of(view, right) == descendants;
}

/** Whether a root is a list of items that exist, or a plane with plausible children. */
bool is_plausible_root(const ForestView& view, int32_t index) {
  if (view.items() <= view.layout().leaf_capacity) {
    for (int32_t entry = 0; entry < view.items(); ++entry) {
      const int32_t item =
          read_int32(view.node(index) + view.layout().children_offset + 4 * static_cast<size_t>(entry));
      if (item < 0 || item >= view.items()) return false;
    }
    return true;
  }
  return is_plausible_child(view, child_of(view, index, 0)) && is_plausible_child(view, child_of(view, index, 1));
}

/**
 * Whether a node after `index` is the same. The copies of all roots end a file, after the last node of the trees, which
 * is a root itself: so the first node of the run at the end has a copy, unless the end was cut off.
 */
bool has_copy(const ForestView& view, int32_t index) {
  for (int32_t other = index + 1; other < view.nodes(); ++other) {
    if (std::memcmp(view.node(index), view.node(other), view.layout().node_bytes) == 0) return true;
  }
  return false;
}

/** Samples a few items: each must be an item or a hole. */
bool are_plausible_items(const ForestView& view) {
  constexpr int32_t kLooks = 16;
  for (int32_t look = 0; look < std::min(kLooks, view.items()); ++look) {
    const int64_t item = static_cast<int64_t>(view.items() - 1) * look / std::max(1, kLooks - 1);
    const int32_t descendants = descendants_of(view, static_cast<int32_t>(item));
    if (descendants != 0 && descendants != 1) return false;
  }
  return true;
}

}  // namespace

Status ForestView::open(const uint8_t* bytes, int64_t size, const NodeLayout& layout, ForestView* view,
                        const std::atomic<bool>* changed) try {
  if (reinterpret_cast<uintptr_t>(bytes) % 8 != 0) {
    return Status::failure(StatusCode::invalid_argument, "the bytes are not aligned to 8");
  }
  const int64_t node_bytes = static_cast<int64_t>(layout.node_bytes);
  if (size <= 0) return wrong_layout("the file is empty");
  if (size % node_bytes != 0) return wrong_layout("the size is not a multiple of the node size");
  if (size / node_bytes > kMaxNodes) return wrong_layout("there are more than 2^31 - 1 nodes");

  ForestView result;
  result.bytes_ = bytes;
  result.layout_ = layout;
  result.changed_ = changed;
  result.nodes_ = static_cast<int32_t>(size / node_bytes);
  result.items_ = descendants_of(result, result.nodes_ - 1);
  if (result.items_ < 0 || result.items_ >= result.nodes_) return wrong_layout("the last node is not a root");

  int32_t first = result.nodes_ - 1;
  while (first > result.items_ && descendants_of(result, first - 1) == result.items_) --first;
  // If a root can list all items, every tree is a single root node.
  if (result.items_ <= layout.leaf_capacity && first > result.items_) {
    return wrong_layout("there are nodes that no tree can have");
  }
  const int32_t count = result.nodes_ - first;
  const size_t half_bytes = static_cast<size_t>(count / 2) * layout.node_bytes;
  if (count % 2 == 0 && std::memcmp(result.node(first), result.node(first + count / 2), half_bytes) == 0) {
    // Every node in the run is a root: all trees are one node each. Then half of the run are the copies.
    first += count / 2;
  } else if (result.items_ > 0 && (result.items_ <= layout.leaf_capacity || !has_copy(result, first))) {
    return wrong_layout("the file is cut short: copies of the roots are missing at its end");
  } else if (count > 1 && child_of(result, first, 0) == child_of(result, result.nodes_ - 1, 0)) {
    // The run begins with the last tree's root, whose copy ends it.
    ++first;
  }
  for (int32_t root = first; root < result.nodes_; ++root) result.roots_.push_back(root);

  const size_t looks = std::min<size_t>(result.roots_.size(), 8);
  for (size_t look = 0; look < looks; ++look) {
    if (!is_plausible_root(result, result.roots_[look])) return wrong_layout("the roots make no sense");
  }
  if (!are_plausible_items(result)) return wrong_layout("the items make no sense");
  if (result.has_changed()) return changed_status();
  *view = std::move(result);
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status detect_dot_layout(const uint8_t* bytes, int64_t size, int32_t dimensions, DotLayout* dot_layout) {
  Status status;
  for (DotLayout candidate : {DotLayout::released, DotLayout::extended}) {
    NodeLayout layout;
    status = make_layout(Metric::dot, dimensions, &layout, candidate);
    if (!status.ok()) return status;
    ForestView view;
    status = ForestView::open(bytes, size, layout, &view);
    if (status.ok()) {
      *dot_layout = candidate;
      return status;
    }
    if (status.code != StatusCode::wrong_layout) return status;
  }
  return status;
}

}  // namespace semantic_index
