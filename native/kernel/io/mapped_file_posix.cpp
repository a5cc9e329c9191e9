// The POSIX side of MappedFile.

#if !defined(_WIN32)

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <new>

#include "io/mapped_file.h"
#include "io/mapping_guard.h"

namespace semantic_index {

namespace {

Status system_failure(const char* step, const std::string& path) {
  const int error = errno;
  return Status::io(error, std::string(step) + " " + path + ": " + strerror(error));
}

FileIdentity identity_of(const struct stat& information) {
  FileIdentity identity;
  identity.size = static_cast<int64_t>(information.st_size);
#if defined(__APPLE__)
  const struct timespec& modified = information.st_mtimespec;
  const struct timespec& touched = information.st_ctimespec;
#else
  const struct timespec& modified = information.st_mtim;
  const struct timespec& touched = information.st_ctim;
#endif
  identity.modified = static_cast<int64_t>(modified.tv_sec) * 1000000000 + modified.tv_nsec;
  identity.touched = static_cast<int64_t>(touched.tv_sec) * 1000000000 + touched.tv_nsec;
  identity.device = static_cast<uint64_t>(information.st_dev);
  identity.inode = static_cast<uint64_t>(information.st_ino);
  return identity;
}

/** Gives the file `size` bytes, reserving room for them where the system can. */
int set_size(int descriptor, int64_t old_size, int64_t size) {
#if defined(__linux__)
  if (size > old_size) {
    int result;
    do {
      result = fallocate(descriptor, 0, old_size, size - old_size);
    } while (result != 0 && errno == EINTR);
    if (result == 0) return 0;
    if (errno != EOPNOTSUPP && errno != ENOSYS) return -1;
  }
#else
  static_cast<void>(old_size);
#endif
  return ftruncate(descriptor, static_cast<off_t>(size));
}

}  // namespace

Status file_identity(const std::string& path, FileIdentity* identity) {
  struct stat information;
  if (stat(path.c_str(), &information) != 0) return system_failure("Cannot read", path);
  *identity = identity_of(information);
  return Status::success();
}

Status MappedFile::open(const std::string& path, std::unique_ptr<MappedFile>* file) try {
  std::unique_ptr<MappedFile> result(new MappedFile(path, Access::read_only));
  // Without O_NONBLOCK the open of a FIFO waits until something writes to it. Regular files are not affected.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) return system_failure("Cannot open", path);
  result->handle_ = descriptor;
  struct stat information;
  if (fstat(descriptor, &information) != 0) return system_failure("Cannot read the size of", path);
  if (S_ISDIR(information.st_mode)) {
    errno = EISDIR;
    return system_failure("Cannot map", path);
  }
  if (!S_ISREG(information.st_mode)) return Status::io(0, "Expected a regular file, got a FIFO or device: " + path);
  result->identity_ = identity_of(information);
  result->size_ = result->identity_.size;
  return hand_over(std::move(result), file);
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status MappedFile::create(const std::string& path, int64_t size, std::unique_ptr<MappedFile>* file) try {
  std::unique_ptr<MappedFile> result(new MappedFile(path, Access::read_write));
  // A file that others have mapped keeps its bytes: the name gets a new file, the old one is never emptied.
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return system_failure("Cannot replace", path);
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) return system_failure("Cannot create", path);
  result->handle_ = descriptor;
  if (set_size(descriptor, 0, size) != 0) return system_failure("Cannot reserve room for", path);
  result->size_ = result->file_size_ = size;
  return hand_over(std::move(result), file);
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status MappedFile::map() {
  if (size_ == 0) return Status::success();
  const int protection = access_ == Access::read_write ? PROT_READ | PROT_WRITE : PROT_READ;
  void* address = mmap(nullptr, static_cast<size_t>(size_), protection, MAP_SHARED, static_cast<int>(handle_), 0);
  if (address == MAP_FAILED) return system_failure("Cannot map", path_);
  data_ = static_cast<uint8_t*>(address);
  if (guard_mapping(data_, static_cast<size_t>(size_), changed_, &guard_slot_)) return Status::success();
  unmap();
  return Status::no_memory();
}

void MappedFile::unmap() {
  unguard_mapping(guard_slot_);
  guard_slot_ = -1;
  if (data_ != nullptr) munmap(data_, static_cast<size_t>(size_));
  data_ = nullptr;
}

void MappedFile::close_handle() {
  if (handle_ >= 0) ::close(static_cast<int>(handle_));
  handle_ = -1;
}

Status MappedFile::resize(int64_t size) {
  if (size == size_ && size == file_size_) return Status::success();
  const int descriptor = static_cast<int>(handle_);
  // Grow before mapping more, and unmap before cutting, so that no mapped page is ever without a file behind it.
  if (size > file_size_) {
    if (set_size(descriptor, file_size_, size) != 0) return system_failure("Cannot reserve room for", path_);
    file_size_ = size;
  }
  unmap();
  if (size < file_size_) {
    if (set_size(descriptor, file_size_, size) != 0) {
      const Status failure = system_failure("Cannot cut", path_);
      const Status mapped = map();
      return mapped.ok() ? failure : mapped;
    }
    file_size_ = size;
  }
  size_ = size;
  return map();
}

Status MappedFile::write_at(int64_t offset, const void* bytes, int64_t size) {
  const char* data = static_cast<const char*>(bytes);
  while (size > 0) {
    constexpr int64_t kLargestWrite = 1 << 30;
    const int64_t wanted = size < kLargestWrite ? size : kLargestWrite;
    const ssize_t written =
        pwrite(static_cast<int>(handle_), data, static_cast<size_t>(wanted), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return system_failure("Cannot write", path_);
    data += written;
    offset += written;
    size -= written;
    if (offset > file_size_) file_size_ = offset;
  }
  return Status::success();
}

Status MappedFile::sync() {
  if (data_ != nullptr && msync(data_, static_cast<size_t>(size_), MS_SYNC) != 0) {
    return system_failure("Cannot write", path_);
  }
  if (fsync(static_cast<int>(handle_)) != 0) return system_failure("Cannot sync", path_);
  if (changed_->load(std::memory_order_acquire)) {
    return Status::failure(StatusCode::file_changed, "Pages of " + path_ + " could not be written");
  }
  return Status::success();
}

}  // namespace semantic_index

#endif
