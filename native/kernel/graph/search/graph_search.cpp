// One search of the graph: binary sketches choose the entries, a beam walks the graph, floats rank the results.

#include <algorithm>
#include <cmath>
#include <new>

#include "base/prefetch.h"
#include "base/status.h"
#include "distance/distance.h"
#include "distance/query.h"
#include "exact/scan.h"
#include "graph/graph_view.h"
#include "graph/position_items.h"
#include "graph/quantized_query.h"
#include "graph/quantized_rows.h"
#include "graph/row_estimates.h"
#include "graph/search/beam.h"
#include "graph/search/boosted_order.h"
#include "graph/search/float_ranking.h"
#include "graph/search/graph_search_memory.h"
#include "graph/search/level_scan.h"
#include "graph/search/search_entries.h"

namespace semantic_index {

namespace {

constexpr size_t kNeighborBytes = kMaxNeighbors * sizeof(uint32_t);
/** A search compares about this many items per slot of its beam. */
constexpr int64_t kComparedPerSlot = 8;
/** Items reranked by their floats beyond the k wanted: this many, or k / 2 if that is more. */
constexpr int64_t kReranked = 5;
/** Items compared by whole int8 values beyond those that are reranked. */
constexpr int64_t kRefined = 30;
/**
 * Costs in nanoseconds, measured roughly: per scanned row and per dimension of it; per slot of the beam, for the rows
 * compared, and for each other slot that is moved.
 */
constexpr double kScanRow = 20.0;
constexpr double kScanDimension = 0.35;
constexpr double kBeamSlot = 250.0;
constexpr double kBeamMove = 0.25;
/**
 * The beam of a boosted walk, in shares of its usual length: if it ends early, and where high factors are scanned
 * besides.
 */
constexpr double kBoostedBeam = 1.05;
constexpr double kBeamBesideScan = 0.2;

}  // namespace

struct GraphScratch::Memory : GraphSearchMemory {};

GraphScratch::GraphScratch() = default;
GraphScratch::~GraphScratch() = default;

/** One search. */
class GraphSearch {
 public:
  GraphSearch(const GraphView& view, const ForestView& forest, const SearchOptions& options,
              GraphScratch::Memory* memory)
      : view_(view),
        header_(view.header_),
        forest_(forest),
        layout_(forest.layout()),
        options_(options),
        memory_(*memory),
        table_(distances()),
        rows_(view),
        items_(view),
        neighbors_(view.section<uint8_t>(GraphSection::neighbors)),
        estimates_(view, memory->query),
        boosted_(layout_.metric, options.factors, items_),
        by_floats_(forest, options, &memory->nearest) {}

