#ifndef SEMANTIC_INDEX_KERNEL_IO_ATOMIC_FILE_H_
#define SEMANTIC_INDEX_KERNEL_IO_ATOMIC_FILE_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "base/memory_block.h"
#include "base/status.h"

namespace semantic_index {

/** Bytes to be written one after the other. */
struct BytesView {
  const void* data = nullptr;
  int64_t size = 0;
};

/**
 * Writes a file atomically: its name refers to the old bytes or to the new ones at any time. Creates a temporary file
 * in the same directory, checks every write, syncs it to the device, renames it over `path`, and syncs the directory.
 * On failure the old file is unchanged and the temporary file is removed. A power cut or kill -9 may leave a temporary
 * file `NAME.<number>.tmp`, or `.semantic-index.<number>.tmp` if NAME is too long for that. Maps of the old file keep
 * its bytes. io_error with errno and a message that names the step; `cancelled`, with the old file in place, when the
 * flag is raised before the rename.
 */
Status save_atomically(const std::string& path, const BytesView* pieces, int count,
                       const std::atomic<bool>* cancel = nullptr);

/** The same for the bytes of a block. */
Status save_atomically(const std::string& path, const MemoryBlock& file, const std::atomic<bool>* cancel = nullptr);

/**
 * Syncs the directory of `path`, so that names survive a power cut. Does nothing on Windows, which does not need it.
 */
Status sync_folder_of(const std::string& path);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_IO_ATOMIC_FILE_H_
