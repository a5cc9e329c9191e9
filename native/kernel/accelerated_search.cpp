// One accelerated search: a walk over the trees finds entry points, a beam walks the graph, floats decide.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>

#include "accelerator_view.h"
#include "beam.h"
#include "distance.h"
#include "int8_vector.h"
#include "prefetch.h"
#include "query.h"
#include "scan.h"

namespace semantic_index {

namespace {

Status corrupt(const char* message) { return Status::failure(StatusCode::corrupt, message); }

/** Entry points of a walk. */
constexpr size_t kEntries = 16;
/** Items that leaves must offer before the entry points are chosen among them. */
constexpr int64_t kLeafItems = 1000;
/** Planes that are looked at together, so that their rows come from memory together. */
constexpr size_t kPlanes = 4;
/** A search compares about this many items for each place of its beam. */
constexpr int64_t kComparedPerPlace = 8;
/** Items that are compared by their floats, beyond those wanted. */
constexpr int32_t kReranked = 10;
/**
 * Nanoseconds, measured roughly: a row of a scan and each of its dimensions; a place of the beam, for what is compared
 * on its behalf, and for each other place that has to move aside.
 */
constexpr double kScanRow = 20.0;
constexpr double kScanDimension = 0.35;
constexpr double kBeamPlace = 250.0;
constexpr double kBeamMove = 0.25;

/** A node of a tree to visit. */
struct Visit {
  float priority;
  int32_t child;

  bool operator<(const Visit& other) const {
    return priority < other.priority || (priority == other.priority && child < other.child);
  }
};

}  // namespace

struct AcceleratorScratch::Memory {
  std::vector<float> query;
  std::vector<int8_t> row;
  std::vector<Visit> visits;
  /** The items of leaves whose sketches differ least from the query's; a distance is the number of bits. */
  Beam entries;
  /** In how many bits the sketches of a leaf differ from the query's. */
  std::vector<uint8_t> differences;
  /** A bit for each position that was compared in this search; `compared` lists them, to clear the bits. */
  std::vector<uint64_t> seen;
  std::vector<uint32_t> compared;
  /** What is to be compared by its floats. */
  std::vector<uint32_t> chosen;
  Beam beam;
  NearestHeap allowed;
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
        records_(view.section<uint8_t>(AcceleratorSection::records)),
        record_bytes_(record_bytes(header_.row_bytes)),
        items_(view.section<int32_t>(AcceleratorSection::items)) {}

