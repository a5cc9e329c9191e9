#include "base/memory_block.h"

#include <cstdlib>
#include <cstring>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace semantic_index {

namespace {

/** Blocks from this size on are mappings with large pages, where the system has them. */
[[maybe_unused]] constexpr size_t kLargeBlock = 8u << 20;
[[maybe_unused]] constexpr size_t kLargePage = 2u << 20;

}  // namespace

#if defined(__linux__)

MemoryBlock::~MemoryBlock() {
  if (mapped_ > 0) {
    munmap(data_, mapped_);
  } else {
    std::free(data_);
  }
}

bool MemoryBlock::resize(size_t size) {
  if (size < kLargeBlock && mapped_ == 0) {
    void* moved = std::realloc(data_, size > 0 ? size : 1);
    if (moved == nullptr) return false;
    data_ = static_cast<uint8_t*>(moved);
    if (size > size_) std::memset(data_ + size_, 0, size - size_);
    size_ = size;
    return true;
  }
  const size_t wanted = ((size > 0 ? size : 1) + kLargePage - 1) / kLargePage * kLargePage;
  if (wanted != mapped_) {
    void* moved;
    if (mapped_ > 0) {
      moved = mremap(data_, mapped_, wanted, MREMAP_MAYMOVE);
      if (moved == MAP_FAILED) return false;
    } else {
      moved = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (moved == MAP_FAILED) return false;
      if (size_ > 0) std::memcpy(moved, data_, size_ < size ? size_ : size);
      std::free(data_);
    }
    madvise(moved, wanted, MADV_HUGEPAGE);
    data_ = static_cast<uint8_t*>(moved);
    mapped_ = wanted;
  }
  // Bytes that were cut off must read as zeros when the block grows again.
  if (size < size_) std::memset(data_ + size, 0, (size_ < wanted ? size_ : wanted) - size);
  size_ = size;
  return true;
}

#else

MemoryBlock::~MemoryBlock() { std::free(data_); }

bool MemoryBlock::resize(size_t size) {
  void* moved = std::realloc(data_, size > 0 ? size : 1);
  if (moved == nullptr) return false;
  data_ = static_cast<uint8_t*>(moved);
  if (size > size_) std::memset(data_ + size_, 0, size - size_);
  size_ = size;
  return true;
}

#endif

}  // namespace semantic_index
