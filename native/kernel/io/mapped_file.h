#ifndef SEMANTIC_INDEX_KERNEL_IO_MAPPED_FILE_H_
#define SEMANTIC_INDEX_KERNEL_IO_MAPPED_FILE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"

namespace semantic_index {

/** The state of a file: compare two to see whether a path still refers to the same bytes. */
struct FileIdentity {
  int64_t size = 0;
  /** Nanoseconds since 1970. */
  int64_t modified = 0;
  /** When its bytes or its entry were changed, which no program can set; 0 on Windows. Nanoseconds since 1970. */
  int64_t touched = 0;
  uint64_t device = 0;
  uint64_t inode = 0;
};

bool operator==(const FileIdentity& left, const FileIdentity& right);

/** Reads the identity of the file at `path`. io_error when the file is missing. */
Status file_identity(const std::string& path, FileIdentity* identity);

/**
 * A file mapped into memory, unmapped on destruction. The bytes are page-aligned.
 *
 * A mapped file that another process cuts short would end this process with SIGBUS at the next touch of a lost page.
 * Every MappedFile is therefore guarded (see mapping_guard.h): the lost page is replaced by zero bytes and `changed` is
 * raised, so that the reader goes on over harmless bytes and then reports file_changed. A file that is replaced by a
 * rename, as all of ours are, stays whole under its maps. On Windows a mapped file cannot be cut short.
 */
class MappedFile {
 public:
  enum class Access { read_only, read_write };

  /**
   * Maps the whole file. io_error when it is missing, unreadable, or not a regular file; opening a FIFO or a device
   * does not wait. An empty file gives no bytes.
   */
  static Status open(const std::string& path, std::unique_ptr<MappedFile>* file);

  /** Creates or replaces the file with `size` zero bytes and maps it for writing. */
  static Status create(const std::string& path, int64_t size, std::unique_ptr<MappedFile>* file);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const uint8_t* data() const { return data_; }
  /** Only for a file made by `create`. */
  uint8_t* writable_data() { return access_ == Access::read_write ? data_ : nullptr; }
  int64_t size() const { return size_; }
  const FileIdentity& identity() const { return identity_; }
  /** Raised when a page could not be read. Lives as long as this map. */
  const std::atomic<bool>& changed() const { return *changed_; }

  /**
   * Whether the file at the path was cut short, replaced or written to since it was mapped; looks at its entry only. A
   * write changes the entry before its bytes can be read, so what was read before a look without findings is what was
   * there. A file that was removed counts as unchanged: the map keeps its bytes.
   */
  bool has_changed() const;

  /**
   * Only for a file made by `create`: resizes and remaps it, so `data` may move. Reserves disk space first where the
   * system can: a full disk is then an io_error here, not a fault later.
   */
  Status resize(int64_t size);

  /**
   * Only for a file made by `create`: writes bytes into the file, also past its end, without touching the map; `data`
   * shows what lies past `size` only after the next `resize`.
   */
  Status write_at(int64_t offset, const void* bytes, int64_t size);

  /** Only for a file made by `create`: writes everything to the device. */
  Status sync();

  /** Reads every page into memory. `cancelled` when the flag is raised. */
  Status prefault(const std::atomic<bool>* cancel = nullptr) const;

 private:
  MappedFile(const std::string& path, Access access);
  /** Maps an opened file and hands it over; one that is only read needs its handle no longer. */
  static Status hand_over(std::unique_ptr<MappedFile> opened, std::unique_ptr<MappedFile>* file);
  Status map();
  void unmap();
  void close_handle();

  const Access access_;
  const std::string path_;
  uint8_t* data_ = nullptr;
  int64_t size_ = 0;
  /** Bytes of the file, which `write_at` may have made longer than the map. */
  int64_t file_size_ = 0;
  FileIdentity identity_;
  std::atomic<bool>* changed_ = nullptr;
  /** A file descriptor, or a HANDLE on Windows. */
  intptr_t handle_ = -1;
  int guard_slot_ = -1;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_IO_MAPPED_FILE_H_