  Status run(const float* query, int32_t* items, float* distances_out, int32_t* found, AcceleratedWork* work) {
    const int64_t matches = options_.allowed.bits == nullptr ? header_.positions : count_allowed();
    const int64_t k = std::min<int64_t>(options_.k, matches);
    const int64_t search_k = options_.search_k > 0 ? options_.search_k : kDefaultSearchK;
    const int64_t wanted = std::max<int64_t>(k, search_k / kComparedPerPlace);
    *found = 0;
    if (matches == 0) return Status::success();
    // A filter lets only a part through, so the beam is wider by that.
    const double positions = header_.positions;
    const double share = static_cast<double>(matches) / positions;
    const double width = std::min(positions, std::ceil(static_cast<double>(wanted) / share));
    const double scan_time = static_cast<double>(matches) * (kScanRow + kScanDimension * header_.dimensions);
    if (scan_time <= width * (kBeamPlace + kBeamMove * width)) return scan(query, items, distances_out, found, work);
    beam_ = static_cast<size_t>(width);
    reranked_ = std::min<int64_t>(std::max<int64_t>(wanted, k), k + std::max<int64_t>(kReranked, k / 2));
    prepare(query);
    Status status = find_entries();
    if (status.ok()) status = walk();
    if (status.ok()) rerank(query, items, distances_out, found);
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

  /** The query as the rows are: centred for euclidean, of length 1 for angular, as integers, as a sketch. */
  void prepare(const float* query) {
    const auto dimensions = static_cast<size_t>(header_.dimensions);
    const float* centre = view_.section<float>(AcceleratorSection::centre);
    memory_.query.assign(query, query + dimensions);
    float* vector = memory_.query.data();
    if (layout_.metric == Metric::angular) {
      const float square = table_.dot(vector, vector, dimensions);
      const float inverse = square > 0 ? 1.0f / std::sqrt(square) : 0.0f;
      for (size_t i = 0; i < dimensions; ++i) vector[i] *= inverse;
    } else if (layout_.metric == Metric::euclidean) {
      for (size_t i = 0; i < dimensions; ++i) vector[i] -= centre[i];
    }
    memory_.row.resize(header_.row_bytes);
    const float scale = int8_scale(vector, dimensions);
    write_int8(vector, dimensions, scale, memory_.row.data(), header_.row_bytes);
    query_scale_ = scale;
    if (layout_.metric == Metric::euclidean) {
      norms_ = view_.section<float>(AcceleratorSection::norms);
      factor_ = 2.0f * scale * header_.scale;
    }
    if (layout_.metric == Metric::angular) {
      for (size_t i = 0; i < dimensions; ++i) vector[i] -= centre[i];
    }
    sketch_ = view_.sketch_->of(vector);
    const size_t words = (static_cast<size_t>(header_.positions) + 63) / 64;
    if (memory_.seen.size() < words) memory_.seen.resize(words, 0);
    memory_.compared.clear();
    memory_.beam.reset(beam_);
    if (is_filtered()) memory_.allowed.reset(reranked_);
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

  const int8_t* row(uint32_t position) const {
    return reinterpret_cast<const int8_t*>(records_ + static_cast<size_t>(position) * record_bytes_);
  }

  /** A best-first walk over all trees, until leaves with enough items were met; of those, the best are entry points. */
  Status find_entries() {
    std::vector<Visit>& visits = memory_.visits;
    visits.clear();
    memory_.entries.reset(kEntries);
    const int32_t* roots = view_.section<int32_t>(AcceleratorSection::roots);
    const PlaneFacts* facts = view_.section<PlaneFacts>(AcceleratorSection::plane_facts);
    const int8_t* planes = view_.section<int8_t>(AcceleratorSection::planes);
    const size_t row_bytes = header_.row_bytes;
    for (int32_t tree = 0; tree < header_.trees; ++tree) {
      visits.push_back({std::numeric_limits<float>::infinity(), roots[tree]});
    }
    std::make_heap(visits.begin(), visits.end());
    int64_t met = 0;
    // Children have higher numbers than their planes, so a walk ends; in a forest it visits each node once.
    int64_t visits_left = static_cast<int64_t>(header_.planes) + header_.leaves;
    while (met < kLeafItems && !visits.empty()) {
      Visit next[kPlanes];
      const int8_t* rows[kPlanes];
      size_t count = 0;
      while (count < kPlanes && met < kLeafItems && !visits.empty()) {
        if (--visits_left < 0) return corrupt("the accelerator's trees are none");
        std::pop_heap(visits.begin(), visits.end());
        const Visit visit = visits.back();
        visits.pop_back();
        if (visit.child >= header_.planes) return corrupt("a child is no plane of the accelerator");
        if (visit.child >= 0) {
          rows[count] = planes + static_cast<size_t>(visit.child) * row_bytes;
          prefetch(rows[count], row_bytes);
          prefetch(facts + visit.child, sizeof *facts);
          next[count++] = visit;
        } else {
          const int64_t members = look_at_leaf(~visit.child);
          if (members < 0) return corrupt("a leaf of the accelerator is none");
          met += members;
        }
      }
      if (count == 0) continue;
      for (size_t place = count; place < kPlanes; ++place) rows[place] = rows[0];
      int32_t products[kPlanes];
      table_.dot_int8_four(memory_.row.data(), rows, row_bytes, products);
      work_.planes += static_cast<int64_t>(count);
      for (size_t place = 0; place < count; ++place) {
        const Visit& visit = next[place];
        const PlaneFacts& fact = facts[visit.child];
        const float margin = fact.scale * query_scale_ * static_cast<float>(products[place]) + fact.offset;
        for (int side = 0; side < 2; ++side) {
          const int32_t child = read_int32(reinterpret_cast<const uint8_t*>(fact.children + side));
          if (child >= 0 && child <= visit.child) return corrupt("a child comes before its parent");
          const float toward = side == 1 ? margin : -margin;
          visits.push_back({toward < visit.priority ? toward : visit.priority, child});
          std::push_heap(visits.begin(), visits.end());
        }
      }
    }
    return Status::success();
  }

  /** Offers the items of a leaf; how many of them count, or -1 when there is no such leaf or item. */
  int64_t look_at_leaf(int32_t leaf) {
    const int64_t* begins = view_.section<int64_t>(AcceleratorSection::leaf_begins);
    const int64_t places = header_.sections[static_cast<size_t>(AcceleratorSection::leaf_positions)].bytes / 4;
    if (leaf >= header_.leaves) return -1;
    const int64_t begin = begins[leaf];
    const int64_t end = begins[leaf + 1];
    if (begin < 0 || end < begin || end > places) return -1;
    const int32_t* positions = view_.section<int32_t>(AcceleratorSection::leaf_positions) + begin;
    const uint64_t* sketches = view_.section<uint64_t>(AcceleratorSection::leaf_sketches) + begin;
    const auto size = static_cast<size_t>(end - begin);
    memory_.differences.resize(size);
    table_.hamming_words(sketch_, sketches, size, memory_.differences.data());
    work_.sketches += end - begin;
    int64_t count = 0;
    for (size_t place = 0; place < size; ++place) {
      const auto difference = static_cast<float>(memory_.differences[place]);
      const bool is_beyond = memory_.entries.is_beyond(difference);
      if (is_beyond && !is_filtered()) continue;
      const int32_t position = read_int32(reinterpret_cast<const uint8_t*>(positions + place));
      if (position < 0 || position >= header_.positions) return -1;
      if (is_filtered()) {
        if (!options_.allowed.contains(item_of(static_cast<uint32_t>(position)))) continue;
        ++count;
      }
      if (!is_beyond) memory_.entries.enter({difference, static_cast<uint32_t>(position)});
    }
    return is_filtered() ? count : static_cast<int64_t>(size);
  }

  float distance_of(uint32_t position, int32_t product) const {
    const auto value = static_cast<float>(product);
    return norms_ == nullptr ? -value : norms_[position] - factor_ * value;
  }

  /** Compares positions that are marked, and offers them to the beam; the first place that changed, or the beam's size.
   */
  size_t compare(const uint32_t* positions, size_t count) {
    size_t first = memory_.beam.size();
    for (size_t start = 0; start < count; start += 4) {
      const int8_t* rows[4];
      for (size_t lane = 0; lane < 4; ++lane) rows[lane] = row(positions[std::min(start + lane, count - 1)]);
      int32_t products[4];
      table_.dot_int8_four(memory_.row.data(), rows, header_.row_bytes, products);
      for (size_t lane = 0; lane < 4 && start + lane < count; ++lane) {
        const uint32_t position = positions[start + lane];
        const float distance = distance_of(position, products[lane]);
        if (is_filtered() && distance <= memory_.allowed.limit()) {
          const uint32_t item = item_of(position);
          if (options_.allowed.contains(item)) memory_.allowed.offer(distance, static_cast<int32_t>(item));
        }
        first = std::min(first, memory_.beam.enter({distance, position}));
      }
    }
    work_.compared += static_cast<int64_t>(count);
    return first;
  }

  /**
   * Follows the graph from the entries, always from the nearest spot that was not expanded. While the rows of a spot's
   * neighbours are on their way from memory, those of the spot before it are compared.
   */
  Status walk() {
    static_assert(kEntries <= kMostNeighbors, "entries are compared at once");
    uint32_t arriving[kMostNeighbors];
    uint32_t arrived[kMostNeighbors];
    size_t count = 0;
    for (size_t place = 0; place < memory_.entries.size(); ++place) {
      const uint32_t position = memory_.entries[place].position();
      if (!mark(position)) continue;
      prefetch(row(position), record_bytes_);
      arrived[count++] = position;
    }
    Beam& beam = memory_.beam;
    size_t next = compare(arrived, count);
    count = 0;
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
        prefetch(row(beam[place].position()) + header_.row_bytes, kMostNeighbors * sizeof(uint32_t));
        --wanted;
      }
    }
  }

