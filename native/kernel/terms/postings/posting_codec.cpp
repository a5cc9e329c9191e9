#include "terms/postings/posting_codec.h"

#include <cstring>

namespace semantic_index {

namespace {

constexpr uint32_t kPackedLanes = 4;
constexpr uint32_t kLaneBytes = kPackedLanes * 4;

/**
 * The number of bits is a constant here, and the four lanes do the same: compilers make vector instructions of the
 * baseline from it, so no file for an instruction set is needed. Under a sanitizer they would take 16 s to unroll it.
 */
template <uint32_t kBits>
void unpack(const uint8_t* bytes, uint32_t* values) {
  constexpr uint32_t kMask = (1u << kBits) - 1;
#if defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__)
#pragma GCC unroll 32
#endif
  for (uint32_t row = 0; row < kPostingBlock / kPackedLanes; ++row) {
    const uint32_t bit = row * kBits;
    const uint32_t shift = bit % 32;
    const uint8_t* at = bytes + static_cast<size_t>(bit / 32) * kLaneBytes;
    uint32_t words[kPackedLanes];
    std::memcpy(words, at, kLaneBytes);
    uint32_t* out = values + static_cast<size_t>(row) * kPackedLanes;
    if (shift + kBits <= 32) {
      for (uint32_t lane = 0; lane < kPackedLanes; ++lane) out[lane] = (words[lane] >> shift) & kMask;
    } else {
      uint32_t next[kPackedLanes];
      std::memcpy(next, at + kLaneBytes, kLaneBytes);
      for (uint32_t lane = 0; lane < kPackedLanes; ++lane) {
        out[lane] = ((words[lane] >> shift) | (next[lane] << (32 - shift))) & kMask;
      }
    }
  }
}

template <>
void unpack<0>(const uint8_t*, uint32_t* values) {
  std::memset(values, 0, kPostingBlock * sizeof *values);
}

using Unpack = void (*)(const uint8_t* bytes, uint32_t* values);

constexpr Unpack kUnpack[kMaxPackedBits + 1] = {
    unpack<0>,  unpack<1>,  unpack<2>,  unpack<3>,  unpack<4>,  unpack<5>,  unpack<6>,  unpack<7>,
    unpack<8>,  unpack<9>,  unpack<10>, unpack<11>, unpack<12>, unpack<13>, unpack<14>, unpack<15>,
    unpack<16>, unpack<17>, unpack<18>, unpack<19>, unpack<20>, unpack<21>, unpack<22>, unpack<23>,
    unpack<24>, unpack<25>, unpack<26>, unpack<27>, unpack<28>, unpack<29>, unpack<30>, unpack<31>};

}  // namespace

void append_varint(uint64_t value, std::vector<uint8_t>* bytes) {
  for (; value >= 0x80; value >>= 7) bytes->push_back(static_cast<uint8_t>(value | 0x80));
  bytes->push_back(static_cast<uint8_t>(value));
}

void append_word(uint32_t value, std::vector<uint8_t>* bytes) {
  for (int shift = 0; shift < 32; shift += 8) bytes->push_back(static_cast<uint8_t>(value >> shift));
}

uint32_t read_word(const uint8_t* bytes) {
  uint32_t value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

uint32_t bits_of(uint32_t value) {
  uint32_t bits = 0;
  for (; value != 0; value >>= 1) ++bits;
  return bits;
}

void pack_values(const uint32_t* values, uint32_t bits, std::vector<uint8_t>* bytes) {
  const size_t begin = bytes->size();
  bytes->resize(begin + packed_bytes(bits), 0);
  for (uint32_t index = 0; index < kPostingBlock && bits > 0; ++index) {
    const uint32_t bit = index / kPackedLanes * bits;
    uint8_t* word = bytes->data() + begin + static_cast<size_t>(bit / 32) * kLaneBytes + index % kPackedLanes * 4;
    const uint64_t shifted = static_cast<uint64_t>(values[index]) << (bit % 32);
    const auto put = [](uint8_t* at, uint32_t more) {
      const uint32_t now = read_word(at) | more;
      std::memcpy(at, &now, sizeof now);
    };
    put(word, static_cast<uint32_t>(shifted));
    if (shifted >> 32 != 0) put(word + kLaneBytes, static_cast<uint32_t>(shifted >> 32));
  }
}

void unpack_values(const uint8_t* bytes, uint32_t bits, uint32_t* values) { kUnpack[bits](bytes, values); }

}  // namespace semantic_index
