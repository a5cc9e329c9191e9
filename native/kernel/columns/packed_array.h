#ifndef SEMANTIC_INDEX_KERNEL_COLUMNS_PACKED_ARRAY_H_
#define SEMANTIC_INDEX_KERNEL_COLUMNS_PACKED_ARRAY_H_

#include <cstdint>
#include <cstring>
#include <vector>

namespace semantic_index {

/** Values of a packed array have at most so many bits: one load of eight bytes reads any of them. */
constexpr uint32_t kMaxPackedWidth = 56;

/** The number of bits of values up to `largest`; 0 where all are 0. */
static inline uint32_t packed_width(uint64_t largest) {
  uint32_t width = 0;
  while (largest >> width != 0) ++width;
  return width;
}

/** Bytes of so many values: a multiple of eight, with room for the load of the last one. */
static inline uint64_t packed_array_bytes(uint64_t count, uint32_t width) {
  return count == 0 || width == 0 ? 0 : ((count * width + 7) / 8 + 15) / 8 * 8;
}

/** Reads values of a fixed number of bits: value i begins at bit i * width, lowest bits first. */
class PackedArray {
 public:
  PackedArray() = default;
  /** `bytes` must have packed_array_bytes(count, width) bytes for every index that is read. */
  PackedArray(const uint8_t* bytes, uint32_t width)
      : bytes_(width == 0 ? kNone : bytes), width_(width), mask_((uint64_t{1} << width) - 1) {}

  uint64_t operator[](uint64_t index) const {
    const uint64_t bit = index * width_;
    uint64_t word;
    std::memcpy(&word, bytes_ + (bit >> 3), sizeof word);
    return (word >> (bit & 7)) & mask_;
  }

 private:
  static constexpr uint8_t kNone[8] = {0, 0, 0, 0, 0, 0, 0, 0};

  const uint8_t* bytes_ = kNone;
  uint64_t width_ = 0;
  uint64_t mask_ = 0;
};

/** Writes the values that PackedArray reads. `at` has packed_array_bytes(count, width) bytes of zeros. */
template <typename Values>
void write_packed(uint8_t* at, uint64_t count, uint32_t width, const Values& values) {
  if (width == 0) return;
  for (uint64_t index = 0; index < count; ++index) {
    const uint64_t bit = index * width;
    uint64_t word;
    std::memcpy(&word, at + (bit >> 3), sizeof word);
    word |= static_cast<uint64_t>(values(index)) << (bit & 7);
    std::memcpy(at + (bit >> 3), &word, sizeof word);
  }
}

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_COLUMNS_PACKED_ARRAY_H_