  Status run(const float* query, int32_t* items, float* distances_out, int32_t* found, GraphSearchStats* work) {
    const int64_t matches =
        options_.allowed.bits == nullptr ? header_.positions : count_allowed(table_, options_.allowed, header_);
    const int64_t k = std::min<int64_t>(options_.factors == nullptr ? options_.k : options_.best, matches);
    const int64_t search_k = options_.search_k > 0 ? options_.search_k : kDefaultSearchK;
    reranked_ = k + std::max<int64_t>(kReranked, k / 2);
    const int64_t wanted = std::max(reranked_, search_k / kComparedPerSlot);
    *found = 0;
    if (matches == 0) return Status::success();
    // A filter passes only a share of the items: widen the beam accordingly.
    const double positions = header_.positions;
    const double share = static_cast<double>(matches) / positions;
    double width = std::min(positions, std::ceil(static_cast<double>(wanted) / share));
    const double scan_time = static_cast<double>(matches) * (kScanRow + kScanDimension * header_.dimensions);
    if (scan_time <= width * (kBeamSlot + kBeamMove * width)) return scan(query, items, distances_out, found, work);
    // Distances below 0 have no shares, and the k-th that a filter allows is not known.
    ends_early_ = !is_filtered() && !estimates_.is_dot();
    LevelScanUse scan_use = is_boosted() ? memory_.levels.prepare(*options_.factors) : LevelScanUse::none;
    if (estimates_.is_dot()) scan_use = LevelScanUse::none;
    const bool has_scan = scan_use != LevelScanUse::none;
    double longer = is_boosted() ? kBoostedBeam : WalkEnd::kLongerBeam;
    if (has_scan) longer = kBeamBesideScan;
    if (has_scan || ends_early_) width = std::max(static_cast<double>(reranked_), longer * width);
    beam_ = static_cast<size_t>(std::min(positions, width));
    k_ = static_cast<size_t>(k);
    end_.set(k, search_k, is_boosted() ? WalkEnd::kBoostedSlack : WalkEnd::kSlack);
    prepare(query);
    Status status;
    if (scan_use != LevelScanUse::in_place_of_walk) status = walk_from_entries(query);
    if (status.ok() && has_scan) scan_levels();
    if (status.ok()) {
      choose_candidates();
      refine();
      rerank(query, items, distances_out, found);
    }
    clear();
    if (work != nullptr) *work = work_;
    if (!status.ok()) return status;
    if (header_.needs_trees != 0) {
      const Status joined = join_with_trees(query, items, distances_out, found);
      if (!joined.ok()) return joined;
    }
    if (*found < k) return scan(query, items, distances_out, found, work);
    return status;
  }

 private:
  static bool is_before(const Candidate& left, const Candidate& right) { return left.is_before(right); }
  bool is_filtered() const { return options_.allowed.bits != nullptr; }
  bool is_boosted() const { return options_.factors != nullptr; }

  Status scan(const float* query, int32_t* items, float* distances_out, int32_t* found, GraphSearchStats* work) {
    if (work != nullptr) work->scanned = true;
    ExactScan exact;
    Status status = exact.prepare(layout_, query, 1, options_.k);
    if (status.ok()) status = exact.scan(item_rows(forest_), 0, options_.allowed);
    if (status.ok()) status = forest_.check_unchanged();
    if (!status.ok()) return status;
    exact.finish(items, distances_out);
    *found = 0;
    while (*found < options_.k && items[*found] >= 0) ++*found;
    return status;
  }

  /** Quantizes the query and computes its sketch. */
  void prepare(const float* query) {
    memory_.query.set(layout_, view_.rotation(), estimates_.centroid(), header_.row_bytes, query);
    estimates_.prepare();
    view_.sketch_->write(memory_.query.vector.data(), memory_.sketch);
    const size_t words = (static_cast<size_t>(header_.distinct) + 63) / 64;
    if (memory_.seen.size() < words) memory_.seen.resize(words, 0);
    memory_.compared.clear();
    memory_.met.clear();
    memory_.beam.reset(beam_);
    if (is_boosted()) boosted_.use_levels(memory_.levels);
    if (is_boosted()) memory_.boosted.reset(static_cast<size_t>(reranked_ + kRefined), k_);
  }

  void clear() {
    for (uint32_t position : memory_.compared) memory_.seen[position / 64] = 0;
  }

  /** True the first time in this search. */
  bool mark(uint32_t position) {
    uint64_t& word = memory_.seen[position / 64];
    const uint64_t bit = uint64_t{1} << (position % 64);
    if ((word & bit) != 0) return false;
    word |= bit;
    memory_.compared.push_back(position);
    return true;
  }

  const uint8_t* neighbors(uint32_t position) const {
    return neighbors_ + static_cast<size_t>(position) * kNeighborBytes;
  }

