#include "annoy/forest_build.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <map>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "annoy/quantized_items.h"
#include "annoy/tree_builder.h"
#include "base/cancel.h"
#include "base/status.h"
#include "distance/distance.h"

namespace semantic_index {

namespace {

/** One piece of work: a part of a tree. */
struct Task {
  std::shared_ptr<GrowingTree> tree;
  TreePart part;
};

/**
 * The threads of one build and their shared state. Timing decides which thread does what but not the result: every part
 * of a tree has its own random numbers, and trees are appended in order.
 */
class ForestBuild {
 public:
  ForestBuild(NodeStorage* storage, const BuildOptions& options)
      : storage_(storage), options_(options), layout_(storage->layout()) {
    items_.layout = &storage->layout();
    items_.bytes = storage->data();
    items_.count = storage->items();
    for (int32_t item = 0; item < items_.count; ++item) {
      if (read_int32(items_.node(item) + kDescendantsOffset) == 1) present_.push_back(item);
    }
    // An on-disk build must not hold all items in memory.
    has_quantized_ = !options.without_copy && !storage->is_on_disk() && quantized_.prepare(items_);
    node_total_ = items_.count;
    trees_wanted_ = options.trees;
    known_trees_.store(options.trees);
  }

  Status run(BuildResult* result) {
    int count = options_.threads > 0 ? options_.threads : static_cast<int>(std::thread::hardware_concurrency());
    count = std::max(1, count);
    std::vector<std::thread> threads;
    try {
      for (int index = 1; index < count; ++index) threads.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      // The system refuses more threads: continue with those that started and this one.
    }
    work();
    for (std::thread& thread : threads) thread.join();
    if (failure_.ok() && is_cancelled()) failure_.code = StatusCode::cancelled;
    if (failure_.ok()) failure_ = append_root_copies();
    if (failure_.ok()) failure_ = storage_->commit_trees();
    if (!failure_.ok()) {
      storage_->discard_trees();
      return failure_;
    }
    result->trees = next_delivered_;
    result->nodes = storage_->nodes();
    return Status::success();
  }

 private:
  bool is_cancelled() const { return is_raised(options_.cancel); }

  void fail(const Status& status) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (failure_.ok()) failure_ = status;
    stopped_.store(true);
    changed_.notify_all();
  }

