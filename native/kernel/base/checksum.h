#ifndef SEMANTIC_INDEX_KERNEL_BASE_CHECKSUM_H_
#define SEMANTIC_INDEX_KERNEL_BASE_CHECKSUM_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace semantic_index {

/**
 * A 64-bit checksum at about memory speed, to find damage (not to resist an adversary): XXH64 as specified by Yann
 * Collet, seed 0. The same bytes in any pieces give the same value on every machine.
 */
class Checksum {
 public:
  Checksum();
  void update(const void* data, size_t size);
  uint64_t value() const;

 private:
  void block(const uint8_t* data);

  uint64_t lanes_[4];
  uint8_t pending_[32];
  size_t pending_size_ = 0;
  uint64_t total_ = 0;
};

/** The checksum of one piece. */
uint64_t checksum(const void* data, size_t size);

/** Formats a checksum as 16 lower-case hexadecimal digits. */
std::string checksum_text(uint64_t checksum);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_BASE_CHECKSUM_H_
