#ifndef SEMANTIC_INDEX_KERNEL_BASE_MEMORY_BLOCK_H_
#define SEMANTIC_INDEX_KERNEL_BASE_MEMORY_BLOCK_H_

#include <cstddef>
#include <cstdint>

namespace semantic_index {

/**
 * A growable block of bytes, initially zero, aligned to at least 16. Large blocks request large pages, which reduces
 * TLB misses for rows read in random order. Growing may move the bytes.
 */
class MemoryBlock {
 public:
  MemoryBlock() = default;
  ~MemoryBlock();
  MemoryBlock(const MemoryBlock&) = delete;
  MemoryBlock& operator=(const MemoryBlock&) = delete;

  /** Resizes; bytes beyond a smaller size are lost. False, without a change, when out of memory. */
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