  /** Quantizes the items, all threads together; returns when all are done. */
  void quantize() {
    if (!has_quantized_) return;
    constexpr int32_t kPiece = 1024;
    while (true) {
      const int64_t begin = next_quantized_.fetch_add(kPiece);
      if (begin >= items_.count) break;
      const int32_t end = static_cast<int32_t>(std::min<int64_t>(begin + kPiece, items_.count));
      quantized_.fill(static_cast<int32_t>(begin), end);
      std::lock_guard<std::mutex> lock(mutex_);
      items_quantized_ += end - static_cast<int32_t>(begin);
      if (items_quantized_ == items_.count) changed_.notify_all();
    }
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return items_quantized_ == items_.count; });
  }

  void work() try {
    quantize();
    TreeBuilder builder(items_, has_quantized_ ? &quantized_ : nullptr);
    Task task;
    while (take(&task)) {
      if (task.part.count > kSharedSplitItems) {
        split(&builder, &task);
      } else {
        grow(&builder, &task);
      }
    }
  } catch (const std::bad_alloc&) {
    fail(Status::no_memory());
  }

  /** The next piece of work: of the earliest tree that has some, so that trees are finished in order. */
  bool take(Task* task) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      if (is_cancelled()) stopped_.store(true);
      const bool is_decided = trees_wanted_ >= 0 && next_delivered_ >= trees_wanted_;
      if (stopped_.load() || is_decided) {
        changed_.notify_all();
        return false;
      }
      if (!tasks_.empty()) {
        auto earliest = tasks_.begin();
        *task = std::move(earliest->second.back());
        earliest->second.pop_back();
        if (earliest->second.empty()) tasks_.erase(earliest);
        return true;
      }
      if (trees_wanted_ < 0 || next_started_ < trees_wanted_) {
        auto tree = std::make_shared<GrowingTree>();
        tree->number = next_started_++;
        tree->order = present_;
        task->part = TreePart();
        task->part.count = static_cast<int32_t>(present_.size());
        task->part.seed = options_.seed + static_cast<uint64_t>(tree->number);
        task->tree = std::move(tree);
        return true;
      }
      changed_.wait(lock);
    }
  }

  void split(TreeBuilder* builder, Task* task) {
    GrowingTree::Upper upper;
    TreePart halves[2];
    builder->split_part(&task->tree->order, task->part, &upper.node, halves);
    std::lock_guard<std::mutex> lock(mutex_);
    const int32_t number = static_cast<int32_t>(task->tree->upper.size());
    task->tree->upper.push_back(std::move(upper));
    link(*task, number);
    task->tree->open_parts += 1;
    std::vector<Task>& waiting = tasks_[task->tree->number];
    for (int side = 1; side >= 0; --side) {
      halves[side].parent = number;
      waiting.push_back({task->tree, halves[side]});
    }
    changed_.notify_all();
  }

  void grow(TreeBuilder* builder, Task* task) {
    GrowingTree::Fragment fragment;
    const bool is_root = task->part.parent < 0;
    if (!builder->grow(&task->tree->order, task->part, is_root, options_.cancel, &fragment)) {
      return fail(cancelled());
    }
    bool is_finished;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      link(*task, -1 - static_cast<int32_t>(task->tree->fragments.size()));
      task->tree->fragments.push_back(std::move(fragment));
      is_finished = --task->tree->open_parts == 0;
    }
    report(task->part.count);
    if (!is_finished) return;
    std::vector<int32_t>().swap(task->tree->order);
    deliver(task->tree->number, assemble_tree(layout_, items_.count, task->tree.get()));
  }

  /** Links the finished part to its parent. */
  static void link(const Task& task, int32_t number) {
    if (task.part.parent < 0) {
      task.tree->top = number;
    } else {
      task.tree->upper[static_cast<size_t>(task.part.parent)].children[task.part.side] = number;
    }
  }

  void report(int32_t items) {
    std::lock_guard<std::mutex> lock(progress_mutex_);
    done_ += items;
    if (options_.progress == nullptr) return;
    const int64_t wanted = known_trees_.load();
    const int64_t total = wanted < 0 ? 0 : wanted * static_cast<int64_t>(present_.size());
    // Trees started beyond the last needed one are dropped.
    options_.progress(options_.progress_context, total > 0 ? std::min(done_, total) : done_, total);
  }

  /** Appends the tree, and later trees that waited for it. */
  void deliver(int32_t number, std::vector<uint8_t> tree) {
    std::lock_guard<std::mutex> lock(mutex_);
    finished_[number] = std::move(tree);
    while (!finished_.empty() && finished_.begin()->first == next_delivered_) {
      if (trees_wanted_ >= 0 && next_delivered_ >= trees_wanted_) break;
      std::vector<uint8_t> nodes = std::move(finished_.begin()->second);
      finished_.erase(finished_.begin());
      const int64_t count = static_cast<int64_t>(nodes.size() / layout_.node_bytes);
      if (node_total_ + count > kMaxNodes) {
        failure_ = Status::failure(StatusCode::invalid_argument, "the forest would have more than 2^31 - 1 nodes");
        stopped_.store(true);
        break;
      }
      rebase_tree(layout_, items_.count, static_cast<int32_t>(node_total_ - items_.count), nodes.data(), count);
      node_total_ += count;
      root_copies_.insert(root_copies_.end(), nodes.end() - static_cast<int64_t>(layout_.node_bytes), nodes.end());
      const Status status = storage_->append_tree(std::move(nodes));
      if (!status.ok()) {
        failure_ = status;
        stopped_.store(true);
        break;
      }
      ++next_delivered_;
      // Annoy's default: trees are added until their nodes number as many as the items.
      if (options_.trees == -1 && node_total_ >= 2 * static_cast<int64_t>(items_.count))
        trees_wanted_ = next_delivered_;
      known_trees_.store(trees_wanted_);
    }
    changed_.notify_all();
  }

  Status append_root_copies() { return storage_->append_tree(std::move(root_copies_)); }

  NodeStorage* storage_;
  const BuildOptions& options_;
  const NodeLayout layout_;
  ItemNodes items_;
  /** Items that are not holes, in order. */
  std::vector<int32_t> present_;

  bool has_quantized_ = false;
  QuantizedItems quantized_;
  std::atomic<int64_t> next_quantized_{0};
  int32_t items_quantized_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> stopped_{false};
  Status failure_;
  /** Pending work, by tree. */
  std::map<int32_t, std::vector<Task>> tasks_;
  /** Trees to build; -1 until Annoy's rule has decided. */
  int32_t trees_wanted_ = -1;
  int32_t next_started_ = 0;
  int32_t next_delivered_ = 0;
  std::map<int32_t, std::vector<uint8_t>> finished_;
  std::vector<uint8_t> root_copies_;
  int64_t node_total_ = 0;

  std::mutex progress_mutex_;
  std::atomic<int64_t> known_trees_{-1};
  int64_t done_ = 0;
};

/**
 * Gives every item of the dot metric the extra coordinate that makes all of one length, the longest one's (Bachrach et
 * al.: "Speeding up the Xbox recommender system using a Euclidean transformation for inner-product spaces", 2014).
 */
void write_dot_factors(NodeStorage* storage) {
  const NodeLayout& layout = storage->layout();
  const size_t elements = static_cast<size_t>(layout.elements);
  float largest = 0;
  for (int32_t item = 0; item < storage->items(); ++item) {
    const float* vector = reinterpret_cast<const float*>(storage->node(item) + layout.vector_offset);
    const float square = distances().dot(vector, vector, elements);
    write_float(storage->node(item) + kDotFactorOffset, square);
    largest = std::max(largest, square);
  }
  for (int32_t item = 0; item < storage->items(); ++item) {
    uint8_t* node = storage->node(item);
    const float missing = largest - read_float(node + kDotFactorOffset);
    write_float(node + kDotFactorOffset, missing > 0 ? std::sqrt(missing) : 0.0f);
    if (layout.dot_layout == DotLayout::extended) write_float(node + kDotNormOffset, largest);
  }
}

/** The mark that Spotify's main branch sets on items once the forest is built. */
void mark_built(NodeStorage* storage) {
  if (storage->layout().metric != Metric::dot || storage->layout().dot_layout != DotLayout::extended) return;
  for (int32_t item = 0; item < storage->items(); ++item) storage->node(item)[kDotBuiltOffset] = 1;
}

}  // namespace

Status build_forest(NodeStorage* storage, const BuildOptions& options, BuildResult* result) try {
  if (storage->is_built()) return Status::failure(StatusCode::invalid_argument, "the forest is built already");
  if (options.trees == 0 || options.trees < -1) {
    return Status::failure(StatusCode::invalid_argument, "the number of trees must be at least 1, or -1");
  }
  if (storage->layout().metric == Metric::dot) write_dot_factors(storage);
  ForestBuild build(storage, options);
  const Status status = build.run(result);
  if (status.ok()) mark_built(storage);
  return status;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
