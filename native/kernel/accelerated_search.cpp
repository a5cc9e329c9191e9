// One accelerated search: sketches of landmarks tell where to begin, a beam walks the graph, floats decide.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>

#include "accelerator_view.h"
#include "beam.h"
#include "distance.h"
#include "integer_query.h"
#include "integer_rows.h"
#include "prefetch.h"
#include "query.h"
#include "scan.h"

namespace semantic_index {

namespace {

Status corrupt(const char* message) { return Status::failure(StatusCode::corrupt, message); }

/** Landmarks that a walk begins at. */
constexpr size_t kEntries = 32;
/** With a filter, so many more that it allows. */
constexpr size_t kAllowedEntries = 16;
/** Landmarks that are looked at together before any of them is looked at closely. */
constexpr size_t kLandmarkBlock = 32;
constexpr size_t kNeighborBytes = kMostNeighbors * sizeof(uint32_t);
/** A search compares about this many items for each place of its beam. */
constexpr int64_t kComparedPerPlace = 8;
/** Items that are compared by their floats, beyond those wanted; at least half as many as these. */
constexpr int64_t kReranked = 5;
/** Items that are compared by the whole of their integers, beyond those that are compared by their floats. */
constexpr int64_t kRefined = 30;
/**
 * Nanoseconds, measured roughly: a row of a scan and each of its dimensions; a place of the beam, for what is compared
 * on its behalf, and for each other place that has to move aside.
 */
constexpr double kScanRow = 20.0;
constexpr double kScanDimension = 0.35;
constexpr double kBeamPlace = 250.0;
constexpr double kBeamMove = 0.25;

}  // namespace

struct AcceleratorScratch::Memory {
  IntegerQuery query;
  uint64_t sketch[kSketchWords];
  /** In how many bits the sketch of each landmark differs from the query's, up to a whole block. */
  std::vector<uint8_t> differences;
  /** The least of them in each block. */
  std::vector<uint8_t> least;
  /** The landmarks that differ least, of all and of those allowed; a distance is the number of bits. */
  Beam entries;
  Beam allowed_entries;
  /** A bit for each position that was compared in this search; `compared` lists them, to clear the bits. */
  std::vector<uint64_t> seen;
  std::vector<uint32_t> compared;
  /** The best of a walk. */
  std::vector<uint32_t> candidates;
  /** For each of them, the sum of products with its upper half. */
  std::vector<int32_t> upper_sums;
  Beam beam;
  NearestHeap allowed;
  Beam refined;
  NearestHeap nearest;
};

AcceleratorScratch::AcceleratorScratch() = default;
AcceleratorScratch::~AcceleratorScratch() = default;

/** One search. */
class AcceleratedSearch {
 public:
  AcceleratedSearch(const AcceleratorView& view, const ForestView& forest, const SearchOptions& options,
                    AcceleratorScratch::Memory* memory)
      : view_(view),
        header_(view.header_),
        forest_(forest),
        layout_(forest.layout()),
        options_(options),
        memory_(*memory),
        table_(distances()),
        rows_(view),
        neighbors_(view.section<uint8_t>(AcceleratorSection::neighbors)),
        items_(view.section<int32_t>(AcceleratorSection::items)) {}

  Status run(const float* query, int32_t* items, float* distances_out, int32_t* found, AcceleratedWork* work) {
    const int64_t matches = options_.allowed.bits == nullptr ? header_.positions : count_allowed();
    const int64_t k = std::min<int64_t>(options_.k, matches);
    const int64_t search_k = options_.search_k > 0 ? options_.search_k : kDefaultSearchK;
    reranked_ = k + std::max<int64_t>(kReranked, k / 2);
    const int64_t wanted = std::max(reranked_, search_k / kComparedPerPlace);
    *found = 0;
    if (matches == 0) return Status::success();
    // A filter lets only a part through, so the beam is wider by that.
    const double positions = header_.positions;
    const double share = static_cast<double>(matches) / positions;
    const double width = std::min(positions, std::ceil(static_cast<double>(wanted) / share));
    const double scan_time = static_cast<double>(matches) * (kScanRow + kScanDimension * header_.dimensions);
    if (scan_time <= width * (kBeamPlace + kBeamMove * width)) return scan(query, items, distances_out, found, work);
    beam_ = static_cast<size_t>(width);
    prepare(query);
    find_entries();
    const Status status = walk();
    if (status.ok()) {
      choose_candidates();
      refine();
      rerank(query, items, distances_out, found);
    }
    clear();
    if (work != nullptr) *work = work_;
    if (!status.ok()) return status;
    if (*found < k) return scan(query, items, distances_out, found, work);
    return status;
  }

