#ifndef SEMANTIC_INDEX_KERNEL_TERMS_POSTINGS_POSTING_CODEC_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_POSTINGS_POSTING_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace semantic_index {

/** Postings of a full block. Lists with fewer are a run of varints. */
constexpr uint32_t kPostingBlock = 128;
/** Values of a block may have this many bits: what is decoded stays below 2^32 after adding one. */
constexpr uint32_t kMaxPackedBits = 31;

/** Appends seven bits a byte, lowest first; the high bit is set on all bytes but the last. */
void append_varint(uint64_t value, std::vector<uint8_t>* bytes);

/** Appends four bytes, little-endian. */
void append_word(uint32_t value, std::vector<uint8_t>* bytes);

/** Reads four bytes, little-endian, from any address. */
uint32_t read_word(const uint8_t* bytes);

/** Reads a varint below 2^32 and returns the byte behind it; nullptr when it is longer or runs over `end`. */
static inline const uint8_t* read_varint(const uint8_t* at, const uint8_t* end, uint32_t* value) {
  if (at < end && *at < 0x80) {
    *value = *at;
    return at + 1;
  }
  uint32_t result = 0;
  for (uint32_t shift = 0; shift < 35 && at < end; shift += 7) {
    const uint32_t byte = *at++;
    if (shift == 28 && byte > 0x0f) return nullptr;
    result |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = result;
      return at;
    }
  }
  return nullptr;
}

/** Bits that the value needs; 0 for 0. */
uint32_t bits_of(uint32_t value);

/** Bytes of 128 values of so many bits. */
static inline size_t packed_bytes(uint32_t bits) { return static_cast<size_t>(bits) * (kPostingBlock / 8); }

/** Appends 128 values of at most `bits` bits, in four interleaved lanes: value i is in lane i % 4. */
void pack_values(const uint32_t* values, uint32_t bits, std::vector<uint8_t>* bytes);

/** Reads what `pack_values` wrote. `bits` is at most kMaxPackedBits; reads exactly packed_bytes(bits) bytes. */
void unpack_values(const uint8_t* bytes, uint32_t bits, uint32_t* values);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_POSTINGS_POSTING_CODEC_H_