  /**
   * Compares marked positions and offers them to the beam. Returns the first slot that changed, or the size of the
   * beam.
   */
  size_t compare(const uint32_t* positions, size_t count) {
    size_t first = memory_.beam.size();
    const auto position_of = [positions](size_t index) { return positions[index]; };
    rows_.sum(Nibbles::high, memory_.query, count, position_of, [&](size_t index, int32_t sum) {
      const uint32_t position = positions[index];
      const Candidate candidate(estimates_.by_high(position, memory_.query.high_product(sum)), position);
      if (!is_filtered() || items_.is_allowed(options_.allowed, position)) meet(candidate);
      if (!end_.is_far(candidate)) first = std::min(first, memory_.beam.enter(candidate));
      return true;
    });
    work_.compared += static_cast<int64_t>(count);
    if (ends_early_) set_limits();
    return first;
  }

  void set_limits() {
    if (is_boosted()) return end_.approach(memory_.boosted.reach(), Candidate(), estimates_);
    Beam& beam = memory_.beam;
    const auto needed = static_cast<size_t>(reranked_);
    const auto wanted = static_cast<size_t>(reranked_ + kRefined);
    if (beam.size() < wanted) return;
    const Candidate last = std::max(beam[wanted - 1], limit_of(beam[needed - 1], estimates_), is_before);
    end_.approach(beam[k_ - 1].distance(), last, estimates_);
  }

  void meet(const Candidate& candidate) {
    if (is_boosted()) return memory_.boosted.offer(boosted_, candidate);
    memory_.met.push_back(candidate);
  }

  /** Prefetches the bytes that `compare` reads for a position. */
  void prefetch_row(uint32_t position) const {
    rows_.prefetch_row(Nibbles::high, position);
    estimates_.prefetch_norms(position);
  }

  Status walk_from_entries(const float* query) {
    const Status status = SearchEntries(view_, forest_, options_.allowed, &memory_.entries).find(query, memory_.sketch);
    return status.ok() ? walk() : status;
  }

  /** Compares the entry positions of the walk. */
  void enter() {
    const std::vector<uint32_t>& entries = memory_.entries.positions;
    uint32_t fresh[kMaxNeighbors];
    for (size_t slot = 0; slot < entries.size();) {
      size_t count = 0;
      for (; slot < entries.size() && count < kMaxNeighbors; ++slot) {
        if (!mark(entries[slot])) continue;
        prefetch_row(entries[slot]);
        fresh[count++] = entries[slot];
      }
      compare(fresh, count);
    }
  }

  /**
   * Follows the graph from the entries, expanding the nearest candidate first. While the rows of its neighbors are
   * fetched from memory, the neighbors of the previous candidate are compared.
   */
  Status walk() {
    uint32_t arriving[kMaxNeighbors];
    uint32_t arrived[kMaxNeighbors];
    size_t count = 0;
    Beam& beam = memory_.beam;
    size_t next = 0;
    enter();
    while (true) {
      while (next < beam.size() && beam[next].is_expanded()) ++next;
      size_t coming = 0;
      if (next < beam.size() && !end_.is_before(beam[next])) {
        const Status status = expand(&beam[next], arriving, &coming);
        if (!status.ok()) return status;
      } else if (count == 0) {
        return Status::success();
      }
      next = std::min(compare(arrived, count), next);
      count = coming;
      std::copy_n(arriving, coming, arrived);
      // Prefetch the neighbor lists of the likely next candidates.
      for (size_t slot = next, wanted = 2; slot < beam.size() && wanted > 0; ++slot) {
        if (beam[slot].is_expanded()) continue;
        prefetch(neighbors(beam[slot].position()), kNeighborBytes);
        --wanted;
      }
    }
  }

