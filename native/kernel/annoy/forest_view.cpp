#include "annoy/forest_view.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

#include "annoy/item_distance.h"
#include "annoy/plane.h"
#include "base/prefetch.h"
#include "base/status.h"
#include "distance/distance.h"
#include "distance/query.h"

namespace semantic_index {

namespace {

/** A node to visit. The walk takes the highest priority first, and of equal ones the highest number, as Annoy does. */
struct Visit {
  float priority;
  int32_t node;

  bool operator<(const Visit& other) const {
    return priority < other.priority || (priority == other.priority && node < other.node);
  }
};

/** Candidates prefetched ahead of use: they are scattered over the file. */
constexpr size_t kAhead = 3;

/** The smaller one; a NaN margin leaves the priority as it is. */
float lower_priority(float priority, float margin) { return margin < priority ? margin : priority; }

}  // namespace

struct SearchScratch::Memory {
  std::vector<Visit> queue;
  std::vector<int32_t> candidates;
  /** The number of the search in which an item was last gathered. */
  std::vector<uint32_t> marks;
  uint32_t search_number = 0;
  std::vector<uint64_t> bits;
  NearestHeap nearest;

  /** Starts a search over `items` items. */
  void begin(int32_t items) {
    queue.clear();
    candidates.clear();
    if (marks.size() < static_cast<size_t>(items)) marks.resize(static_cast<size_t>(items), 0);
    if (++search_number == 0) {
      std::fill(marks.begin(), marks.end(), 0u);
      search_number = 1;
    }
  }

  /** True the first time in this search. */
  bool mark(int32_t item) {
    uint32_t& mark = marks[static_cast<size_t>(item)];
    if (mark == search_number) return false;
    mark = search_number;
    return true;
  }

  void push(float priority, int32_t node) {
    queue.push_back({priority, node});
    std::push_heap(queue.begin(), queue.end());
  }

  Visit pop() {
    std::pop_heap(queue.begin(), queue.end());
    const Visit visit = queue.back();
    queue.pop_back();
    return visit;
  }
};

SearchScratch::SearchScratch() = default;
SearchScratch::~SearchScratch() = default;

bool ForestView::has_item(int32_t item) const {
  return item >= 0 && item < items_ && read_int32(node(item) + kDescendantsOffset) == 1;
}

namespace {

/** One best-first walk: the state of `ForestView::search` while it gathers candidates. */
class Walk {
 public:
  Walk(const ForestView& view, const Query& query, const Allowed& allowed, int64_t wanted)
      : view_(view), layout_(view.layout()), query_(query), allowed_(allowed), wanted_(wanted) {}

  template <typename Memory>
  Status gather(Memory* memory) {
    const float start = layout_.metric == Metric::hamming ? 0.0f : std::numeric_limits<float>::infinity();
    for (int32_t root : view_.roots()) memory->push(start, root);
    // In a forest, every plane is reached once; bytes that lead to more visits contain a cycle.
    int64_t planes_left = view_.nodes();
    while (gathered_ < wanted_ && !memory->queue.empty()) {
      const Visit visit = memory->pop();
      const uint8_t* node = view_.node(visit.node);
      const int32_t descendants = read_int32(node + kDescendantsOffset);
      if (descendants == 1 && visit.node < view_.items()) {
        add(memory, visit.node);
      } else if (descendants <= layout_.leaf_capacity) {
        for (int32_t index = 0; index < descendants; ++index) {
          const int32_t item = read_int32(node + layout_.children_offset + 4 * static_cast<size_t>(index));
          if (item < 0 || item >= view_.items()) return corrupt("a leaf lists an item that does not exist");
          add(memory, item);
        }
      } else {
        if (--planes_left < 0) return corrupt("the trees contain a cycle");
        const int32_t left = read_int32(node + layout_.children_offset);
        const int32_t right = read_int32(node + layout_.children_offset + 4);
        if (left < 0 || left >= view_.nodes() || right < 0 || right >= view_.nodes()) {
          return corrupt("a child is not a node of the file");
        }
        if (layout_.metric == Metric::hamming) {
          const bool bit = query_bit(node);
          memory->push(visit.priority - (bit ? 0.0f : 1.0f), right);
          memory->push(visit.priority - (bit ? 1.0f : 0.0f), left);
        } else {
          const float margin = plane_margin(distances(), layout_, node, query_.vector);
          memory->push(lower_priority(visit.priority, margin), right);
          memory->push(lower_priority(visit.priority, -margin), left);
        }
      }
    }
    return Status::success();
  }

