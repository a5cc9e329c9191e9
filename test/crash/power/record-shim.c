// Preloaded (LD_PRELOAD) into a process: logs every call that changes files under one folder, and every fsync of them.
//
// RECORD_FOLDER names the folder, RECORD_LOG the file of the log. The log is a list of records, each a `struct record`
// and then its two paths and its bytes; recorded-disk.mjs reads it. Calls are made one at a time, so that the order of
// the log is the order of the calls. Writes to mapped memory are not seen: the only such file of an index is the -shm
// of SQLite, which is rebuilt after a crash.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { CREATE = 1, MKDIR, WRITE, TRUNCATE, SYNC, RENAME, UNLINK, TOUCH, LINK };

struct record {
  uint32_t kind, first_length, second_length, size;
  uint64_t inode;
  int64_t offset;
  // Modification time of the file after the call, in milliseconds.
  int64_t modified;
};

static int log_descriptor = -1;
static char folder[4096];
static size_t folder_length;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

#define REAL(type, name, ...)       \
  static type (*real)(__VA_ARGS__); \
  if (real == NULL) real = dlsym(RTLD_NEXT, name)

static int open_real(const char* path, int flags) {
  REAL(int, "open", const char*, int, ...);
  return real(path, flags, 0666);
}

static void write_all(const void* data, size_t size) {
  REAL(ssize_t, "write", int, const void*, size_t);
  const char* bytes = data;
  while (size > 0) {
    const ssize_t written = real(log_descriptor, bytes, size);
    if (written <= 0) {
      perror("record-shim: cannot write the log");
      abort();
    }
    bytes += written;
    size -= (size_t)written;
  }
}

__attribute__((constructor)) static void begin(void) {
  const char* name = getenv("RECORD_FOLDER");
  const char* path = getenv("RECORD_LOG");
  if (name == NULL || path == NULL || realpath(name, folder) == NULL) return;
  folder_length = strlen(folder);
  log_descriptor = open_real(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC);
}

static int path_is_under(const char* path) {
  return log_descriptor >= 0 && path != NULL && strncmp(path, folder, folder_length) == 0 &&
         (path[folder_length] == '/' || path[folder_length] == 0);
}

static int descriptor_is_under(int descriptor) {
  if (log_descriptor < 0) return 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return path_is_under(path);
}

static void log_record(enum kind kind, const struct stat* file, int64_t offset, const char* first, const char* second,
                       const void* data, size_t size) {
  const struct record record = {
      .kind = kind,
      .first_length = first == NULL ? 0 : (uint32_t)strlen(first),
      .second_length = second == NULL ? 0 : (uint32_t)strlen(second),
      .size = (uint32_t)size,
      .inode = file == NULL ? 0 : file->st_ino,
      .offset = offset,
      .modified = file == NULL ? 0 : file->st_mtim.tv_sec * 1000 + file->st_mtim.tv_nsec / 1000000,
  };
  write_all(&record, sizeof record);
  if (first != NULL) write_all(first, record.first_length);
  if (second != NULL) write_all(second, record.second_length);
  if (size > 0) write_all(data, size);
}

static void log_descriptor_call(enum kind kind, int descriptor, int64_t offset, const void* data, size_t size) {
  struct stat file;
  if (fstat(descriptor, &file) == 0) log_record(kind, &file, offset, NULL, NULL, data, size);
}

static void begin_turn(void) { pthread_mutex_lock(&turn); }

static void end_turn(void) {
  const int error = errno;
  pthread_mutex_unlock(&turn);
  errno = error;
}

ssize_t write(int descriptor, const void* data, size_t count) {
  REAL(ssize_t, "write", int, const void*, size_t);
  if (!descriptor_is_under(descriptor)) return real(descriptor, data, count);
  begin_turn();
  const ssize_t written = real(descriptor, data, count);
  if (written > 0) {
    const off_t end = lseek(descriptor, 0, SEEK_CUR);
    log_descriptor_call(WRITE, descriptor, end - written, data, (size_t)written);
  }
  end_turn();
  return written;
}

