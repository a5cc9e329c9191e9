#include "graph/search/search_entries.h"

#include <algorithm>
#include <array>

#include "annoy/plane.h"
#include "base/status.h"
#include "distance/distance.h"

namespace semantic_index {

namespace {

/** Landmarks that a walk begins at. */
constexpr size_t kLandmarks = 32;
/** With a filter, so many more that it allows. */
constexpr size_t kAllowedLandmarks = 16;
/** Landmarks per block; blocks without a near landmark are skipped. */
constexpr size_t kLandmarkBlock = 32;
/** Leaves that are searched where planes divide at random; elsewhere that of the query alone. */
constexpr int kMaxLeaves = 32;
/** Items of a leaf that a walk begins at, and more where as many differ as little as the first. */
constexpr size_t kLeafItems = 16;
/** Maximum planes visited; paths are longer only when nearly all vectors are equal. */
constexpr int kMaxPlanes = 4096;

}  // namespace

SearchEntries::SearchEntries(const GraphView& view, const ForestView& forest, const Allowed& allowed, Memory* memory)
    : view_(view), header_(view.header()), forest_(forest), allowed_(allowed), items_(view), memory_(*memory) {}

Status SearchEntries::find(const float* query, const uint64_t* sketch) {
  memory_.positions.clear();
  find_landmarks(sketch);
  return find_in_leaves(query, sketch);
}

/** Compares the sketches of all landmarks and keeps the nearest; with a filter, also the nearest that it allows. */
void SearchEntries::find_landmarks(const uint64_t* sketch) {
  const size_t count = landmark_count(header_);
  const size_t blocks = (count + kLandmarkBlock - 1) / kLandmarkBlock;
  std::vector<uint8_t>& differences = memory_.differences;
  differences.assign(blocks * kLandmarkBlock, UINT8_MAX);
  distances().hamming_columns(sketch, view_.section<uint64_t>(GraphSection::landmarks), kSketchWords, count,
                              differences.data());
  // At least as many blocks as wanted entries have a landmark within this distance: no entry is farther.
  std::vector<uint8_t>& minima = memory_.minima;
  minima.resize(blocks);
  std::array<uint32_t, UINT8_MAX + 1> blocks_at{};
  for (size_t block = 0; block < blocks; ++block) {
    uint8_t nearest = UINT8_MAX;
    const uint8_t* numbers = differences.data() + block * kLandmarkBlock;
    for (size_t i = 0; i < kLandmarkBlock; ++i) nearest = nearest < numbers[i] ? nearest : numbers[i];
    minima[block] = nearest;
    ++blocks_at[nearest];
  }
  size_t limit = 0;
  for (size_t near = blocks_at[0]; near < std::min(kLandmarks, blocks); near += blocks_at[limit]) ++limit;
  memory_.landmarks.reset(kLandmarks);
  for (size_t block = 0; block < blocks; ++block) {
    if (minima[block] > limit) continue;
    for (size_t landmark = block * kLandmarkBlock; landmark < (block + 1) * kLandmarkBlock; ++landmark) {
      const uint8_t difference = differences[landmark];
      if (difference > limit || landmark >= count) continue;
      memory_.landmarks.enter({static_cast<float>(difference), position_of(landmark)});
    }
  }
  for (size_t place = 0; place < memory_.landmarks.size(); ++place) {
    memory_.positions.push_back(memory_.landmarks[place].position());
  }
  if (allowed_.bits == nullptr) return;
  memory_.allowed.reset(kAllowedLandmarks);
  for (size_t landmark = 0; landmark < count; ++landmark) {
    const auto difference = static_cast<float>(differences[landmark]);
    if (memory_.allowed.is_beyond(difference)) continue;
    const uint32_t position = position_of(landmark);
    if (items_.is_allowed(allowed_, position)) memory_.allowed.enter({difference, position});
  }
  for (size_t place = 0; place < memory_.allowed.size(); ++place) {
    memory_.positions.push_back(memory_.allowed[place].position());
  }
}

/**
 * Goes down the first tree. Planes without direction, which divide at random where no plane was found, are at distance
 * 0 from every query: both of their sides are searched.
 */
Status SearchEntries::find_in_leaves(const float* query, const uint64_t* sketch) {
  if (forest_.roots().empty()) return Status::success();
  const NodeLayout& layout = forest_.layout();
  const DistanceTable& table = distances();
  std::vector<int32_t>& sides = memory_.sides;
  sides.assign(1, forest_.roots()[0]);
  int planes = 0;
  for (int leaf = 0; !sides.empty() && leaf < kMaxLeaves; ++leaf) {
    int32_t number = sides.back();
    sides.pop_back();
    while (true) {
      const uint8_t* node = forest_.node(number);
      if (number < forest_.items() || read_int32(node + kDescendantsOffset) <= layout.leaf_capacity) break;
      // Bytes that lead to more planes contain a cycle.
      if (++planes > kMaxPlanes) return Status::success();
      const float margin = plane_margin(table, layout, node, query);
      const int32_t children[] = {read_int32(node + layout.children_offset),
                                  read_int32(node + layout.children_offset + 4)};
      for (int32_t child : children) {
        if (child < 0 || child >= forest_.nodes()) return corrupt("a child is not a node of the file");
      }
      const int side = margin > 0 ? 1 : 0;
      if (margin == 0) sides.push_back(children[1 - side]);
      number = children[side];
    }
    const Status status = search_leaf(number, sketch);
    if (!status.ok()) return status;
  }
  return Status::success();
}

/** Keeps the items of a leaf with the nearest sketches. */
Status SearchEntries::search_leaf(int32_t number, const uint64_t* sketch) {
  const uint8_t* node = forest_.node(number);
  int32_t item = number;
  int32_t count = 1;
  if (number >= forest_.items()) {
    count = read_int32(node + kDescendantsOffset);
    item = count > 0 ? read_int32(node + forest_.layout().children_offset) : -1;
    // A root over holes names the items first, so the first is an item where any is.
    if (item < 0 || item >= forest_.items()) return corrupt("a leaf lists an item that does not exist");
  }
  const uint8_t* slots = view_.section<uint8_t>(GraphSection::slots);
  const int32_t first = read_int32(slots + 4 * static_cast<size_t>(item));
  if (first < 0) return Status::success();
  if (first >= header_.positions) return corrupt("an item of the graph index has no place");
  const auto size = static_cast<size_t>(std::min(count, header_.positions - first));
  const LeafEntry* entries = view_.section<LeafEntry>(GraphSection::leaves) + first;
  const DistanceTable& table = distances();
  std::vector<uint8_t>& differences = memory_.leaf_differences;
  differences.resize(size);
  uint8_t minimum = UINT8_MAX;
  for (size_t place = 0; place < size; ++place) {
    differences[place] = static_cast<uint8_t>(table.hamming(sketch, entries[place].sketch, kSketchWords));
    minimum = std::min(minimum, differences[place]);
  }
  const auto distinct = static_cast<uint32_t>(header_.distinct);
  memory_.leaf.reset(kLeafItems);
  for (size_t place = 0; place < size; ++place) {
    const auto difference = static_cast<float>(differences[place]);
    const bool is_first = differences[place] == minimum;
    if (!is_first && memory_.leaf.is_beyond(difference)) continue;
    const auto position = static_cast<uint32_t>(read_int32(reinterpret_cast<const uint8_t*>(&entries[place].position)));
    if (position >= distinct) return corrupt("an item of a leaf has no position");
    if (is_first) memory_.positions.push_back(position);
    memory_.leaf.enter({difference, position});
  }
  for (size_t place = 0; place < memory_.leaf.size(); ++place) {
    memory_.positions.push_back(memory_.leaf[place].position());
  }
  return Status::success();
}

}  // namespace semantic_index
