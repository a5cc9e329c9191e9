// Preloaded (LD_PRELOAD) into a process: makes the n-th call that writes under one folder fail, or come back short;
// with FAULT_READS=1 the n-th call that reads: read, mmap, or open of what is there.
//
// FAULT_FOLDER names the folder, FAULT_STATE a file of 256 bytes that the test and this share through mmap:
//   0 int32 armed at the n-th call from now (0: off)   4 int32 errno, or 0 for a short write   8 int32 how many calls
//   in a row
//  12 int32 calls counted since it was armed          16 int32 faults given                   64 text: the call that
//  failed
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

struct state {
  _Atomic int32_t armed, error, length, calls, faults;
  int32_t unused[11];
  char last[192];
};

static struct state* state;
static int reads;
static char folder[4096];
static size_t folder_length;

__attribute__((constructor)) static void begin(void) {
  const char* path = getenv("FAULT_STATE");
  const char* name = getenv("FAULT_FOLDER");
  reads = getenv("FAULT_READS") != NULL;
  if (path == NULL || name == NULL || realpath(name, folder) == NULL) return;
  folder_length = strlen(folder);
  int (*real_open)(const char*, int, ...) = dlsym(RTLD_NEXT, "open");
  const int descriptor = real_open(path, O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return;
  void* mapped = mmap(NULL, sizeof(struct state), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  close(descriptor);
  if (mapped != MAP_FAILED) state = mapped;
}

static int path_is_under(const char* path) {
  return path != NULL && strncmp(path, folder, folder_length) == 0 && path[folder_length] == '/';
}

static int descriptor_is_under(int descriptor) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return path_is_under(path);
}

enum { GO_ON = 0, FAIL = 1, SHORT = 2 };

// What is to become of a call under the folder; sets errno where it is to fail.
static int verdict(const char* call, const char* path, int descriptor) {
  const int armed = atomic_load(&state->armed);
  if (armed == 0) return GO_ON;
  const int number = atomic_fetch_add(&state->calls, 1) + 1;
  if (number < armed || number - armed >= atomic_load(&state->length)) return GO_ON;
  atomic_fetch_add(&state->faults, 1);
  char target[4096] = "";
  if (path != NULL) {
    snprintf(target, sizeof target, "%s", path);
  } else {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t length = readlink(link, target, sizeof target - 1);
    target[length > 0 ? length : 0] = 0;
  }
  const size_t length = strlen(target);
  snprintf(state->last, sizeof state->last, "%s %.100s", call, target + (length > 100 ? length - 100 : 0));
  const int error = atomic_load(&state->error);
  if (error == 0) return SHORT;
  errno = error;
  return FAIL;
}

// A call that cannot come back short fails instead.
static int code_of(int what, int otherwise) { return what == FAIL ? errno : otherwise; }

#define REAL(type, name, ...)       \
  static type (*real)(__VA_ARGS__); \
  if (real == NULL) real = dlsym(RTLD_NEXT, name)

static int is_armed(int for_reads) { return state != NULL && reads == for_reads && atomic_load(&state->armed) != 0; }

#define WATCH_DESCRIPTOR(name, descriptor) \
  (is_armed(0) && descriptor_is_under(descriptor) ? verdict(name, NULL, descriptor) : GO_ON)
#define WATCH_READ(name, descriptor) \
  (is_armed(1) && descriptor_is_under(descriptor) ? verdict(name, NULL, descriptor) : GO_ON)
#define WATCH_PATH(name, path) (is_armed(0) && path_is_under(path) ? verdict(name, path, -1) : GO_ON)
#define WATCH_OPEN(name, path, flags) \
  (is_armed(((flags) & O_CREAT) == 0) && path_is_under(path) ? verdict(name, path, -1) : GO_ON)

// Half of what was asked for; a write of one byte cannot be short, so it fails as on a full disk.
#define SHORTENED(count) ((count) / 2)

ssize_t write(int descriptor, const void* data, size_t count) {
  REAL(ssize_t, "write", int, const void*, size_t);
  const int what = WATCH_DESCRIPTOR("write", descriptor);
  if (what == FAIL) return -1;
  if (what == SHORT) {
    if (count < 2) return errno = ENOSPC, -1;
    return real(descriptor, data, SHORTENED(count));
  }
  return real(descriptor, data, count);
}

#define PWRITE(name, offset_type)                                                    \
  ssize_t name(int descriptor, const void* data, size_t count, offset_type offset) { \
    REAL(ssize_t, #name, int, const void*, size_t, offset_type);                     \
    const int what = WATCH_DESCRIPTOR(#name, descriptor);                            \
    if (what == FAIL) return -1;                                                     \
    if (what == SHORT) {                                                             \
      if (count < 2) return errno = ENOSPC, -1;                                      \
      return real(descriptor, data, SHORTENED(count), offset);                       \
    }                                                                                \
    return real(descriptor, data, count, offset);                                    \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

// A read that comes back short has read nothing of the second half.
#define READ_SHORTENED(count) ((count) < 2 ? (count) : (count) / 2)

ssize_t read(int descriptor, void* data, size_t count) {
  REAL(ssize_t, "read", int, void*, size_t);
  const int what = WATCH_READ("read", descriptor);
  if (what == FAIL) return -1;
  return real(descriptor, data, what == SHORT ? READ_SHORTENED(count) : count);
}

#define PREAD(name, offset_type)                                                          \
  ssize_t name(int descriptor, void* data, size_t count, offset_type offset) {            \
    REAL(ssize_t, #name, int, void*, size_t, offset_type);                                \
    const int what = WATCH_READ(#name, descriptor);                                       \
    if (what == FAIL) return -1;                                                          \
    return real(descriptor, data, what == SHORT ? READ_SHORTENED(count) : count, offset); \
  }
PREAD(pread, off_t)
PREAD(pread64, off64_t)

#define MMAP(name, offset_type)                                                                             \
  void* name(void* address, size_t length, int protection, int flags, int descriptor, offset_type offset) { \
    REAL(void*, #name, void*, size_t, int, int, int, offset_type);                                          \
    const int what = descriptor < 0 ? GO_ON : WATCH_READ(#name, descriptor);                                \
    if (what != GO_ON) return errno = code_of(what, EIO), MAP_FAILED;                                       \
    return real(address, length, protection, flags, descriptor, offset);                                    \
  }
MMAP(mmap, off_t)
MMAP(mmap64, off64_t)

// A vector of writes comes back short by its last pieces.
ssize_t writev(int descriptor, const struct iovec* pieces, int count) {
  REAL(ssize_t, "writev", int, const struct iovec*, int);
  const int what = WATCH_DESCRIPTOR("writev", descriptor);
  if (what == FAIL) return -1;
  if (what == SHORT && count < 2) return errno = ENOSPC, -1;
  return real(descriptor, pieces, what == SHORT ? count / 2 : count);
}

#define PWRITEV(name, offset_type)                                                          \
  ssize_t name(int descriptor, const struct iovec* pieces, int count, offset_type offset) { \
    REAL(ssize_t, #name, int, const struct iovec*, int, offset_type);                       \
    const int what = WATCH_DESCRIPTOR(#name, descriptor);                                   \
    if (what == FAIL) return -1;                                                            \
    if (what == SHORT && count < 2) return errno = ENOSPC, -1;                              \
    return real(descriptor, pieces, what == SHORT ? count / 2 : count, offset);             \
  }
PWRITEV(pwritev, off_t)
PWRITEV(pwritev64, off64_t)

#define ON_DESCRIPTOR(name)                                                     \
  int name(int descriptor) {                                                    \
    REAL(int, #name, int);                                                      \
    const int what = WATCH_DESCRIPTOR(#name, descriptor);                       \
    return what != GO_ON ? (errno = code_of(what, EIO), -1) : real(descriptor); \
  }
ON_DESCRIPTOR(fsync)
ON_DESCRIPTOR(fdatasync)

#define TRUNCATE(name, offset_type)                                                     \
  int name(int descriptor, offset_type length) {                                        \
    REAL(int, #name, int, offset_type);                                                 \
    const int what = WATCH_DESCRIPTOR(#name, descriptor);                               \
    return what != GO_ON ? (errno = code_of(what, EIO), -1) : real(descriptor, length); \
  }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define ALLOCATE(name, offset_type)                                            \
  int name(int descriptor, int mode, offset_type offset, offset_type length) { \
    REAL(int, #name, int, int, offset_type, offset_type);                      \
    const int what = WATCH_DESCRIPTOR(#name, descriptor);                      \
    if (what != GO_ON) return errno = code_of(what, ENOSPC), -1;               \
    return real(descriptor, mode, offset, length);                             \
  }
ALLOCATE(fallocate, off_t)
ALLOCATE(fallocate64, off64_t)

ssize_t copy_file_range(int from, off64_t* from_offset, int to, off64_t* to_offset, size_t count, unsigned flags) {
  REAL(ssize_t, "copy_file_range", int, off64_t*, int, off64_t*, size_t, unsigned);
  const int what = WATCH_DESCRIPTOR("copy_file_range", to);
  if (what == FAIL) return -1;
  return real(from, from_offset, to, to_offset, what == SHORT && count > 1 ? SHORTENED(count) : count, flags);
}

#define SENDFILE(name, offset_type)                                                       \
  ssize_t name(int to, int from, offset_type* offset, size_t count) {                     \
    REAL(ssize_t, #name, int, int, offset_type*, size_t);                                 \
    const int what = WATCH_DESCRIPTOR(#name, to);                                         \
    if (what == FAIL) return -1;                                                          \
    return real(to, from, offset, what == SHORT && count > 1 ? SHORTENED(count) : count); \
  }
SENDFILE(sendfile, off_t)
SENDFILE(sendfile64, off64_t)

#define OPEN(name)                                            \
  int name(const char* path, int flags, ...) {                \
    REAL(int, #name, const char*, int, ...);                  \
    mode_t mode = 0;                                          \
    if (flags & (O_CREAT | O_TMPFILE)) {                      \
      va_list rest;                                           \
      va_start(rest, flags);                                  \
      mode = va_arg(rest, mode_t);                            \
      va_end(rest);                                           \
    }                                                         \
    const int what = WATCH_OPEN(#name, path, flags);          \
    if (what != GO_ON) return errno = code_of(what, EIO), -1; \
    return real(path, flags, mode);                           \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                          \
  int name(int directory, const char* path, int flags, ...) { \
    REAL(int, #name, int, const char*, int, ...);             \
    mode_t mode = 0;                                          \
    if (flags & (O_CREAT | O_TMPFILE)) {                      \
      va_list rest;                                           \
      va_start(rest, flags);                                  \
      mode = va_arg(rest, mode_t);                            \
      va_end(rest);                                           \
    }                                                         \
    const int what = WATCH_OPEN(#name, path, flags);          \
    if (what != GO_ON) return errno = code_of(what, EIO), -1; \
    return real(directory, path, flags, mode);                \
  }
OPENAT(openat)
OPENAT(openat64)

int rename(const char* from, const char* to) {
  REAL(int, "rename", const char*, const char*);
  const int what = WATCH_PATH("rename", to);
  if (what != GO_ON) return errno = code_of(what, EIO), -1;
  return real(from, to);
}

int mkdir(const char* path, mode_t mode) {
  REAL(int, "mkdir", const char*, mode_t);
  const int what = WATCH_PATH("mkdir", path);
  if (what != GO_ON) return errno = code_of(what, EIO), -1;
  return real(path, mode);
}