#define PWRITE(name, offset_type)                                                                    \
  ssize_t name(int descriptor, const void* data, size_t count, offset_type offset) {                 \
    REAL(ssize_t, #name, int, const void*, size_t, offset_type);                                     \
    if (!descriptor_is_under(descriptor)) return real(descriptor, data, count, offset);              \
    begin_turn();                                                                                    \
    const ssize_t written = real(descriptor, data, count, offset);                                   \
    if (written > 0) log_descriptor_call(WRITE, descriptor, (int64_t)offset, data, (size_t)written); \
    end_turn();                                                                                      \
    return written;                                                                                  \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

// What a call wrote that named no buffer of ours.
static void log_written_range(int descriptor, int64_t offset, ssize_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
  const int reading = open_real(path, O_RDONLY | O_CLOEXEC);
  void* bytes = malloc((size_t)size);
  if (reading < 0 || bytes == NULL || pread(reading, bytes, (size_t)size, offset) != size) {
    perror("record-shim: cannot read what was written");
    abort();
  }
  log_descriptor_call(WRITE, descriptor, offset, bytes, (size_t)size);
  free(bytes);
  close(reading);
}

ssize_t writev(int descriptor, const struct iovec* pieces, int count) {
  REAL(ssize_t, "writev", int, const struct iovec*, int);
  if (!descriptor_is_under(descriptor)) return real(descriptor, pieces, count);
  begin_turn();
  const ssize_t written = real(descriptor, pieces, count);
  if (written > 0) log_written_range(descriptor, lseek(descriptor, 0, SEEK_CUR) - written, written);
  end_turn();
  return written;
}

#define PWRITEV(name, offset_type)                                                          \
  ssize_t name(int descriptor, const struct iovec* pieces, int count, offset_type offset) { \
    REAL(ssize_t, #name, int, const struct iovec*, int, offset_type);                       \
    if (!descriptor_is_under(descriptor)) return real(descriptor, pieces, count, offset);   \
    begin_turn();                                                                           \
    const ssize_t written = real(descriptor, pieces, count, offset);                        \
    if (written > 0) log_written_range(descriptor, (int64_t)offset, written);               \
    end_turn();                                                                             \
    return written;                                                                         \
  }
PWRITEV(pwritev, off_t)
PWRITEV(pwritev64, off64_t)

// Node copies files by this number, not by the function of the C library.
long syscall(long number, ...) {
  REAL(long, "syscall", long, ...);
  long given[6];
  va_list rest;
  va_start(rest, number);
  for (int index = 0; index < 6; ++index) given[index] = va_arg(rest, long);
  va_end(rest);
  const int to = (int)given[2];
  if (number != SYS_copy_file_range || !descriptor_is_under(to)) {
    return real(number, given[0], given[1], given[2], given[3], given[4], given[5]);
  }
  begin_turn();
  const long written = real(number, given[0], given[1], given[2], given[3], given[4], given[5]);
  const off64_t* to_offset = (const off64_t*)given[3];
  const int64_t end = to_offset != NULL ? *to_offset : lseek(to, 0, SEEK_CUR);
  if (written > 0) log_written_range(to, end - written, written);
  end_turn();
  return written;
}

ssize_t copy_file_range(int from, off64_t* from_offset, int to, off64_t* to_offset, size_t count, unsigned flags) {
  return syscall(SYS_copy_file_range, from, from_offset, to, to_offset, count, flags);
}

#define SENDFILE(name, offset_type)                                                    \
  ssize_t name(int to, int from, offset_type* offset, size_t count) {                  \
    REAL(ssize_t, #name, int, int, offset_type*, size_t);                              \
    if (!descriptor_is_under(to)) return real(to, from, offset, count);                \
    begin_turn();                                                                      \
    const ssize_t written = real(to, from, offset, count);                             \
    if (written > 0) log_written_range(to, lseek(to, 0, SEEK_CUR) - written, written); \
    end_turn();                                                                        \
    return written;                                                                    \
  }
SENDFILE(sendfile, off_t)
SENDFILE(sendfile64, off64_t)

#define SYNCING(name)                                                   \
  int name(int descriptor) {                                            \
    REAL(int, #name, int);                                              \
    if (!descriptor_is_under(descriptor)) return real(descriptor);      \
    begin_turn();                                                       \
    const int result = real(descriptor);                                \
    if (result == 0) log_descriptor_call(SYNC, descriptor, 0, NULL, 0); \
    end_turn();                                                         \
    return result;                                                      \
  }
SYNCING(fsync)
SYNCING(fdatasync)

#define TRUNCATING(name, offset_type)                                                     \
  int name(int descriptor, offset_type length) {                                          \
    REAL(int, #name, int, offset_type);                                                   \
    if (!descriptor_is_under(descriptor)) return real(descriptor, length);                \
    begin_turn();                                                                         \
    const int result = real(descriptor, length);                                          \
    if (result == 0) log_descriptor_call(TRUNCATE, descriptor, (int64_t)length, NULL, 0); \
    end_turn();                                                                           \
    return result;                                                                        \
  }
TRUNCATING(ftruncate, off_t)
TRUNCATING(ftruncate64, off64_t)

// Room that is allocated makes the file longer, and nothing else that can be seen.
#define ALLOCATING(name, offset_type)                                                                                 \
  int name(int descriptor, int mode, offset_type offset, offset_type length) {                                        \
    REAL(int, #name, int, int, offset_type, offset_type);                                                             \
    if (!descriptor_is_under(descriptor)) return real(descriptor, mode, offset, length);                              \
    begin_turn();                                                                                                     \
    const int result = real(descriptor, mode, offset, length);                                                        \
    struct stat file;                                                                                                 \
    if (result == 0 && fstat(descriptor, &file) == 0) log_record(TRUNCATE, &file, file.st_size, NULL, NULL, NULL, 0); \
    end_turn();                                                                                                       \
    return result;                                                                                                    \
  }
ALLOCATING(fallocate, off_t)
ALLOCATING(fallocate64, off64_t)

static void log_opened(int descriptor, const char* path, int flags, int was_there) {
  struct stat file;
  if (descriptor < 0 || fstat(descriptor, &file) != 0 || !S_ISREG(file.st_mode)) return;
  if (!was_there) {
    log_record(CREATE, &file, 0, path, NULL, NULL, 0);
  } else if (flags & O_TRUNC) {
    log_record(TRUNCATE, &file, 0, NULL, NULL, NULL, 0);
  }
}

#define MODE_OF(flags, mode)             \
  mode_t mode = 0;                       \
  if ((flags) & (O_CREAT | O_TMPFILE)) { \
    va_list rest;                        \
    va_start(rest, flags);               \
    mode = va_arg(rest, mode_t);         \
    va_end(rest);                        \
  }

#define OPENING(name)                                                                           \
  int name(const char* path, int flags, ...) {                                                  \
    REAL(int, #name, const char*, int, ...);                                                    \
    MODE_OF(flags, mode)                                                                        \
    if (!(flags & (O_CREAT | O_TRUNC)) || !path_is_under(path)) return real(path, flags, mode); \
    begin_turn();                                                                               \
    struct stat before;                                                                         \
    const int was_there = lstat(path, &before) == 0;                                            \
    const int descriptor = real(path, flags, mode);                                             \
    log_opened(descriptor, path, flags, was_there);                                             \
    end_turn();                                                                                 \
    return descriptor;                                                                          \
  }
OPENING(open)
OPENING(open64)

#define OPENING_AT(name)                                                                                   \
  int name(int directory, const char* path, int flags, ...) {                                              \
    REAL(int, #name, int, const char*, int, ...);                                                          \
    MODE_OF(flags, mode)                                                                                   \
    if (!(flags & (O_CREAT | O_TRUNC)) || !path_is_under(path)) return real(directory, path, flags, mode); \
    begin_turn();                                                                                          \
    struct stat before;                                                                                    \
    const int was_there = lstat(path, &before) == 0;                                                       \
    const int descriptor = real(directory, path, flags, mode);                                             \
    log_opened(descriptor, path, flags, was_there);                                                        \
    end_turn();                                                                                            \
    return descriptor;                                                                                     \
  }
OPENING_AT(openat)
OPENING_AT(openat64)

int mkdir(const char* path, mode_t mode) {
  REAL(int, "mkdir", const char*, mode_t);
  if (!path_is_under(path)) return real(path, mode);
  begin_turn();
  const int result = real(path, mode);
  struct stat file;
  if (result == 0 && stat(path, &file) == 0) log_record(MKDIR, &file, 0, path, NULL, NULL, 0);
  end_turn();
  return result;
}

int rename(const char* from, const char* to) {
  REAL(int, "rename", const char*, const char*);
  if (!path_is_under(from) && !path_is_under(to)) return real(from, to);
  begin_turn();
  const int result = real(from, to);
  if (result == 0) log_record(RENAME, NULL, 0, from, to, NULL, 0);
  end_turn();
  return result;
}

int link(const char* from, const char* to) {
  REAL(int, "link", const char*, const char*);
  if (!path_is_under(to)) return real(from, to);
  begin_turn();
  const int result = real(from, to);
  if (result == 0) log_record(LINK, NULL, 0, from, to, NULL, 0);
  end_turn();
  return result;
}

#define REMOVING(name)                                                 \
  int name(const char* path) {                                         \
    REAL(int, #name, const char*);                                     \
    if (!path_is_under(path)) return real(path);                       \
    begin_turn();                                                      \
    const int result = real(path);                                     \
    if (result == 0) log_record(UNLINK, NULL, 0, path, NULL, NULL, 0); \
    end_turn();                                                        \
    return result;                                                     \
  }
REMOVING(unlink)
REMOVING(rmdir)

int utimensat(int directory, const char* path, const struct timespec times[2], int flags) {
  REAL(int, "utimensat", int, const char*, const struct timespec*, int);
  const int result = real(directory, path, times, flags);
  struct stat file;
  if (result == 0 && path_is_under(path) && stat(path, &file) == 0) {
    begin_turn();
    log_record(TOUCH, &file, 0, NULL, NULL, NULL, 0);
    end_turn();
  }
  return result;
}

int futimens(int descriptor, const struct timespec times[2]) {
  REAL(int, "futimens", int, const struct timespec*);
  const int result = real(descriptor, times);
  if (result == 0 && descriptor_is_under(descriptor)) {
    begin_turn();
    log_descriptor_call(TOUCH, descriptor, 0, NULL, 0);
    end_turn();
  }
  return result;
}