  /**
   * Compares items with high factors that may have one of the k highest products. The walk has met about all that are
   * as near as the nearer half of its beam.
   */
  void scan_levels() {
    BoostedBeam& boosted = memory_.boosted;
    LevelScan& levels = memory_.levels;
    boosted.settle(boosted_);
    const double most =
        boosted_.score_of(memory_.beam.size() == 0 ? 0 : memory_.beam[memory_.beam.size() / 2].distance());
    for (const LevelChunk& chunk : levels.choose(boosted.least_of_k(), most)) {
      const double needed = levels.needed_score(chunk, boosted.least_of_k());
      if (needed > most) break;
      uint32_t fresh[kMaxNeighbors];
      size_t count = 0;
      const double square = boosted_.estimate_of(needed);
      levels.find(chunk, memory_.sketch, estimates_.query_square(), square, [&](uint32_t position) {
        if (is_filtered() && !items_.is_allowed(options_.allowed, position)) return;
        if (!mark(position)) return;
        prefetch_row(position);
        fresh[count++] = position;
        if (count < kMaxNeighbors) return;
        compare(fresh, count);
        count = 0;
      });
      compare(fresh, count);
      boosted.settle(boosted_);
    }
  }

  /** Lists the unseen neighbors of a candidate and prefetches their rows. */
  Status expand(Candidate* candidate, uint32_t* fresh, size_t* count) {
    const uint8_t* numbers = neighbors(candidate->position());
    candidate->expand();
    for (size_t rank = 0; rank < kMaxNeighbors; ++rank) {
      const auto other = static_cast<uint32_t>(read_int32(numbers + 4 * rank));
      if (other == kNoNeighbor) break;
      if (other >= static_cast<uint32_t>(header_.distinct)) return corrupt("a neighbor does not exist");
      if (!mark(other)) continue;
      prefetch_row(other);
      fresh[(*count)++] = other;
    }
    return Status::success();
  }

  /**
   * Selects the best positions of the walk by their high nibbles, and all that high nibbles cannot distinguish from
   * these, such as near-duplicates. They are in the beam unless it is full of them.
   */
  void choose_candidates() {
    std::vector<uint32_t>& candidates = memory_.candidates;
    candidates.clear();
    const auto needed = static_cast<size_t>(reranked_);
    const auto wanted = static_cast<size_t>(reranked_ + kRefined);
    if (is_boosted()) {
      BoostedBeam& boosted = memory_.boosted;
      boosted.settle(boosted_);
      for (size_t rank = 0; rank < boosted.size(); ++rank) candidates.push_back(boosted.position(rank));
      return;
    }
    Beam& beam = memory_.beam;
    if (!is_filtered() && beam.size() >= needed) {
      const Candidate limit = limit_of(beam[needed - 1], estimates_);
      if (beam.size() < beam_ || limit.is_before(beam[beam.size() - 1])) {
        for (size_t slot = 0; slot < beam.size(); ++slot) {
          if (slot >= wanted && limit.is_before(beam[slot])) break;
          candidates.push_back(beam[slot].position());
        }
        return;
      }
    }
    keep_nearest(&memory_.met, needed, wanted, [this](const Candidate& last) { return limit_of(last, estimates_); });
    for (const Candidate& candidate : memory_.met) candidates.push_back(candidate.position());
  }

  /** Compares the candidates by whole int8 values. */
  void refine() {
    const std::vector<uint32_t>& candidates = memory_.candidates;
    for (uint32_t position : candidates) rows_.prefetch_row(Nibbles::low, position);
    std::vector<Candidate>& refined = memory_.refined;
    refined.clear();
    const auto position_of = [&candidates](size_t index) { return candidates[index]; };
    std::vector<int32_t>& high_sums = memory_.high_sums;
    high_sums.resize(candidates.size());
    rows_.sum(Nibbles::high, memory_.query, candidates.size(), position_of, [&high_sums](size_t index, int32_t sum) {
      high_sums[index] = sum;
      return true;
    });
    rows_.sum(Nibbles::low, memory_.query, candidates.size(), position_of, [&](size_t index, int32_t sum) {
      const int32_t product = memory_.query.whole_product(high_sums[index], sum);
      const float distance = estimates_.by_whole(candidates[index], product);
      refined.emplace_back(distance, candidates[index]);
      return true;
    });
    if (is_boosted()) boosted_.score(&refined);
    work_.refined += static_cast<int64_t>(candidates.size());
    std::sort(refined.begin(), refined.end(), is_before);
  }