 private:
  template <typename Memory>
  void add(Memory* memory, int32_t item) {
    if (!allowed_.contains(item)) return;
    ++gathered_;
    if (memory->mark(item)) memory->candidates.push_back(item);
  }

  bool query_bit(const uint8_t* node) const {
    uint64_t position;
    std::memcpy(&position, node + layout_.vector_offset, sizeof position);
    const uint64_t word = position / 64;
    // A bit position beyond the vector counts as 0; Spotify would read past the end.
    return word < query_.elements && (query_.bits[word] >> (63 - position % 64) & 1) != 0;
  }

  const ForestView& view_;
  const NodeLayout& layout_;
  const Query& query_;
  const Allowed& allowed_;
  const int64_t wanted_;
  int64_t gathered_ = 0;
};

}  // namespace

Status ForestView::search(const float* query, const SearchOptions& options, SearchScratch* scratch, int32_t* items,
                          float* distances_out, int32_t* found) const try {
  if (options.k < 1) return Status::failure(StatusCode::invalid_argument, "k must be at least 1");
  if (options.search_k < -1 || options.search_k == 0) {
    return Status::failure(StatusCode::invalid_argument, "search_k must be at least 1, or -1");
  }
  if (scratch->memory_ == nullptr) scratch->memory_ = std::make_unique<SearchScratch::Memory>();
  SearchScratch::Memory& memory = *scratch->memory_;
  memory.begin(items_);

  Query target;
  if (layout_.metric == Metric::hamming) {
    memory.bits.resize(static_cast<size_t>(layout_.elements));
    pack_bits(query, layout_.dimensions, memory.bits.data());
    target = Query::of_bits(layout_, memory.bits.data());
  } else {
    target = Query::of_floats(layout_, query);
  }
  const int64_t wanted = options.search_k > 0 ? options.search_k : static_cast<int64_t>(options.k) * trees();
  Walk walk(*this, target, options.allowed, wanted);
  const Status walked = walk.gather(&memory);
  if (!walked.ok()) {
    if (has_changed()) return changed_status();
    return walked;
  }

  memory.nearest.reset(options.k);
  const DistanceTable& table = distances();
  const size_t count = memory.candidates.size();
  for (size_t index = 0; index < count; ++index) {
    if (index + kAhead < count) prefetch(node(memory.candidates[index + kAhead]), layout_.node_bytes);
    const int32_t item = memory.candidates[index];
    const uint8_t* candidate = node(item);
    if (read_int32(candidate + kDescendantsOffset) != 1) continue;
    memory.nearest.offer(item_distance(target, table, layout_, candidate), item);
  }
  if (has_changed()) return changed_status();
  const std::vector<Neighbor>& sorted = memory.nearest.sorted();
  for (size_t index = 0; index < sorted.size(); ++index) {
    items[index] = sorted[index].item;
    if (distances_out != nullptr) distances_out[index] = public_distance(layout_.metric, sorted[index].distance);
  }
  *found = static_cast<int32_t>(sorted.size());
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

bool ForestView::has_changed() const { return changed_ != nullptr && changed_->load(std::memory_order_acquire); }

Status ForestView::changed_status() {
  return Status::failure(StatusCode::file_changed, "the file was cut short while it was in use");
}

Status ForestView::check_unchanged() const { return has_changed() ? changed_status() : Status::success(); }

Status ForestView::missing_item() const {
  // In a truncated file, every item looks like a hole.
  if (has_changed()) return changed_status();
  return Status::failure(StatusCode::invalid_argument, "the item does not exist");
}

Status ForestView::item_vector(int32_t item, float* vector) const {
  if (!has_item(item)) return missing_item();
  const uint8_t* source = node(item) + layout_.vector_offset;
  if (layout_.metric == Metric::hamming) {
    unpack_bits(reinterpret_cast<const uint64_t*>(source), layout_.dimensions, vector);
  } else {
    std::memcpy(vector, source, layout_.vector_bytes);
  }
  return check_unchanged();
}

Status ForestView::distance(int32_t left, int32_t right, float* distance) const {
  if (!has_item(left) || !has_item(right)) return missing_item();
  const uint8_t* vector = node(left) + layout_.vector_offset;
  Query query = layout_.metric == Metric::hamming ? Query::of_bits(layout_, reinterpret_cast<const uint64_t*>(vector))
                                                  : Query::of_floats(layout_, reinterpret_cast<const float*>(vector));
  *distance = public_distance(layout_.metric, item_distance(query, distances(), layout_, node(right)));
  return check_unchanged();
}

}  // namespace semantic_index
