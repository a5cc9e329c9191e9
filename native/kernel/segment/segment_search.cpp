#include "segment/segment_search.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>

#include "base/parallel_blocks.h"
#include "exact/scan.h"
#include "graph/pruned_scan.h"
#include "segment/exact_search.h"

namespace semantic_index {

namespace {

/** Vectors that are compared by their nibbles first are read in about this share. */
constexpr int64_t kPrunedShare = 8;
/** Items per allowed one from which on only these are looked at, at scattered places, instead of all in order. */
constexpr int64_t kSparse = 8;
/** Queries that a thread of an approximate search takes at a time. */
constexpr int64_t kSearchBlock = 8;

/** Failures of a search in the graph after which the forest alone still gives the answer. */
bool is_graph_fault(const Status& status) {
  return status.code == StatusCode::corrupt || status.code == StatusCode::file_changed;
}

/** Sets `*usable` to whether searches may use the graph. Compares the whole forest once if its origin is unknown. */
Status check_graph(const Segment& segment, const std::atomic<bool>* cancel, bool* usable) {
  *usable = false;
  if (segment.graph == nullptr) return Status::success();
  GraphIndexState& state = segment.graph->state;
  if (state.is_damaged.load() || state.is_foreign.load()) return Status::success();
  if (!state.is_own.load(std::memory_order_acquire)) {
    const std::lock_guard<std::mutex> lock(state.comparing);
    if (!state.is_own.load() && !state.is_foreign.load()) {
      const Status status = segment.graph->view.verify_forest(segment.forest->view, cancel);
      if (status.code == StatusCode::cancelled || status.code == StatusCode::file_changed) return status;
      state.is_foreign.store(!status.ok());
      state.is_own.store(status.ok(), std::memory_order_release);
    }
  }
  *usable = state.is_own.load();
  return Status::success();
}

/** Sets `*usable` to whether exact searches may skip what the graph rules out: damaged bounds would cost answers. */
Status check_bounds(const Segment& segment, const std::atomic<bool>* cancel, bool* usable) {
  const Status checked = check_graph(segment, cancel, usable);
  if (!checked.ok() || !*usable) return checked;
  GraphIndexState& state = segment.graph->state;
  if (!state.is_verified.load()) {
    const Status status = segment.graph->view.verify_rows(cancel);
    if (status.code == StatusCode::cancelled) return status;
    state.is_damaged.store(!status.ok());
    state.is_verified.store(status.ok());
  }
  *usable = state.is_verified.load();
  return Status::success();
}

ExactSearch exact_search(const BatchSearch& batch, const NodeLayout& layout, int64_t rows) {
  ExactSearch search;
  search.layout = layout;
  search.queries = batch.queries;
  search.count = batch.count;
  search.k = batch.options.k;
  search.rows = rows;
  const int64_t compared = batch.candidates < 0 ? rows : std::min(rows, batch.candidates);
  search.bytes = compared * static_cast<int64_t>(layout.vector_bytes);
  search.threads = batch.threads;
  search.items = batch.items;
  search.distances = batch.distances;
  search.progress = [&batch](int64_t answered) {
    if (batch.done != nullptr) batch.done->fetch_add(answered);
  };
  return search;
}

/** The position of each item in the graph; nullptr where that cannot be found out. */
const std::vector<uint32_t>* positions_of(const Segment& segment) {
  GraphIndexState& state = segment.graph->state;
  if (!state.has_positions.load(std::memory_order_acquire)) {
    const std::lock_guard<std::mutex> lock(state.finding_positions);
    if (!state.has_positions.load()) {
      const Status status = find_positions(segment.graph->view, segment.forest->view.items(), &state.positions);
      if (!status.ok()) return nullptr;
      state.has_positions.store(true, std::memory_order_release);
    }
  }
  return &state.positions;
}

Status search_exactly(const Segment& segment, const BatchSearch& batch) try {
  const ForestView& forest = segment.forest->view;
  const Allowed& allowed = batch.options.allowed;
  ExactSearch search = exact_search(batch, forest.layout(), forest.items());
  bool has_bounds = false;
  Status status = check_bounds(segment, batch.cancel, &has_bounds);
  if (!status.ok()) return status;
  if (has_bounds) {
    const GraphView& graph = segment.graph->view;
    ExactSearch pruned = search;
    pruned.rows = graph.header().positions;
    pruned.bytes /= kPrunedShare;
    const bool is_sparse =
        allowed.bits != nullptr && batch.candidates >= 0 && batch.candidates < forest.items() / kSparse;
    const std::vector<uint32_t>* const positions = is_sparse ? positions_of(segment) : nullptr;
    if (positions != nullptr) pruned.rows = forest.items();
    pruned.scan = [&, positions](ExactScan* scan, int64_t begin, int64_t end) {
      const auto first = static_cast<int32_t>(begin);
      const auto last = static_cast<int32_t>(end);
      if (positions == nullptr) return scan_pruned(graph, forest, scan, first, last, allowed, batch.cancel);
      return scan_pruned_items(graph, forest, *positions, scan, first, last, allowed, batch.cancel);
    };
    status = run_exact_search(pruned);
    if (!is_graph_fault(status)) return status;
    segment.graph->state.is_damaged.store(true);
    if (batch.done != nullptr) batch.done->store(0);
  }
  search.scan = [&](ExactScan* scan, int64_t begin, int64_t end) {
    const RowsView rows = item_rows(forest).part(begin, end);
    const Status scanned = scan->scan(rows, static_cast<int32_t>(begin), allowed, batch.cancel);
    return scanned.ok() ? forest.check_unchanged() : scanned;
  };
  return run_exact_search(search);
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status search_block(const Segment& segment, const BatchSearch& batch, int64_t first, int64_t size,
                    SegmentScratch* scratch) {
  const int64_t k = batch.options.k;
  const int64_t dimensions = segment.forest->view.layout().dimensions;
  for (int64_t query = first; query < first + size; query++) {
    int32_t* items = batch.items + query * k;
    float* distances = batch.distances + query * k;
    int32_t found = 0;
    const Status status =
        segment.search(batch.queries + query * dimensions, batch.options, scratch, items, distances, &found);
    if (!status.ok()) return status;
    std::fill(items + found, items + k, -1);
    std::fill(distances + found, distances + k, std::nanf(""));
  }
  return Status::success();
}

}  // namespace

int64_t Segment::heap_bytes() const { return (forest ? forest->heap_bytes() : 0) + (graph ? graph->heap_bytes() : 0); }

int64_t Segment::mapped_bytes() const {
  return (forest ? forest->mapped_bytes() : 0) + (graph ? graph->mapped_bytes() : 0);
}

Status Segment::search(const float* query, const SearchOptions& options, SegmentScratch* scratch, int32_t* items,
                       float* distances, int32_t* found) const {
  bool usable = false;
  Status status = check_graph(*this, nullptr, &usable);
  if (!status.ok()) return status;
  if (usable) {
    status = graph->view.search(forest->view, query, options, &scratch->graph, items, distances, found);
    if (!is_graph_fault(status)) return status;
    graph->state.is_damaged.store(true);
  }
  return forest->view.search(query, options, &scratch->forest, items, distances, found);
}

Status search_batch(const Segment& segment, const BatchSearch& batch) try {
  if (batch.exact) return search_exactly(segment, batch);
  ParallelWatch watch;
  watch.cancel = batch.cancel;
  return run_blocks(batch.threads, (batch.count + kSearchBlock - 1) / kSearchBlock, &watch, [&] {
    auto scratch = std::make_shared<SegmentScratch>();
    return [&segment, &batch, scratch](int64_t block) {
      const int64_t first = block * kSearchBlock;
      const int64_t size = std::min(kSearchBlock, batch.count - first);
      const Status status = search_block(segment, batch, first, size, scratch.get());
      if (batch.done != nullptr) batch.done->fetch_add(size);
      return status;
    };
  });
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status search_rows(const RowBuffer::Snapshot& rows, const NodeLayout& layout, int64_t limit,
                   const BatchSearch& batch) try {
  ExactSearch search = exact_search(batch, layout, limit < 0 ? rows.rows() : std::min(limit, rows.rows()));
  search.scan = [&](ExactScan* scan, int64_t begin, int64_t end) {
    return rows.scan(scan, batch.options.allowed, end, batch.cancel, begin);
  };
  return run_exact_search(search);
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
