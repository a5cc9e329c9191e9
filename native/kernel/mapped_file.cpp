#include "mapped_file.h"

#include "mapping_guard.h"

namespace semantic_index {

MappedFile::~MappedFile() {
  unmap();
  close_handle();
  delete changed_;
}

void MappedFile::prefault() const {
  constexpr int64_t kPage = 4096;
  uint8_t sum = 0;
  for (int64_t offset = 0; offset < size_; offset += kPage) {
    sum = static_cast<uint8_t>(sum + *static_cast<const volatile uint8_t*>(data_ + offset));
  }
  static_cast<void>(sum);
}

}  // namespace semantic_index
