#include "graph/build/neighbor_graph.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <new>

#include "base/prefetch.h"
#include "distance/distance.h"
#include "graph/graph_format.h"

namespace semantic_index {

namespace {

/** Nearest rows that are remembered of each row. */
constexpr int32_t kNear = 48;
/** Of these, so many are asked for their own. */
constexpr int32_t kAsked = 24;
/** How often. Among a million rows, the second time saves a search a quarter of its comparisons. */
constexpr int kRounds = 2;
/** Neighbors that a row chooses itself; the remaining slots are for reverse edges. */
constexpr int32_t kChosen = 16;
/** How much nearer a kept neighbor must be to prune another, in squared distances: keeps graphs connected.
 */
constexpr float kSlack = 1.15f;
/** Rows of one block of work. */
constexpr int64_t kBlockRows = 256;
/** Groups of one block of work. */
constexpr int64_t kBlockGroups = 4;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

int64_t pieces(int64_t count, int64_t size) { return (count + size - 1) / size; }

}  // namespace

int64_t NeighborGraph::blocks() const {
  int64_t total = (kRounds + 1) * pieces(rows_.count, kBlockRows);
  for (const GraphGroups& partition : partitions_) {
    total += pieces(static_cast<int64_t>(partition.groups.size()), kBlockGroups);
  }
  return total;
}

/** Puts `edge` into the sorted list of `capacity` edges if it is nearer than the last of them and not there yet. */
bool NeighborGraph::offer(Edge* list, int32_t capacity, const Edge& edge) {
  if (!is_nearer(edge, list[capacity - 1])) return false;
  int32_t place = capacity - 1;
  while (place > 0 && is_nearer(edge, list[place - 1])) --place;
  if (place > 0 && list[place - 1].position == edge.position) return false;
  std::memmove(list + place + 1, list + place, static_cast<size_t>(capacity - 1 - place) * sizeof(Edge));
  list[place] = edge;
  return true;
}

float NeighborGraph::distance(int32_t left, int32_t right, int32_t product) const {
  const int64_t square = rows_.squares[left] + rows_.squares[right] - 2 * static_cast<int64_t>(product);
  auto result = static_cast<float>(square);
  if (rows_.extras != nullptr) {
    const float difference = rows_.extras[left] - rows_.extras[right];
    result += difference * difference;
  }
  return result;
}

void NeighborGraph::distances_to(int32_t from, const int32_t* positions, int32_t count, float* distances_out) const {
  const DistanceTable& table = distances();
  const int8_t* row = rows_.row(from);
  for (int32_t start = 0; start < count; start += 4) {
    const int8_t* others[4];
    for (int32_t lane = 0; lane < 4; ++lane) others[lane] = rows_.row(positions[std::min(start + lane, count - 1)]);
    int32_t products[4];
    table.dot_int8_four(row, others, rows_.row_bytes, products);
    for (int32_t lane = 0; lane < 4 && start + lane < count; ++lane) {
      distances_out[start + lane] = distance(from, positions[start + lane], products[lane]);
    }
  }
}

Status NeighborGraph::build(ParallelWatch* watch, std::vector<uint32_t>* neighbors) try {
  const auto count = static_cast<size_t>(rows_.count);
  near_.assign(count * kNear, Edge{kInfinity, INT32_MAX});
  Status status = compare_groups(watch);
  if (status.ok()) {
    std::vector<Edge> next(near_.size());
    for (int round = 1; status.ok() && round < kRounds; ++round) {
      status = descend(watch, next.data());
      near_.swap(next);
    }
  }
  if (status.ok()) {
    kept_.assign(count * kChosen, Edge{kInfinity, INT32_MAX});
    status = descend(watch, nullptr);
  }
  std::vector<Edge>().swap(near_);
  if (status.ok()) status = join(watch, neighbors);
  std::vector<Edge>().swap(kept_);
  return status;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

/** All pairs in every group. A position is in one group of a partition, so threads never meet at a list. */
Status NeighborGraph::compare_groups(ParallelWatch* watch) {
  for (const GraphGroups& partition : partitions_) {
    const auto count = static_cast<int64_t>(partition.groups.size());
    const Status status = run_blocks(threads_, pieces(count, kBlockGroups), watch, [&]() {
      auto found = std::make_shared<std::vector<float>>();
      return [this, &partition, count, found](int64_t block) {
        for (int64_t group = block * kBlockGroups; group < std::min((block + 1) * kBlockGroups, count); ++group) {
          const auto [begin, end] = partition.groups[static_cast<size_t>(group)];
          const int32_t* members = partition.positions + begin;
          const auto size = static_cast<int32_t>(end - begin);
          found->resize(static_cast<size_t>(std::max(size, 1)));
          for (int32_t one = 0; one + 1 < size; ++one) {
            const int32_t position = members[one];
            Edge* list = near_.data() + static_cast<size_t>(position) * kNear;
            distances_to(position, members + one + 1, size - one - 1, found->data());
            for (int32_t other = one + 1; other < size; ++other) {
              const float far = (*found)[static_cast<size_t>(other - one - 1)];
              offer(list, kNear, {far, members[other]});
              offer(near_.data() + static_cast<size_t>(members[other]) * kNear, kNear, {far, position});
            }
          }
        }
        return Status::success();
      };
    });
    if (!status.ok()) return status;
  }
  return Status::success();
}

/**
 * Compares the neighbors of neighbors in the current lists. Writes the nearest to `next`; when that is nullptr, prunes
 * them into `kept_`.
 */
Status NeighborGraph::descend(ParallelWatch* watch, Edge* next) {
  return run_blocks(threads_, pieces(rows_.count, kBlockRows), watch, [this, next]() {
    struct Room {
      std::vector<uint32_t> marks;
      uint32_t mark = 0;
      std::vector<int32_t> candidates;
      std::vector<float> found;
      std::vector<Edge> best;
    };
    auto room = std::make_shared<Room>();
    room->marks.assign(static_cast<size_t>(rows_.count), 0);
    return [this, next, room](int64_t block) {
      const auto end = static_cast<int32_t>(std::min<int64_t>((block + 1) * kBlockRows, rows_.count));
      for (auto position = static_cast<int32_t>(block * kBlockRows); position < end; ++position) {
        const uint32_t mark = ++room->mark;
        const Edge* list = near_.data() + static_cast<size_t>(position) * kNear;
        room->marks[static_cast<size_t>(position)] = mark;
        int32_t size = 0;
        while (size < kNear && list[size].position != INT32_MAX) {
          room->marks[static_cast<size_t>(list[size++].position)] = mark;
        }
        room->candidates.clear();
        for (int32_t asked = 0; asked < std::min(size, kAsked); ++asked) {
          const Edge* theirs = near_.data() + static_cast<size_t>(list[asked].position) * kNear;
          for (int32_t rank = 0; rank < kAsked && theirs[rank].position != INT32_MAX; ++rank) {
            uint32_t& other = room->marks[static_cast<size_t>(theirs[rank].position)];
            if (other == mark) continue;
            other = mark;
            room->candidates.push_back(theirs[rank].position);
            prefetch(rows_.row(theirs[rank].position), rows_.row_bytes);
          }
        }
        const auto count = static_cast<int32_t>(room->candidates.size());
        room->found.resize(room->candidates.size());
        distances_to(position, room->candidates.data(), count, room->found.data());
        room->best.assign(list, list + kNear);
        for (int32_t index = 0; index < count; ++index) {
          const auto at = static_cast<size_t>(index);
          offer(room->best.data(), kNear, {room->found[at], room->candidates[at]});
        }
        if (next != nullptr) {
          std::copy(room->best.begin(), room->best.end(), next + static_cast<size_t>(position) * kNear);
          continue;
        }
        while (!room->best.empty() && room->best.back().position == INT32_MAX) room->best.pop_back();
        prune(position, room->best, kept_.data() + static_cast<size_t>(position) * kChosen);
      }
      return Status::success();
    };
  });
}

/** Whether a neighbor is nearer, with some slack, to one of `kept` than to the row itself. */
bool NeighborGraph::is_hidden(const Edge& edge, const int32_t* kept, int32_t count) const {
  float far[kMaxNeighbors];
  distances_to(edge.position, kept, count, far);
  return std::any_of(far, far + count, [&](float other) { return other * kSlack < edge.distance; });
}

/** Keeps at most kChosen neighbors that no neighbor kept earlier hides. */
void NeighborGraph::prune(int32_t position, const std::vector<Edge>& sorted, Edge* kept) const {
  int32_t count = 0;
  int32_t kept_positions[kChosen];
  for (const Edge& edge : sorted) {
    if (count == kChosen) break;
    if (edge.position == position || is_hidden(edge, kept_positions, count)) continue;
    kept[count] = edge;
    kept_positions[count++] = edge.position;
  }
}

/**
 * Writes the neighbors of a row: its own choices, then the rows that chose it, `first` to `last`. When they do not all
 * fit, unhidden ones come first: they may be the only way into a small distant group.
 */
void NeighborGraph::write_neighbors(int32_t position, Edge* first, Edge* last, uint32_t* room) const {
  const Edge* own = kept_.data() + static_cast<size_t>(position) * kChosen;
  int32_t neighbors[kMaxNeighbors];
  int32_t size = 0;
  while (size < kChosen && own[size].position != INT32_MAX) {
    neighbors[size] = own[size].position;
    ++size;
  }
  int32_t* const end = neighbors + size;
  last = std::remove_if(first, last, [&](const Edge& edge) { return std::find(neighbors, end, edge.position) != end; });
  std::sort(first, last, is_nearer);
  const bool has_room = last - first <= kMaxNeighbors - size;
  for (Edge* edge = first; edge != last && size < kMaxNeighbors; ++edge) {
    if (!has_room && is_hidden(*edge, neighbors, size)) continue;
    neighbors[size++] = edge->position;
    edge->position = INT32_MAX;
  }
  for (Edge* edge = first; edge != last && size < kMaxNeighbors; ++edge) {
    if (edge->position != INT32_MAX) neighbors[size++] = edge->position;
  }
  std::copy_n(neighbors, size, room);
  std::fill(room + size, room + kMaxNeighbors, kNoNeighbor);
}

/** Collects the reverse edges of each row and writes its neighbors. */
Status NeighborGraph::join(ParallelWatch* watch, std::vector<uint32_t>* neighbors) {
  const auto count = static_cast<size_t>(rows_.count);
  std::vector<uint32_t> begins(count + 1, 0);
  for (const Edge& edge : kept_) {
    if (edge.position != INT32_MAX) ++begins[static_cast<size_t>(edge.position) + 1];
  }
  for (size_t position = 0; position < count; ++position) begins[position + 1] += begins[position];
  std::vector<Edge> reverse(begins[count]);
  std::vector<uint32_t> next(begins.begin(), begins.end() - 1);
  for (size_t place = 0; place < kept_.size(); ++place) {
    const Edge& edge = kept_[place];
    if (edge.position == INT32_MAX) continue;
    reverse[next[static_cast<size_t>(edge.position)]++] = {edge.distance, static_cast<int32_t>(place / kChosen)};
  }
  std::vector<uint32_t>().swap(next);
  neighbors->resize(count * kMaxNeighbors);
  const Status status = run_blocks(threads_, pieces(rows_.count, kBlockRows), watch, [&]() {
    return [&](int64_t block) {
      const auto end = static_cast<int32_t>(std::min<int64_t>((block + 1) * kBlockRows, rows_.count));
      for (auto position = static_cast<int32_t>(block * kBlockRows); position < end; ++position) {
        const auto at = static_cast<size_t>(position);
        write_neighbors(position, reverse.data() + begins[at], reverse.data() + begins[at + 1],
                        neighbors->data() + at * kMaxNeighbors);
      }
      return Status::success();
    };
  });
  if (status.ok()) adopt_orphans(neighbors);
  return status;
}

/**
 * Gives every row without incoming edges, such as an outlier, a place in the list of its nearest neighbor that has
 * room, or that has a neighbor with other incoming edges to replace.
 */
void NeighborGraph::adopt_orphans(std::vector<uint32_t>* neighbors) {
  const size_t count = neighbors->size() / kMaxNeighbors;
  std::vector<uint32_t> parents(count, 0);
  for (uint32_t other : *neighbors) {
    if (other != kNoNeighbor) ++parents[other];
  }
  for (size_t position = 0; position < count; ++position) {
    const uint32_t* own = neighbors->data() + position * kMaxNeighbors;
    for (size_t rank = 0; rank < kMaxNeighbors && own[rank] != kNoNeighbor && parents[position] == 0; ++rank) {
      uint32_t* theirs = neighbors->data() + static_cast<size_t>(own[rank]) * kMaxNeighbors;
      for (size_t place = kMaxNeighbors; place > 0; --place) {
        uint32_t& other = theirs[place - 1];
        const bool is_free = other == kNoNeighbor && (place == 1 || theirs[place - 2] != kNoNeighbor);
        if (!is_free && (other == kNoNeighbor || parents[other] < 2)) continue;
        if (!is_free) --parents[other];
        other = static_cast<uint32_t>(position);
        ++parents[position];
        break;
      }
    }
  }
}

}  // namespace semantic_index
