#ifndef SEMANTIC_INDEX_KERNEL_IO_ATOMIC_FILE_H_
#define SEMANTIC_INDEX_KERNEL_IO_ATOMIC_FILE_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "base/status.h"

namespace semantic_index {

/** Bytes to be written one after the other. */
struct BytesView {
  const void* data = nullptr;
  int64_t size = 0;
};

/**
 * Writes a file so that its name leads to the old bytes or to the new ones, whatever happens: a fresh temporary file
 * in the same folder, every write checked, synced to the device, renamed over `path`, the folder synced. On failure
 * the old file is whole and the temporary one is removed. After a power cut or kill -9, a temporary file
 * `NAME.<number>.tmp` may be left over, or `.semantic-index.<number>.tmp` where NAME is too long for that. Maps of the
 * old file keep its bytes. io_error with errno and a message that names the step; `cancelled`, with the old file in
 * place, when the flag is raised before the rename.
 */
Status save_atomically(const std::string& path, const BytesView* pieces, int count,
                       const std::atomic<bool>* cancel = nullptr);

/** Syncs the folder that holds `path`, so that names survive a power cut. Nothing on Windows, which needs no such. */
Status sync_folder_of(const std::string& path);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_IO_ATOMIC_FILE_H_