  /** Compares the best by their floats, and all that int8 values cannot distinguish from the best. */
  void rerank(const float* query, int32_t* items, float* distances_out, int32_t* found) {
    const std::vector<Candidate>& refined = memory_.refined;
    const auto needed = std::min(refined.size(), static_cast<size_t>(reranked_));
    for (size_t slot = 0; slot < needed; ++slot) by_floats_.prefetch_item(items_.item_of(refined[slot].position()));
    const Query target = Query::of_floats(layout_, query);
    by_floats_.begin();
    for (size_t slot = 0; slot < refined.size(); ++slot) {
      const float limit = by_floats_.limit();
      if (slot >= needed && (is_boosted() || refined[slot].distance() > limit + estimates_.whole_uncertainty(limit))) {
        break;
      }
      const uint32_t position = refined[slot].position();
      by_floats_.offer(target, items_.item_of(position));
      ++work_.reranked;
      // Of copies with equal bytes, the first k suffice: they are ordered by item.
      int32_t same = 1;
      items_.for_each_copy(position, [&](uint32_t item, bool has_same_bytes) {
        if (!has_same_bytes) same = 0;
        if (same < options_.k && by_floats_.offer(target, item)) ++same;
        return true;
      });
    }
    *found = by_floats_.write(items, distances_out);
  }

  /** Searches the trees too, and keeps the nearest of both. */
  Status join_with_trees(const float* query, int32_t* items, float* distances_out, int32_t* found) {
    std::vector<int32_t>& others = memory_.tree_items;
    others.resize(static_cast<size_t>(options_.k));
    int32_t size = 0;
    const Status status = forest_.search(query, options_, &memory_.forest, others.data(), nullptr, &size);
    if (!status.ok()) return status;
    const Query target = Query::of_floats(layout_, query);
    std::vector<int32_t> both(items, items + *found);
    both.insert(both.end(), others.begin(), others.begin() + size);
    std::sort(both.begin(), both.end());
    both.erase(std::unique(both.begin(), both.end()), both.end());
    by_floats_.begin();
    for (int32_t item : both) by_floats_.offer(target, static_cast<uint32_t>(item));
    *found = by_floats_.write(items, distances_out);
    return status;
  }

  const GraphView& view_;
  const GraphHeader& header_;
  const ForestView& forest_;
  const NodeLayout& layout_;
  const SearchOptions& options_;
  GraphScratch::Memory& memory_;
  const DistanceTable& table_;
  const QuantizedRows rows_;
  const PositionItems items_;
  const uint8_t* neighbors_;
  RowEstimates estimates_;
  BoostedOrder boosted_;
  FloatRanking by_floats_;
  size_t beam_ = 0;
  size_t k_ = 0;
  bool ends_early_ = false;
  WalkEnd end_;
  int64_t reranked_ = 0;
  GraphSearchStats work_;
};

Status GraphView::search(const ForestView& forest, const float* query, const SearchOptions& options,
                         GraphScratch* scratch, int32_t* items, float* distances_out, int32_t* found,
                         GraphSearchStats* work) const try {
  *found = 0;
  if (options.k < 1) return Status::failure(StatusCode::invalid_argument, "k must be at least 1");
  if (options.search_k < -1 || options.search_k == 0) {
    return Status::failure(StatusCode::invalid_argument, "search_k must be at least 1, or -1");
  }
  if (scratch->memory_ == nullptr) scratch->memory_ = std::make_unique<GraphScratch::Memory>();
  const Status status =
      GraphSearch(*this, forest, options, scratch->memory_.get()).run(query, items, distances_out, found, work);
  const Status own = check_unchanged();
  if (!own.ok()) return own;
  const Status unchanged = forest.check_unchanged();
  return unchanged.ok() ? status : unchanged;
} catch (const std::bad_alloc&) {
  // Marks of this search must not persist.
  scratch->memory_.reset();
  return Status::no_memory();
}

}  // namespace semantic_index
