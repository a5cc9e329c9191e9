#include "io/atomic_file.h"

#include <atomic>
#include <chrono>
#include <new>

#include "base/cancel.h"
#include "base/status.h"

#if defined(_WIN32)
#include <windows.h>

#include "io/windows_path.h"
#else
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace semantic_index {

namespace {

/** Bytes per write call: some systems refuse more than 2 GiB, and cancellation is checked between calls. */
constexpr int64_t kLargestWrite = 1 << 24;

/** Bytes that a name may have on the usual file systems. */
constexpr size_t kLongestName = 255;
#if defined(_WIN32)
constexpr const char* kSeparators = "/\\";
#else
constexpr const char* kSeparators = "/";
#endif

/** A name beside `path` that no other save uses now. */
std::string temporary_name(const std::string& path) {
  static std::atomic<uint32_t> counter{0};
#if defined(_WIN32)
  const uint64_t process = GetCurrentProcessId();
#else
  const uint64_t process = static_cast<uint64_t>(getpid());
#endif
  const uint64_t now = static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  const uint64_t number = (now ^ (process << 40)) + counter.fetch_add(1, std::memory_order_relaxed);
  const std::string ending = "." + std::to_string(number) + ".tmp";
  const size_t name = path.find_last_of(kSeparators) + 1;  // npos + 1 is 0.
  if (path.size() - name + ending.size() <= kLongestName) return path + ending;
  return path.substr(0, name) + ".semantic-index" + ending;
}

#if defined(_WIN32)

Status system_failure(const char* step, const std::string& path) {
  const int error = static_cast<int>(GetLastError());
  return Status::io(error, std::string(step) + " " + path + ": " + windows_message(error));
}

Status write_file(const std::string& path, const BytesView* pieces, int count, const std::atomic<bool>* cancel) {
  const HANDLE handle =
      CreateFileW(windows_path(path).c_str(), GENERIC_WRITE, 0, nullptr, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (handle == INVALID_HANDLE_VALUE) return system_failure("Cannot create", path);
  Status status;
  for (int index = 0; index < count && status.ok(); ++index) {
    const char* data = static_cast<const char*>(pieces[index].data);
    for (int64_t left = pieces[index].size; left > 0 && status.ok();) {
      if (is_raised(cancel)) {
        status = cancelled();
        break;
      }
      const DWORD wanted = static_cast<DWORD>(left < kLargestWrite ? left : kLargestWrite);
      DWORD written = 0;
      if (!WriteFile(handle, data, wanted, &written, nullptr) || written == 0) {
        status = system_failure("Cannot write", path);
      }
      data += written;
      left -= written;
    }
  }
  if (status.ok() && !FlushFileBuffers(handle)) status = system_failure("Cannot sync", path);
  if (!CloseHandle(handle) && status.ok()) status = system_failure("Cannot close", path);
  return status;
}

Status rename_over(const std::string& from, const std::string& to) {
  const bool renamed = MoveFileExW(windows_path(from).c_str(), windows_path(to).c_str(),
                                   MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH) != 0;
  return renamed ? Status::success() : system_failure("Cannot rename to", to);
}

void remove_file(const std::string& path) { DeleteFileW(windows_path(path).c_str()); }

#else

Status system_failure(const char* step, const std::string& path) {
  const int error = errno;
  return Status::io(error, std::string(step) + " " + path + ": " + strerror(error));
}

/** Syncs to the device, not only to the system. */
int sync_descriptor(int descriptor) {
#if defined(__APPLE__)
  // fsync leaves the data in the drive's cache there.
  if (fcntl(descriptor, F_FULLFSYNC) == 0) return 0;
#endif
  return fsync(descriptor);
}

Status write_pieces(int descriptor, const std::string& path, const BytesView* pieces, int count,
                    const std::atomic<bool>* cancel) {
  for (int index = 0; index < count; ++index) {
    const char* data = static_cast<const char*>(pieces[index].data);
    for (int64_t left = pieces[index].size; left > 0;) {
      if (is_raised(cancel)) return cancelled();
      const int64_t wanted = left < kLargestWrite ? left : kLargestWrite;
      const ssize_t written = write(descriptor, data, static_cast<size_t>(wanted));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return system_failure("Cannot write", path);
      data += written;
      left -= written;
    }
  }
  return Status::success();
}

Status write_file(const std::string& path, const BytesView* pieces, int count, const std::atomic<bool>* cancel) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) return system_failure("Cannot create", path);
  Status status = write_pieces(descriptor, path, pieces, count, cancel);
  if (status.ok() && sync_descriptor(descriptor) != 0) status = system_failure("Cannot sync", path);
  if (close(descriptor) != 0 && status.ok()) status = system_failure("Cannot close", path);
  return status;
}

Status rename_over(const std::string& from, const std::string& to) {
  return rename(from.c_str(), to.c_str()) == 0 ? Status::success() : system_failure("Cannot rename to", to);
}

void remove_file(const std::string& path) { unlink(path.c_str()); }

#endif

}  // namespace

Status save_atomically(const std::string& path, const BytesView* pieces, int count,
                       const std::atomic<bool>* cancel) try {
  const std::string temporary = temporary_name(path);
  Status status = write_file(temporary, pieces, count, cancel);
  if (status.ok() && is_raised(cancel)) status = cancelled();
  if (status.ok()) status = rename_over(temporary, path);
  if (!status.ok()) {
    remove_file(temporary);
    return status;
  }
  return sync_folder_of(path);
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status save_atomically(const std::string& path, const MemoryBlock& file, const std::atomic<bool>* cancel) {
  const BytesView piece = {file.data(), static_cast<int64_t>(file.size())};
  return save_atomically(path, &piece, 1, cancel);
}

#if defined(_WIN32)

Status sync_folder_of(const std::string&) { return Status::success(); }

#else

Status sync_folder_of(const std::string& path) try {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const int descriptor = open(folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return system_failure("Cannot open", folder);
  Status status;
  // Some file systems cannot sync a directory and report it.
  if (fsync(descriptor) != 0 && errno != EINVAL && errno != EBADF) status = system_failure("Cannot sync", folder);
  close(descriptor);
  return status;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

#endif

}  // namespace semantic_index
