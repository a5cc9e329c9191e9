#ifndef SEMANTIC_INDEX_KERNEL_BASE_MEMORY_BLOCK_H_
#define SEMANTIC_INDEX_KERNEL_BASE_MEMORY_BLOCK_H_

#include <cstddef>
#include <cstdint>

namespace semantic_index {

/**
 * A growing run of bytes, zero where nothing was written, aligned to 16 at least. Large ones ask the system for large
 * pages: rows that are read in any order then cost fewer look-ups of addresses. Growing may move them.
 */
class MemoryBlock {
 public:
  MemoryBlock() = default;
  ~MemoryBlock();
  MemoryBlock(const MemoryBlock&) = delete;
  MemoryBlock& operator=(const MemoryBlock&) = delete;

  /** False, and nothing changed, when there is no memory. Bytes that are cut off are gone. */
  bool resize(size_t size);

  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  /** Whether `data_` is a mapping of its own, and how large that is. */
  size_t mapped_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_BASE_MEMORY_BLOCK_H_
