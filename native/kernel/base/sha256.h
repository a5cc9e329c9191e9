#ifndef SEMANTIC_INDEX_KERNEL_BASE_SHA256_H_
#define SEMANTIC_INDEX_KERNEL_BASE_SHA256_H_

#include <cstddef>
#include <cstdint>

namespace semantic_index {

/** SHA-256 (FIPS 180-4) of bytes given in pieces. */
class Sha256 {
 public:
  Sha256();
  void update(const void* data, size_t size);
  /** Writes the 32 bytes of the digest. The object must not be used afterwards. */
  void finish(uint8_t digest[32]);

 private:
  void compress(const uint8_t* blocks, size_t count);

  uint32_t state_[8];
  uint8_t pending_[64];
  size_t pending_size_ = 0;
  uint64_t total_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_BASE_SHA256_H_
