#include "accelerator.h"

#include <utility>

namespace semantic_index {

namespace {

/** Whether searches may go by `accelerator`. Compares the whole forest at the first call, unless it is known already.
 */
Status is_usable(const Forest& forest, const Accelerator* accelerator, const std::atomic<bool>* cancel, bool* usable) {
  *usable = false;
  if (accelerator == nullptr || accelerator->is_damaged.load() || accelerator->is_foreign.load()) {
    return Status::success();
  }
  if (!accelerator->is_own.load(std::memory_order_acquire)) {
    const std::lock_guard<std::mutex> lock(accelerator->comparing);
    if (!accelerator->is_own.load() && !accelerator->is_foreign.load()) {
      const Status status = accelerator->view.verify_forest(forest.view, cancel);
      if (status.code == StatusCode::cancelled || status.code == StatusCode::file_changed) return status;
      accelerator->is_foreign.store(!status.ok());
      accelerator->is_own.store(status.ok(), std::memory_order_release);
    }
  }
  *usable = accelerator->is_own.load();
  return Status::success();
}

}  // namespace

Status accelerator_of_file(const std::string& path, const Forest& forest, const std::string& content,
                           AcceleratorPointer* accelerator) {
  auto made = std::make_shared<Accelerator>();
  Status status = MappedFile::open(path, &made->file);
  if (!status.ok()) return status;
  const MappedFile& file = *made->file;
  status = AcceleratorView::open(file.data(), file.size(), forest.view, &made->view, &file.changed());
  if (!status.ok()) return status;
  if (!content.empty()) {
    if (content != checksum_text(made->view.header().forest_checksum)) {
      return Status::failure(StatusCode::invalid_argument, "the accelerator was derived from another file");
    }
    made->is_own.store(true);
  }
  *accelerator = std::move(made);
  return status;
}

Status may_rule_out(const Forest& forest, const Accelerator* accelerator, const std::atomic<bool>* cancel, bool* may) {
  const Status usable = is_usable(forest, accelerator, cancel, may);
  if (!usable.ok() || !*may) return usable;
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
  bool usable = false;
  Status status = is_usable(forest, accelerator, nullptr, &usable);
  if (!status.ok()) return status;
  if (usable) {
    status = accelerator->view.search(forest.view, query, options, &memory->accelerator, items, distances, found);
    if (status.code != StatusCode::corrupt && status.code != StatusCode::file_changed) return status;
    // A damaged accelerator costs speed, not answers.
    accelerator->is_damaged.store(true);
  }
  return forest.view.search(query, options, &memory->forest, items, distances, found);
}

}  // namespace semantic_index
