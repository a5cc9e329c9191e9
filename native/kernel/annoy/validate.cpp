#include "annoy/validate.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <unordered_set>

#include "base/cancel.h"
#include "base/status.h"
#include "distance/distance.h"

namespace semantic_index {

namespace {

/** A stored norm may differ from ours by another order of summation, not by more. */
constexpr float kNormTolerance = 1e-3f;
constexpr int64_t kNodesPerCancelCheck = 4096;

class StructureCheck {
 public:
  StructureCheck(const ForestView& view, StructureReport* report, const std::atomic<bool>* cancel)
      : view_(view), layout_(view.layout()), report_(report), cancel_(cancel) {}

  bool run() {
    reached_.assign(static_cast<size_t>(view_.nodes()), false);
    last_tree_.assign(static_cast<size_t>(view_.items()), -1);
    report_->trees = view_.trees();
    if (!check_items()) return false;
    for (int32_t tree = 0; tree < view_.trees(); ++tree) {
      if (!check_tree(tree)) return false;
    }
    find_unreachable();
    return true;
  }

 private:
  struct Frame {
    int32_t node;
    int32_t descendants;
    int32_t children[2];
    int next_side;
    int64_t below;
  };

  void add(Defect defect, int32_t tree, int32_t node, int32_t item = -1, int64_t count = 1) {
    report_->errors += count;
    if (report_->findings.size() < kMaximumFindings) report_->findings.push_back({defect, tree, node, item});
  }

  bool is_cancelled() { return ++steps_ % kNodesPerCancelCheck == 0 && is_raised(cancel_); }

  int32_t descendants_of(int32_t node) const { return read_int32(view_.node(node) + kDescendantsOffset); }

  int32_t entry_of(int32_t node, int32_t index) const {
    return read_int32(view_.node(node) + layout_.children_offset + 4 * static_cast<size_t>(index));
  }

  /** Whether all numbers of a node's vector are finite. */
  bool is_finite(int32_t node) const {
    if (layout_.metric == Metric::hamming) return true;
    const uint8_t* vector = view_.node(node) + layout_.vector_offset;
    for (int32_t index = 0; index < layout_.elements; ++index) {
      if (!std::isfinite(read_float(vector + 4 * static_cast<size_t>(index)))) return false;
    }
    return true;
  }

  bool check_items() {
    for (int32_t item = 0; item < view_.items(); ++item) {
      if (is_cancelled()) return false;
      const int32_t descendants = descendants_of(item);
      if (descendants == 0) {
        ++report_->holes;
        continue;
      }
      if (descendants != 1) {
        add(Defect::item_header, -1, item, item);
        continue;
      }
      ++report_->items;
      const uint8_t* node = view_.node(item);
      bool is_whole = is_finite(item);
      if (layout_.metric == Metric::dot) is_whole = is_whole && std::isfinite(read_float(node + kDotFactorOffset));
      if (!is_whole) {
        add(Defect::not_finite, -1, item, item);
      } else if (layout_.metric == Metric::angular) {
        const float* vector = reinterpret_cast<const float*>(node + layout_.vector_offset);
        const float expected = distances().dot(vector, vector, static_cast<size_t>(layout_.elements));
        const float stored = read_float(node + kAngularNormOffset);
        // 0 stands for "not stored"; an infinite one is that of a very long vector.
        const bool is_right =
            stored == 0 || stored == expected || std::fabs(stored - expected) <= kNormTolerance * std::fabs(expected);
        if (!is_right) add(Defect::wrong_norm, -1, item, item);
      }
    }
    return true;
  }

  /** Notes that `item` is in the tree. */
  void see(int32_t tree, int32_t node, int32_t item) {
    if (item < 0 || item >= view_.items()) return add(Defect::child_out_of_bounds, tree, node, item);
    if (descendants_of(item) == 0) return add(Defect::hole_listed, tree, node, item);
    int32_t& last = last_tree_[static_cast<size_t>(item)];
    if (last == tree) return add(Defect::item_repeated, tree, node, item);
    last = tree;
    ++seen_;
  }

  /** A leaf's items. A root lists `items()` entries, holes as zeros at the end. */
  int64_t check_leaf(int32_t tree, int32_t node, int32_t descendants, bool is_root) {
    const int32_t listed = is_root ? std::min(descendants, report_->items) : descendants;
    for (int32_t index = 0; index < listed; ++index) see(tree, node, entry_of(node, index));
    for (int32_t index = listed; index < descendants; ++index) {
      if (entry_of(node, index) != 0) add(Defect::descendants_mismatch, tree, node, entry_of(node, index));
    }
    return listed;
  }

