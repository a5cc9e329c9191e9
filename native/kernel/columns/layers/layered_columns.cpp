#include "columns/layers/layered_columns.h"

#include <algorithm>
#include <new>
#include <numeric>

#include "base/status.h"

namespace semantic_index {

namespace {

/** Images of about the same size that are merged into one. */
constexpr size_t kMergedImages = 4;

/** Sizes of one class differ by less than a factor of four. */
uint32_t size_class(size_t size) {
  uint32_t result = 0;
  while (size >= 4) {
    size /= 4;
    ++result;
  }
  return result;
}

/**
 * Where the last images begin that are merged next, or their number for none: from a class on of which there are
 * enough, or from one that is smaller than a later one. So an image is merged a few times in all, and few images are
 * left.
 */
size_t due_from(const std::vector<size_t>& sizes) {
  size_t due = sizes.size();
  uint32_t largest = 0;
  size_t equal = 0;
  for (size_t index = sizes.size(); index-- > 0;) {
    const uint32_t own = size_class(sizes[index]);
    if (own > largest) equal = 0;
    if (own >= largest) ++equal;
    largest = std::max(largest, own);
    if (equal >= kMergedImages || own < largest) due = index;
  }
  return due;
}

/** The layers in memory, which come behind the file. */
size_t first_in_memory(const ColumnsSnapshot& snapshot) {
  return !snapshot.layers.empty() && snapshot.layers.front().image->file != nullptr ? 1 : 0;
}

size_t due_layers(const ColumnsSnapshot& snapshot) {
  const size_t first = first_in_memory(snapshot);
  std::vector<size_t> sizes;
  for (size_t index = first; index < snapshot.layers.size(); ++index) sizes.push_back(snapshot.layers[index].items());
  return first + due_from(sizes);
}

size_t due_patches(const ColumnsSnapshot& snapshot) {
  std::vector<size_t> sizes;
  for (const ColumnsPatch& patch : snapshot.patches) sizes.push_back(patch.items->size());
  return due_from(sizes);
}

std::vector<uint32_t> numbered(uint32_t first, uint32_t count) {
  std::vector<uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

/** Merges on the thread that calls: several parts do so at once. */
ColumnsMergeOptions in_this_thread(const std::atomic<bool>* cancel) {
  ColumnsMergeOptions options;
  options.threads = 1;
  options.cancel = cancel;
  return options;
}

Status merge_image(const NumberedSources& sources, const std::atomic<bool>* cancel, ColumnsImagePointer* image) {
  auto merged = std::make_shared<ColumnsImage>();
  Status status = merge_columns(sources.sources, sources.items, in_this_thread(cancel), &merged->memory);
  if (!status.ok()) return status;
  status = ColumnsView::open(merged->memory.data(), static_cast<int64_t>(merged->memory.size()), &merged->view);
  if (status.ok()) *image = std::move(merged);
  return status;
}

/** An image of the documents of a batch with the numbers that they get, of which there are `items`, or kNoItem. */
Status build_image(const PackedMetadata& batch, std::vector<uint32_t> numbers, uint32_t items,
                   ColumnsImagePointer* image) {
  auto built = std::make_shared<ColumnsImage>();
  Status status = build_columns(batch, &built->memory);
  if (!status.ok()) return status;
  status = ColumnsView::open(built->memory.data(), static_cast<int64_t>(built->memory.size()), &built->view);
  if (!status.ok()) return status;
  if (items == numbers.size() && numbers == numbered(0, items)) {
    *image = std::move(built);
    return status;
  }
  NumberedSources sources;
  sources.items = items;
  sources.add(built->view, std::make_unique<std::vector<uint32_t>>(std::move(numbers)));
  return merge_image(sources, nullptr, image);
}

}  // namespace

LayeredColumns::LayeredColumns(ColumnsImagePointer file) {
  auto snapshot = std::make_shared<ColumnsSnapshot>();
  if (file != nullptr) {
    snapshot->items = static_cast<uint32_t>(file->view.items());
    snapshot->layers.push_back({std::move(file), 0});
  }
  snapshot_ = std::move(snapshot);
}

std::shared_ptr<const ColumnsSnapshot> LayeredColumns::snapshot() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return snapshot_;
}

Status LayeredColumns::append(const PackedMetadata& batch, const uint32_t* selected, size_t count) try {
  const auto documents = static_cast<uint32_t>(batch.documents());
  for (size_t index = 0; index < count; ++index) {
    if (selected[index] >= documents || (index > 0 && selected[index - 1] >= selected[index])) {
      return invalid("expected ascending positions of documents of the batch");
    }
  }
  if (count == 0) return Status::success();
  std::vector<uint32_t> numbers(documents, kNoItem);
  for (size_t index = 0; index < count; ++index) numbers[selected[index]] = static_cast<uint32_t>(index);
  ColumnsImagePointer image;
  const Status status = build_image(batch, std::move(numbers), static_cast<uint32_t>(count), &image);
  if (!status.ok()) return status;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (count > static_cast<size_t>(kMaxColumnsItems) - snapshot_->items) {
    return invalid("expected at most 2^28 documents");
  }
  auto next = std::make_shared<ColumnsSnapshot>(*snapshot_);
  next->layers.push_back({std::move(image), next->items});
  next->items += static_cast<uint32_t>(count);
  snapshot_ = std::move(next);
  return status;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status LayeredColumns::replace(const PackedMetadata& batch, const uint32_t* items, size_t count) try {
  if (count != static_cast<size_t>(batch.documents()))
    return invalid("expected an item for each document of the batch");
  const uint32_t present = snapshot()->items;
  std::vector<uint32_t> replaced;
  for (size_t index = 0; index < count; ++index) {
    if (items[index] != kNoItem) replaced.push_back(items[index]);
  }
  if (replaced.empty()) return Status::success();
  std::sort(replaced.begin(), replaced.end());
  if (replaced.back() >= present || std::adjacent_find(replaced.begin(), replaced.end()) != replaced.end()) {
    return invalid("expected different items of the part");
  }
  std::vector<uint32_t> numbers(count, kNoItem);
  for (size_t index = 0; index < count; ++index) {
    if (items[index] == kNoItem) continue;
    const auto place = std::lower_bound(replaced.begin(), replaced.end(), items[index]);
    numbers[index] = static_cast<uint32_t>(place - replaced.begin());
  }
  ColumnsPatch patch;
  const Status status = build_image(batch, std::move(numbers), static_cast<uint32_t>(replaced.size()), &patch.image);
  if (!status.ok()) return status;
  patch.items = std::make_shared<const std::vector<uint32_t>>(std::move(replaced));
  const std::lock_guard<std::mutex> lock(mutex_);
  auto next = std::make_shared<ColumnsSnapshot>(*snapshot_);
  next->patches.push_back(std::move(patch));
  snapshot_ = std::move(next);
  return status;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

bool LayeredColumns::is_due() const {
  const std::shared_ptr<const ColumnsSnapshot> now = snapshot();
  return due_layers(*now) < now->layers.size() || due_patches(*now) < now->patches.size();
}

Status LayeredColumns::compact(const std::atomic<bool>* cancel) try {
  for (;;) {
    const std::shared_ptr<const ColumnsSnapshot> now = snapshot();
    const size_t layer = due_layers(*now);
    const size_t patch = due_patches(*now);
    Status status;
    if (layer < now->layers.size()) {
      status = merge_layers(*now, layer, cancel);
    } else if (patch < now->patches.size()) {
      status = merge_patches(*now, patch, cancel);
    } else {
      return status;
    }
    if (!status.ok()) return status;
  }
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status LayeredColumns::merge_layers(const ColumnsSnapshot& snapshot, size_t begin, const std::atomic<bool>* cancel) {
  NumberedSources sources;
  for (size_t index = begin; index < snapshot.layers.size(); ++index) {
    const ColumnsLayer& layer = snapshot.layers[index];
    const auto first = static_cast<uint32_t>(sources.items);
    sources.add(layer.image->view, std::make_unique<std::vector<uint32_t>>(numbered(first, layer.items())));
    sources.items += layer.items();
  }
  ColumnsLayer merged;
  merged.first = snapshot.layers[begin].first;
  const Status status = merge_image(sources, cancel, &merged.image);
  if (!status.ok()) return status;
  const std::lock_guard<std::mutex> lock(mutex_);
  // Layers and patches were appended meanwhile; those that were merged are where they were.
  auto next = std::make_shared<ColumnsSnapshot>(*snapshot_);
  const auto from = next->layers.begin() + static_cast<std::ptrdiff_t>(begin);
  const auto to = next->layers.begin() + static_cast<std::ptrdiff_t>(snapshot.layers.size());
  next->layers.insert(next->layers.erase(from, to), std::move(merged));
  snapshot_ = std::move(next);
  return status;
}

Status LayeredColumns::merge_patches(const ColumnsSnapshot& snapshot, size_t begin, const std::atomic<bool>* cancel) {
  std::vector<uint32_t> items;
  for (size_t index = begin; index < snapshot.patches.size(); ++index) {
    const std::vector<uint32_t>& some = *snapshot.patches[index].items;
    items.insert(items.end(), some.begin(), some.end());
  }
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  NumberedSources sources;
  sources.items = static_cast<int64_t>(items.size());
  std::vector<bool> is_taken(items.size());
  for (size_t index = snapshot.patches.size(); index-- > begin;) {
    const ColumnsPatch& patch = snapshot.patches[index];
    auto numbers = std::make_unique<std::vector<uint32_t>>();
    for (const uint32_t item : *patch.items) {
      const auto place = static_cast<size_t>(std::lower_bound(items.begin(), items.end(), item) - items.begin());
      numbers->push_back(is_taken[place] ? kNoItem : static_cast<uint32_t>(place));
      is_taken[place] = true;
    }
    sources.add(patch.image->view, std::move(numbers));
  }
  ColumnsPatch merged;
  const Status status = merge_image(sources, cancel, &merged.image);
  if (!status.ok()) return status;
  merged.items = std::make_shared<const std::vector<uint32_t>>(std::move(items));
  const std::lock_guard<std::mutex> lock(mutex_);
  auto next = std::make_shared<ColumnsSnapshot>(*snapshot_);
  const auto from = next->patches.begin() + static_cast<std::ptrdiff_t>(begin);
  const auto to = next->patches.begin() + static_cast<std::ptrdiff_t>(snapshot.patches.size());
  next->patches.insert(next->patches.erase(from, to), std::move(merged));
  snapshot_ = std::move(next);
  return status;
}

}  // namespace semantic_index
