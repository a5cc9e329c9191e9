#ifndef SEMANTIC_INDEX_KERNEL_IO_MAPPING_GUARD_H_
#define SEMANTIC_INDEX_KERNEL_IO_MAPPING_GUARD_H_

#include <atomic>
#include <cstddef>

namespace semantic_index {

/**
 * Protects a mapped range against SIGBUS. When a thread touches a page that the file no longer has, the handler raises
 * `*changed`, maps a page of zero bytes in its place, and lets the thread continue. Faults outside guarded ranges go to
 * the previous handler. Besides the distance table this is the only process-wide effect of the kernel: the handler is
 * installed with the first guard and stays, so a library with this code must not be unloaded. `*slot` is for
 * `unguard_mapping`; it stays -1 on Windows, where no guard is needed. False when out of memory for another slot: the
 * range is then unprotected and must not be used.
 */
bool guard_mapping(const void* start, size_t length, std::atomic<bool>* changed, int* slot);

/** Ends the protection; call it before the range is unmapped. A slot of -1 is ignored. */
void unguard_mapping(int slot);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_IO_MAPPING_GUARD_H_
