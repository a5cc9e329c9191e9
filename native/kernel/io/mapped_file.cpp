#include "io/mapped_file.h"

#include <cerrno>

#include "base/cancel.h"
#include "base/status.h"
#include "io/mapping_guard.h"

namespace semantic_index {

namespace {

#if defined(_WIN32)
/** ERROR_FILE_NOT_FOUND and ERROR_PATH_NOT_FOUND. */
constexpr int kMissing[] = {2, 3};
#else
constexpr int kMissing[] = {ENOENT, ENOTDIR};
#endif

}  // namespace

bool operator==(const FileIdentity& left, const FileIdentity& right) {
  return left.size == right.size && left.modified == right.modified && left.touched == right.touched &&
         left.device == right.device && left.inode == right.inode;
}

bool MappedFile::has_changed() const {
  if (changed_->load(std::memory_order_acquire)) return true;
  FileIdentity now;
  const Status status = file_identity(path_, &now);
  if (status.ok()) return !(now == identity_);
  return status.system_error != kMissing[0] && status.system_error != kMissing[1];
}

MappedFile::MappedFile(const std::string& path, Access access)
    : access_(access), path_(path), changed_(new std::atomic<bool>(false)) {}

Status MappedFile::hand_over(std::unique_ptr<MappedFile> opened, std::unique_ptr<MappedFile>* file) {
  const Status mapped = opened->map();
  if (!mapped.ok()) return mapped;
  // The map keeps the file.
  if (opened->access_ == Access::read_only) opened->close_handle();
  *file = std::move(opened);
  return mapped;
}

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
    if (offset % kPerCancelCheck == 0 && is_raised(cancel)) return cancelled();
    sum = static_cast<uint8_t>(sum + *static_cast<const volatile uint8_t*>(data_ + offset));
  }
  static_cast<void>(sum);
  return Status::success();
}

}  // namespace semantic_index
