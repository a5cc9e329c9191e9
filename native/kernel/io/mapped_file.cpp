#include "io/mapped_file.h"

#include "io/mapping_guard.h"

namespace semantic_index {

MappedFile::~MappedFile() {
  unmap();
  close_handle();
  delete changed_;
}

Status MappedFile::prefault(const std::atomic<bool>* cancel) const {
  constexpr int64_t kPage = 4096;
  constexpr int64_t kPerCancelCheck = 1 << 20;
  uint8_t sum = 0;
  for (int64_t offset = 0; offset < size_; offset += kPage) {
    if (offset % kPerCancelCheck == 0 && cancel != nullptr && cancel->load()) return {StatusCode::cancelled, 0, {}};
    sum = static_cast<uint8_t>(sum + *static_cast<const volatile uint8_t*>(data_ + offset));
  }
  static_cast<void>(sum);
  return Status::success();
}

}  // namespace semantic_index