  /** Lists the neighbours of a spot that were not met before, and asks for their rows. */
  Status expand(Spot* spot, uint32_t* fresh, size_t* count) {
    const auto* neighbors = reinterpret_cast<const uint8_t*>(row(spot->position()) + header_.row_bytes);
    spot->expand();
    for (size_t rank = 0; rank < kMostNeighbors; ++rank) {
      const auto other = static_cast<uint32_t>(read_int32(neighbors + 4 * rank));
      if (other == kNoNeighbor) break;
      if (other >= static_cast<uint32_t>(header_.positions)) return corrupt("a neighbour does not exist");
      if (!mark(other)) continue;
      prefetch(row(other), header_.row_bytes);
      fresh[(*count)++] = other;
    }
    return Status::success();
  }

  /** Compares the best by their floats. */
  void rerank(const float* query, int32_t* items, float* distances_out, int32_t* found) {
    std::vector<uint32_t>& chosen = memory_.chosen;
    chosen.clear();
    if (is_filtered()) {
      for (const Neighbor& neighbor : memory_.allowed.sorted()) chosen.push_back(static_cast<uint32_t>(neighbor.item));
    } else {
      const size_t count = std::min(memory_.beam.size(), static_cast<size_t>(reranked_));
      for (size_t place = 0; place < count; ++place) {
        chosen.push_back(item_of(memory_.beam[place].position()));
      }
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
  const uint8_t* records_;
  const size_t record_bytes_;
  const int32_t* items_;
  const float* norms_ = nullptr;
  float factor_ = 0;
  float query_scale_ = 1;
  uint64_t sketch_ = 0;
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
