#include "accelerator.h"

#include <utility>

namespace semantic_index {

Status accelerator_of_file(const std::string& path, const Forest& forest, AcceleratorPointer* accelerator) {
  auto made = std::make_shared<Accelerator>();
  Status status = MappedFile::open(path, false, &made->file);
  if (!status.ok()) return status;
  const MappedFile& file = *made->file;
  status = AcceleratorView::open(file.data(), file.size(), forest.view, &made->view, &file.changed());
  if (!status.ok()) return status;
  *accelerator = std::move(made);
  return status;
}

Status may_rule_out(const Accelerator* accelerator, const std::atomic<bool>* cancel, bool* may) {
  *may = false;
  if (accelerator == nullptr || accelerator->is_damaged.load()) return Status::success();
  if (!accelerator->is_verified.load()) {
    const Status status = accelerator->view.verify_rows(cancel);
    if (status.code == StatusCode::cancelled) return status;
    accelerator->is_damaged.store(!status.ok());
    accelerator->is_verified.store(status.ok());
  }
  *may = accelerator->is_verified.load();
  return Status::success();
}

Status search_forest(const Forest& forest, const Accelerator* accelerator, const float* query,
                     const SearchOptions& options, SearchMemory* memory, int32_t* items, float* distances,
                     int32_t* found) {
  if (accelerator != nullptr && !accelerator->is_damaged.load(std::memory_order_relaxed)) {
    Status status =
        accelerator->view.search(forest.view, query, options, &memory->accelerator, items, distances, found);
    if (status.code != StatusCode::corrupt && status.code != StatusCode::file_changed) return status;
    // A damaged accelerator costs speed, not answers.
    accelerator->is_damaged.store(true);
  }
  return forest.view.search(query, options, &memory->forest, items, distances, found);
}

}  // namespace semantic_index