 private:
  bool is_filtered() const { return options_.allowed.bits != nullptr; }

  int64_t count_allowed() const {
    constexpr size_t kPiece = 64;
    constexpr uint64_t kZeros[kPiece] = {};
    const int64_t words = std::min<int64_t>(options_.allowed.words, (static_cast<int64_t>(header_.items) + 31) / 32);
    int64_t count = 0;
    for (int64_t word = 0; word < words; word += 2 * kPiece) {
      uint64_t piece[kPiece] = {};
      const int64_t size = std::min<int64_t>(2 * kPiece, words - word);
      std::memcpy(piece, options_.allowed.bits + word, static_cast<size_t>(size) * 4);
      count += static_cast<int64_t>(table_.hamming(piece, kZeros, kPiece));
    }
    return std::min<int64_t>(count, header_.positions);
  }

  Status scan(const float* query, int32_t* items, float* distances_out, int32_t* found, AcceleratedWork* work) {
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

  /** The query as the rows are, and as a sketch. */
  void prepare(const float* query) {
    const auto dimensions = static_cast<size_t>(header_.dimensions);
    const float* centre = view_.section<float>(AcceleratorSection::centre);
    memory_.query.set(layout_, view_.rotation(), centre, header_.row_bytes, query);
    float* vector = memory_.query.vector.data();
    if (layout_.metric == Metric::euclidean) {
      norms_ = view_.section<float>(AcceleratorSection::norms);
      factor_ = 2.0f * memory_.query.scale * header_.scale;
    }
    if (layout_.metric == Metric::angular) {
      for (size_t i = 0; i < dimensions; ++i) vector[i] -= centre[i];
    }
    view_.sketch_->write(vector, memory_.sketch);
    const size_t words = (static_cast<size_t>(header_.positions) + 63) / 64;
    if (memory_.seen.size() < words) memory_.seen.resize(words, 0);
    memory_.compared.clear();
    memory_.beam.reset(beam_);
    if (is_filtered()) memory_.allowed.reset(static_cast<int32_t>(reranked_ + kRefined));
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

  /** The item at a position, which may be anything in bytes of strangers. */
  uint32_t item_of(uint32_t position) const { return static_cast<uint32_t>(items_[position]); }

  const uint8_t* neighbors(uint32_t position) const {
    return neighbors_ + static_cast<size_t>(position) * kNeighborBytes;
  }

  /** Compares the sketches of all landmarks, and keeps the nearest; with a filter, the nearest that it allows too. */
  void find_entries() {
    const size_t count = landmark_count(header_);
    const size_t blocks = (count + kLandmarkBlock - 1) / kLandmarkBlock;
    std::vector<uint8_t>& differences = memory_.differences;
    differences.assign(blocks * kLandmarkBlock, UINT8_MAX);
    table_.hamming_columns(memory_.sketch, view_.section<uint64_t>(AcceleratorSection::landmarks), kSketchWords, count,
                           differences.data());
    // As many blocks as entries are wanted hold one at most so far away: no entry is farther.
    std::vector<uint8_t>& least = memory_.least;
    least.resize(blocks);
    std::array<uint32_t, UINT8_MAX + 1> blocks_at{};
    for (size_t block = 0; block < blocks; ++block) {
      uint8_t nearest = UINT8_MAX;
      const uint8_t* numbers = differences.data() + block * kLandmarkBlock;
      for (size_t i = 0; i < kLandmarkBlock; ++i) nearest = nearest < numbers[i] ? nearest : numbers[i];
      least[block] = nearest;
      ++blocks_at[nearest];
    }
    size_t limit = 0;
    for (size_t near = blocks_at[0]; near < std::min(kEntries, blocks); near += blocks_at[limit]) ++limit;
    memory_.entries.reset(kEntries);
    for (size_t block = 0; block < blocks; ++block) {
      if (least[block] > limit) continue;
      for (size_t landmark = block * kLandmarkBlock; landmark < (block + 1) * kLandmarkBlock; ++landmark) {
        const uint8_t difference = differences[landmark];
        if (difference > limit || landmark >= count) continue;
        memory_.entries.enter({static_cast<float>(difference), position_of(landmark)});
      }
    }
    memory_.allowed_entries.reset(kAllowedEntries);
    for (size_t landmark = 0; is_filtered() && landmark < count; ++landmark) {
      const auto difference = static_cast<float>(differences[landmark]);
      if (memory_.allowed_entries.is_beyond(difference)) continue;
      const uint32_t position = position_of(landmark);
      if (options_.allowed.contains(item_of(position))) memory_.allowed_entries.enter({difference, position});
    }
  }

  uint32_t position_of(size_t landmark) const {
    return static_cast<uint32_t>(landmark * static_cast<size_t>(header_.landmark_stride));
  }

  float distance_of(uint32_t position, int32_t product) const {
    const auto value = static_cast<float>(product);
    return norms_ == nullptr ? -value : norms_[position] - factor_ * value;
  }

  /** Compares positions that are marked, and offers them to the beam; the first place that changed, or the beam's size.
   */
  size_t compare(const uint32_t* positions, size_t count) {
    size_t first = memory_.beam.size();
    const auto position_of = [positions](size_t index) { return positions[index]; };
    rows_.sum_upper(memory_.query, count, position_of, [&](size_t index, int32_t sum) {
      const uint32_t position = positions[index];
      const float distance = distance_of(position, memory_.query.upper_product(sum));
      if (is_filtered() && distance <= memory_.allowed.limit() && options_.allowed.contains(item_of(position))) {
        memory_.allowed.offer(distance, static_cast<int32_t>(position));
      }
      first = std::min(first, memory_.beam.enter({distance, position}));
    });
    work_.compared += static_cast<int64_t>(count);
    return first;
  }

  /**
   * Follows the graph from the entries, always from the nearest spot that was not expanded. While the rows of a spot's
   * neighbours are on their way from memory, those of the spot before it are compared.
   */
  Status walk() {
    static_assert(kEntries <= kMostNeighbors && kAllowedEntries <= kMostNeighbors, "entries are compared at once");
    uint32_t arriving[kMostNeighbors];
    uint32_t arrived[kMostNeighbors];
    size_t count = 0;
    Beam& beam = memory_.beam;
    size_t next = 0;
    for (Beam* entries : {&memory_.entries, &memory_.allowed_entries}) {
      size_t coming = 0;
      for (size_t place = 0; place < entries->size(); ++place) {
        const uint32_t position = (*entries)[place].position();
        if (!mark(position)) continue;
        rows_.prefetch_upper(position);
        prefetch(neighbors(position), kNeighborBytes);
        arriving[coming++] = position;
      }
      compare(arriving, coming);
    }
    while (true) {
      while (next < beam.size() && beam[next].is_expanded()) ++next;
      size_t coming = 0;
      if (next < beam.size()) {
        const Status status = expand(&beam[next], arriving, &coming);
        if (!status.ok()) return status;
      } else if (count == 0) {
        return Status::success();
      }
      next = std::min(compare(arrived, count), next);
      count = coming;
      std::copy_n(arriving, coming, arrived);
      // What is likely to be next: its neighbours are read while others are compared.
      for (size_t place = next, wanted = 2; place < beam.size() && wanted > 0; ++place) {
        if (beam[place].is_expanded()) continue;
        prefetch(neighbors(beam[place].position()), kNeighborBytes);
        --wanted;
      }
    }
  }

  /** Lists the neighbours of a spot that were not met before, and asks for their rows. */
  Status expand(Spot* spot, uint32_t* fresh, size_t* count) {
    const uint8_t* numbers = neighbors(spot->position());
    spot->expand();
    for (size_t rank = 0; rank < kMostNeighbors; ++rank) {
      const auto other = static_cast<uint32_t>(read_int32(numbers + 4 * rank));
      if (other == kNoNeighbor) break;
      if (other >= static_cast<uint32_t>(header_.positions)) return corrupt("a neighbour does not exist");
      if (!mark(other)) continue;
      rows_.prefetch_upper(other);
      fresh[(*count)++] = other;
    }
    return Status::success();
  }

  /** The best of the walk, as far as upper halves tell. */
  void choose_candidates() {
    std::vector<uint32_t>& candidates = memory_.candidates;
    candidates.clear();
    if (is_filtered()) {
      for (const Neighbor& neighbor : memory_.allowed.sorted()) {
        candidates.push_back(static_cast<uint32_t>(neighbor.item));
      }
    } else {
      const size_t count = std::min(memory_.beam.size(), static_cast<size_t>(reranked_ + kRefined));
      for (size_t place = 0; place < count; ++place) candidates.push_back(memory_.beam[place].position());
    }
    for (uint32_t position : candidates) rows_.prefetch_lower(position);
  }

  /** Compares the candidates by their whole integers. */
  void refine() {
    const std::vector<uint32_t>& candidates = memory_.candidates;
    Beam& refined = memory_.refined;
    refined.reset(static_cast<size_t>(reranked_));
    const auto position_of = [&candidates](size_t index) { return candidates[index]; };
    std::vector<int32_t>& upper_sums = memory_.upper_sums;
    upper_sums.resize(candidates.size());
    rows_.sum_upper(memory_.query, candidates.size(), position_of,
                    [&upper_sums](size_t index, int32_t sum) { upper_sums[index] = sum; });
    rows_.sum_lower(memory_.query, candidates.size(), position_of, [&](size_t index, int32_t sum) {
      const int32_t product = memory_.query.whole_product(upper_sums[index], sum);
      refined.enter({distance_of(candidates[index], product), candidates[index]});
    });
  }

  /** Compares the best of these by their floats. */
  void rerank(const float* query, int32_t* items, float* distances_out, int32_t* found) {
    std::vector<uint32_t>& chosen = memory_.candidates;
    chosen.clear();
    for (size_t place = 0; place < memory_.refined.size(); ++place) {
      chosen.push_back(item_of(memory_.refined[place].position()));
    }
    for (uint32_t item : chosen) {
      if (item < static_cast<uint32_t>(forest_.items())) {
        prefetch(forest_.node(static_cast<int32_t>(item)), layout_.node_bytes);
      }
    }
    const Query target = Query::of_floats(layout_, query);
    memory_.nearest.reset(options_.k);
    for (uint32_t item : chosen) {
      const auto number = static_cast<int32_t>(item);
      if (item >= static_cast<uint32_t>(forest_.items()) || !forest_.has_item(number)) continue;
      const uint8_t* node = forest_.node(number);
      const float norm = layout_.metric == Metric::angular ? read_float(node + kAngularNormOffset) : 0.0f;
      memory_.nearest.offer(target.distance(table_, node + layout_.vector_offset, norm), number);
    }
    const std::vector<Neighbor>& sorted = memory_.nearest.sorted();
    for (size_t rank = 0; rank < sorted.size(); ++rank) {
      items[rank] = sorted[rank].item;
      if (distances_out != nullptr) distances_out[rank] = public_distance(layout_.metric, sorted[rank].distance);
    }
    *found = static_cast<int32_t>(sorted.size());
  }

  const AcceleratorView& view_;
  const AcceleratorHeader& header_;
  const ForestView& forest_;
  const NodeLayout& layout_;
  const SearchOptions& options_;
  AcceleratorScratch::Memory& memory_;
  const DistanceTable& table_;
  const IntegerRows rows_;
  const uint8_t* neighbors_;
  const int32_t* items_;
  const float* norms_ = nullptr;
  float factor_ = 0;
  size_t beam_ = 0;
  int64_t reranked_ = 0;
  AcceleratedWork work_;
};

Status AcceleratorView::search(const ForestView& forest, const float* query, const SearchOptions& options,
                               AcceleratorScratch* scratch, int32_t* items, float* distances_out, int32_t* found,
                               AcceleratedWork* work) const try {
  *found = 0;
  if (options.k < 1) return Status::failure(StatusCode::invalid_argument, "k must be at least 1");
  if (options.search_k < -1 || options.search_k == 0) {
    return Status::failure(StatusCode::invalid_argument, "search_k must be at least 1, or -1");
  }
  if (scratch->memory_ == nullptr) scratch->memory_ = std::make_unique<AcceleratorScratch::Memory>();
  const Status status =
      AcceleratedSearch(*this, forest, options, scratch->memory_.get()).run(query, items, distances_out, found, work);
  const Status own = check_unchanged();
  if (!own.ok()) return own;
  const Status unchanged = forest.check_unchanged();
  return unchanged.ok() ? status : unchanged;
} catch (const std::bad_alloc&) {
  // What was marked must not stay so.
  scratch->memory_.reset();
  return Status::no_memory();
}

}  // namespace semantic_index
