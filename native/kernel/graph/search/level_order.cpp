#include "graph/search/level_order.h"

#include <algorithm>
#include <new>

#include "base/cancel.h"
#include "distance/metric.h"

namespace semantic_index {

namespace {

/** Items between two looks at the flag that cancels. */
constexpr int32_t kItemsPerLook = 1 << 16;

}  // namespace

Status LevelOrder::build(const GraphView& view, const ItemLevels& levels, const std::atomic<bool>* cancel,
                         std::shared_ptr<const LevelOrder>* order) try {
  const GraphHeader& header = view.header();
  const auto* const items = view.section<int32_t>(GraphSection::items);
  const auto* const slots = view.section<int32_t>(GraphSection::slots);
  const auto* const leaves = view.section<LeafEntry>(GraphSection::leaves);
  auto made = std::make_shared<LevelOrder>();
  const auto distinct = static_cast<uint32_t>(header.distinct);
  const auto level_of = [&](int32_t item) { return levels.of(static_cast<uint32_t>(item)); };

  made->levels_.resize(distinct);
  size_t counts[kFactorLevels] = {};
  for (int32_t position = 0; position < header.positions; ++position) {
    const uint8_t level = level_of(items[position]);
    if (position < header.distinct) made->levels_[static_cast<size_t>(position)] = level;
    ++counts[level];
  }
  size_t first = 0;
  size_t ends[kFactorLevels];
  for (size_t level = 0; level < kFactorLevels; ++level) {
    ends[level] = first;
    for (size_t rest = counts[level]; rest > 0;) {
      const size_t size = std::min(rest, kLevelChunk);
      made->chunks_.push_back({level, first, size});
      first += size;
      rest -= size;
    }
  }

  // All chunks of a level are full except the last.
  made->positions_.resize(first);
  made->sketches_.resize(kSketchWords * first);
  size_t starts[kFactorLevels];
  std::copy_n(ends, kFactorLevels, starts);
  for (int32_t item = 0; item < header.items; ++item) {
    if (item % kItemsPerLook == 0 && is_raised(cancel)) return cancelled();
    const int32_t slot = slots[item];
    if (slot < 0) continue;
    if (slot >= header.positions || leaves[slot].position >= distinct) return corrupt("an item has no position");
    const uint8_t level = level_of(item);
    if (ends[level] == starts[level] + counts[level]) return corrupt("an item has two positions");
    const size_t place = ends[level]++;
    made->positions_[place] = leaves[slot].position;
    const size_t in_level = place - starts[level];
    const size_t begin = starts[level] + in_level / kLevelChunk * kLevelChunk;
    const size_t size = std::min(kLevelChunk, starts[level] + counts[level] - begin);
    for (size_t word = 0; word < kSketchWords; ++word) {
      made->sketches_[kSketchWords * begin + word * size + (place - begin)] = leaves[slot].sketch[word];
    }
  }

  if (header.metric != static_cast<uint32_t>(Metric::dot) && header.distinct > 0) {
    const auto* const norms = view.section<RowNorms>(GraphSection::estimates);
    double sum = 0;
    for (uint32_t position = 0; position < distinct; ++position) sum += norms[position].whole;
    made->mean_square_ = static_cast<float>(sum / distinct);
  }
  *order = std::move(made);
  return view.check_unchanged();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