  void check_plane(int32_t tree, int32_t node) {
    const uint8_t* bytes = view_.node(node);
    if (layout_.metric == Metric::hamming) {
      uint64_t position;
      std::memcpy(&position, bytes + layout_.vector_offset, sizeof position);
      if (position / 64 >= static_cast<uint64_t>(layout_.elements)) add(Defect::bit_out_of_bounds, tree, node);
      return;
    }
    bool is_whole = is_finite(node);
    if (layout_.metric == Metric::euclidean || layout_.metric == Metric::manhattan) {
      is_whole = is_whole && std::isfinite(read_float(bytes + kPlaneConstantOffset));
    } else if (layout_.metric == Metric::dot) {
      is_whole = is_whole && std::isfinite(read_float(bytes + kDotFactorOffset));
    }
    if (!is_whole) add(Defect::not_finite, tree, node);
  }

  bool check_tree(int32_t tree) {
    const int32_t root = view_.roots()[static_cast<size_t>(tree)];
    seen_ = 0;
    std::vector<Frame> frames;
    int32_t next = root;
    while (true) {
      if (is_cancelled()) return false;
      int64_t below = 0;
      bool is_known = false;
      if (next < 0 || next >= view_.nodes()) {
        add(Defect::child_out_of_bounds, tree, frames.empty() ? -1 : frames.back().node, next);
      } else if (next < view_.items()) {
        // A root over holes and at most one item has the hole 0 as its other child.
        const bool is_filler = frames.size() == 1 && report_->items <= 1 && descendants_of(next) == 0;
        if (!is_filler) see(tree, frames.empty() ? -1 : frames.back().node, next);
        below = is_filler ? 0 : 1;
        is_known = true;
      } else if (reached_[static_cast<size_t>(next)]) {
        add(Defect::node_reached_twice, tree, next);
      } else {
        reached_[static_cast<size_t>(next)] = true;
        const int32_t descendants = descendants_of(next);
        if (descendants < 0) {
          add(Defect::descendants_mismatch, tree, next);
        } else if (descendants <= layout_.leaf_capacity) {
          below = check_leaf(tree, next, descendants, frames.empty());
          is_known = true;
        } else {
          check_plane(tree, next);
          frames.push_back({next, descendants, {entry_of(next, 0), entry_of(next, 1)}, 0, 0});
          next = frames.back().children[0];
          continue;
        }
      }
      while (!frames.empty()) {
        Frame& frame = frames.back();
        // Parts that could not be counted were reported already; parents do not report them again.
        frame.below = is_known && frame.below >= 0 ? frame.below + below : -1;
        if (++frame.next_side < 2) {
          next = frame.children[1];
          break;
        }
        // The root's number counts holes too; what is missing below it is found by item.
        is_known = frame.below >= 0;
        if (is_known && frame.below != frame.descendants && frames.size() > 1) {
          add(Defect::descendants_mismatch, tree, frame.node);
        }
        below = frame.descendants;
        frames.pop_back();
      }
      if (frames.empty()) break;
    }
    if (seen_ < report_->items) report_missing(tree);
    return true;
  }

  void report_missing(int32_t tree) {
    int64_t missing = report_->items - seen_;
    for (int32_t item = 0; item < view_.items() && report_->findings.size() < kMaximumFindings && missing > 0; ++item) {
      if (last_tree_[static_cast<size_t>(item)] == tree || descendants_of(item) != 1) continue;
      add(Defect::item_missing, tree, -1, item);
      --missing;
    }
    report_->errors += missing;
  }

  /** Nodes of no tree. Roots are stored twice: the first of the two is not reached, and is the same as its copy. */
  void find_unreachable() {
    std::unordered_set<uint64_t> root_children;
    const auto children_key = [&](int32_t node) {
      return static_cast<uint64_t>(static_cast<uint32_t>(entry_of(node, 0))) << 32 |
             static_cast<uint32_t>(entry_of(node, 1));
    };
    for (int32_t root : view_.roots()) root_children.insert(children_key(root));
    for (int32_t node = view_.items(); node < view_.nodes(); ++node) {
      if (reached_[static_cast<size_t>(node)] || root_children.count(children_key(node)) > 0) continue;
      add(Defect::node_unreachable, -1, node);
    }
  }

  const ForestView& view_;
  const NodeLayout& layout_;
  StructureReport* report_;
  const std::atomic<bool>* cancel_;
  std::vector<bool> reached_;
  /** The tree in which each item was seen last. */
  std::vector<int32_t> last_tree_;
  int64_t seen_ = 0;
  int64_t steps_ = 0;
};

constexpr const char* kDefectNames[] = {
    "item_header",         "not_finite",         "wrong_norm",           "bit_out_of_bounds",
    "child_out_of_bounds", "node_reached_twice", "descendants_mismatch", "item_repeated",
    "item_missing",        "hole_listed",        "node_unreachable",
};

}  // namespace

const char* defect_name(Defect defect) { return kDefectNames[static_cast<int>(defect)]; }

Status validate_structure(const ForestView& view, StructureReport* report, const std::atomic<bool>* cancel) try {
  *report = StructureReport();
  StructureCheck check(view, report, cancel);
  if (!check.run()) return cancelled();
  return view.check_unchanged();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
