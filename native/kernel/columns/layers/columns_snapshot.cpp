#include "columns/layers/columns_snapshot.h"

#include <algorithm>
#include <new>

namespace semantic_index {

namespace {

/** Copies `count` bits to the place `first` of a set whose bits from there on are 0. */
void copy_bits(const std::vector<uint32_t>& from, uint32_t count, uint32_t first, std::vector<uint32_t>* to) {
  const uint32_t shift = first % 32;
  const size_t words = (size_t{count} + 31) / 32;
  uint32_t* const target = to->data() + first / 32;
  if (shift == 0) {
    std::copy_n(from.data(), words, target);
    return;
  }
  for (size_t word = 0; word < words; ++word) {
    target[word] |= from[word] << shift;
    const uint32_t high = from[word] >> (32 - shift);
    if (high != 0) target[word + 1] |= high;
  }
}

/** Sets each of the items to what its position is. */
void scatter_bits(const std::vector<uint32_t>& from, const std::vector<uint32_t>& items, std::vector<uint32_t>* to) {
  for (size_t position = 0; position < items.size(); ++position) {
    const uint32_t bit = 1u << (items[position] % 32);
    uint32_t& word = (*to)[items[position] / 32];
    word = (from[position / 32] >> (position % 32) & 1u) != 0 ? word | bit : word & ~bit;
  }
}

/** The possible items of a result become a set of their own once one layer is not exact. */
void add_doubt(const FilteredItems& part, FilteredItems* result) {
  if (part.is_exact || !result->is_exact) return;
  result->possible = result->certain;
  result->is_exact = false;
}

const std::vector<uint32_t>& possible_of(const FilteredItems& items) {
  return items.is_exact ? items.certain : items.possible;
}

}  // namespace

size_t ColumnsSnapshot::memory() const {
  size_t bytes = 0;
  for (const ColumnsLayer& layer : layers) bytes += layer.image->memory_bytes();
  for (const ColumnsPatch& patch : patches) bytes += patch.image->memory_bytes() + patch.items->size() * 4;
  return bytes;
}

Status ColumnsSnapshot::filter(const FilterProgram& program, FilterEvaluation* evaluation, FilteredItems* result,
                               const std::atomic<bool>* cancel) const try {
  result->certain.assign((size_t{items} + 31) / 32, 0);
  result->is_exact = true;
  for (const ColumnsLayer& layer : layers) {
    const Status status = evaluation->run(layer.image->view, program, cancel);
    if (!status.ok()) return status;
    const FilteredItems& found = evaluation->result();
    add_doubt(found, result);
    copy_bits(found.certain, layer.items(), layer.first, &result->certain);
    if (!result->is_exact) copy_bits(possible_of(found), layer.items(), layer.first, &result->possible);
  }
  for (const ColumnsPatch& patch : patches) {
    const Status status = evaluation->run(patch.image->view, program, cancel);
    if (!status.ok()) return status;
    const FilteredItems& found = evaluation->result();
    add_doubt(found, result);
    scatter_bits(found.certain, *patch.items, &result->certain);
    if (!result->is_exact) scatter_bits(possible_of(found), *patch.items, &result->possible);
  }
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

void NumberedSources::add(const ColumnsView& view, std::unique_ptr<std::vector<uint32_t>> items_of_view) {
  sources.push_back({&view, items_of_view->data()});
  numbers.push_back(std::move(items_of_view));
}

Status merge_parts(const std::vector<ColumnsPart>& parts, const ColumnsMergeOptions& options, MemoryBlock* file) try {
  NumberedSources numbered;
  for (const ColumnsPart& part : parts) {
    const ColumnsSnapshot& snapshot = *part.snapshot;
    // The number of each item in the merged file; an item that a patch has is taken from there alone.
    std::vector<uint32_t> renamed(snapshot.items, kNoItem);
    for (uint32_t item = 0; item < snapshot.items; ++item) {
      if (!part.dead.contains(item)) renamed[item] = static_cast<uint32_t>(numbered.items++);
    }
    if (numbered.items > kMaxColumnsItems) {
      return Status::failure(StatusCode::invalid_argument, "expected at most 2^28 documents");
    }
    for (size_t index = snapshot.patches.size(); index-- > 0;) {
      const ColumnsPatch& patch = snapshot.patches[index];
      auto items = std::make_unique<std::vector<uint32_t>>();
      for (const uint32_t item : *patch.items) items->push_back(std::exchange(renamed[item], kNoItem));
      numbered.add(patch.image->view, std::move(items));
    }
    for (const ColumnsLayer& layer : snapshot.layers) {
      const auto begin = renamed.begin() + layer.first;
      numbered.add(layer.image->view, std::make_unique<std::vector<uint32_t>>(begin, begin + layer.items()));
    }
  }
  return merge_columns(numbered.sources, numbered.items, options, file);
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
