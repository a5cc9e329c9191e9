// The Windows side of MappedFile.

#if defined(_WIN32)

#include <windows.h>

#include <new>
#include <vector>

#include "io/mapped_file.h"
#include "io/windows_path.h"

namespace semantic_index {

namespace {

Status system_failure(const char* step, const std::string& path) {
  const int error = static_cast<int>(GetLastError());
  return Status::io(error, std::string(step) + " " + path + ": " + windows_message(error));
}

HANDLE as_handle(intptr_t value) { return reinterpret_cast<HANDLE>(value); }

Status identity_of(HANDLE handle, const std::string& path, FileIdentity* identity) {
  BY_HANDLE_FILE_INFORMATION information;
  if (!GetFileInformationByHandle(handle, &information)) return system_failure("Cannot read", path);
  // 100-nanosecond steps since 1601.
  const uint64_t steps = static_cast<uint64_t>(information.ftLastWriteTime.dwHighDateTime) << 32 |
                         information.ftLastWriteTime.dwLowDateTime;
  identity->size =
      static_cast<int64_t>(static_cast<uint64_t>(information.nFileSizeHigh) << 32 | information.nFileSizeLow);
  identity->modified = (static_cast<int64_t>(steps) - 116444736000000000) * 100;
  identity->device = information.dwVolumeSerialNumber;
  identity->inode = static_cast<uint64_t>(information.nFileIndexHigh) << 32 | information.nFileIndexLow;
  return Status::success();
}

bool set_size(HANDLE handle, int64_t size) {
  LARGE_INTEGER position;
  position.QuadPart = size;
  return SetFilePointerEx(handle, position, nullptr, FILE_BEGIN) && SetEndOfFile(handle);
}

}  // namespace

Status file_identity(const std::string& path, FileIdentity* identity) try {
  const HANDLE handle =
      CreateFileW(windows_path(path).c_str(), 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                  OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr);
  if (handle == INVALID_HANDLE_VALUE) return system_failure("Cannot read", path);
  const Status status = identity_of(handle, path, identity);
  CloseHandle(handle);
  return status;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status MappedFile::open(const std::string& path, std::unique_ptr<MappedFile>* file) try {
  std::unique_ptr<MappedFile> result(new MappedFile(path, Access::read_only));
  const HANDLE handle = CreateFileW(windows_path(path).c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE,
                                    nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (handle == INVALID_HANDLE_VALUE) return system_failure("Cannot open", path);
  result->handle_ = reinterpret_cast<intptr_t>(handle);
  if (GetFileType(handle) != FILE_TYPE_DISK) {
    return Status::io(0, "Expected a regular file, got a pipe or device: " + path);
  }
  const Status known = identity_of(handle, path, &result->identity_);
  if (!known.ok()) return known;
  result->size_ = result->identity_.size;
  return hand_over(std::move(result), file);
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status MappedFile::create(const std::string& path, int64_t size, std::unique_ptr<MappedFile>* file) try {
  std::unique_ptr<MappedFile> result(new MappedFile(path, Access::read_write));
  const HANDLE handle = CreateFileW(windows_path(path).c_str(), GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, nullptr,
                                    CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (handle == INVALID_HANDLE_VALUE) return system_failure("Cannot create", path);
  result->handle_ = reinterpret_cast<intptr_t>(handle);
  if (!set_size(handle, size)) return system_failure("Cannot reserve room for", path);
  result->size_ = result->file_size_ = size;
  return hand_over(std::move(result), file);
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status MappedFile::map() {
  if (size_ == 0) return Status::success();
  const bool writes = access_ == Access::read_write;
  const HANDLE mapping =
      CreateFileMappingW(as_handle(handle_), nullptr, writes ? PAGE_READWRITE : PAGE_READONLY, 0, 0, nullptr);
  if (mapping == nullptr) return system_failure("Cannot map", path_);
  void* address = MapViewOfFile(mapping, writes ? FILE_MAP_WRITE : FILE_MAP_READ, 0, 0, 0);
  const Status failure = address == nullptr ? system_failure("Cannot map", path_) : Status::success();
  // The view keeps the mapping.
  CloseHandle(mapping);
  data_ = static_cast<uint8_t*>(address);
  return failure;
}

void MappedFile::unmap() {
  if (data_ != nullptr) UnmapViewOfFile(data_);
  data_ = nullptr;
}

void MappedFile::close_handle() {
  if (handle_ != -1) CloseHandle(as_handle(handle_));
  handle_ = -1;
}

Status MappedFile::resize(int64_t size) {
  if (size == size_ && size == file_size_) return Status::success();
  unmap();
  if (!set_size(as_handle(handle_), size)) {
    const Status failure = system_failure("Cannot reserve room for", path_);
    const Status mapped = map();
    return mapped.ok() ? failure : mapped;
  }
  size_ = file_size_ = size;
  return map();
}

Status MappedFile::write_at(int64_t offset, const void* bytes, int64_t size) {
  const char* data = static_cast<const char*>(bytes);
  while (size > 0) {
    constexpr int64_t kLargestWrite = 1 << 30;
    OVERLAPPED position = {};
    position.Offset = static_cast<DWORD>(offset);
    position.OffsetHigh = static_cast<DWORD>(offset >> 32);
    DWORD written = 0;
    const DWORD wanted = static_cast<DWORD>(size < kLargestWrite ? size : kLargestWrite);
    if (!WriteFile(as_handle(handle_), data, wanted, &written, &position) || written == 0) {
      return system_failure("Cannot write", path_);
    }
    data += written;
    offset += written;
    size -= written;
    if (offset > file_size_) file_size_ = offset;
  }
  return Status::success();
}

Status MappedFile::sync() {
  if (data_ != nullptr && !FlushViewOfFile(data_, 0)) return system_failure("Cannot write", path_);
  if (!FlushFileBuffers(as_handle(handle_))) return system_failure("Cannot sync", path_);
  return Status::success();
}

}  // namespace semantic_index

#endif
