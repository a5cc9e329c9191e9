#include "base/sip_hash.h"

#include <cstring>

#include "base/bits.h"

namespace semantic_index {

namespace {

struct SipState {
  uint64_t v0;
  uint64_t v1;
  uint64_t v2;
  uint64_t v3;

  void mix() {
    v0 += v1;
    v1 = rotate_left(v1, 13) ^ v0;
    v0 = rotate_left(v0, 32);
    v2 += v3;
    v3 = rotate_left(v3, 16) ^ v2;
    v0 += v3;
    v3 = rotate_left(v3, 21) ^ v0;
    v2 += v1;
    v1 = rotate_left(v1, 17) ^ v2;
    v2 = rotate_left(v2, 32);
  }

  void absorb(uint64_t word) {
    v3 ^= word;
    mix();
    v0 ^= word;
  }
};

}  // namespace

uint64_t sip_hash(const HashKey& key, const void* data, size_t size) {
  SipState state = {key.low ^ 0x736f6d6570736575u, key.high ^ 0x646f72616e646f6du, key.low ^ 0x6c7967656e657261u,
                    key.high ^ 0x7465646279746573u};
  const auto* at = static_cast<const uint8_t*>(data);
  size_t left = size;
  for (; left >= 8; left -= 8, at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, at, 8);
    state.absorb(word);
  }
  uint64_t last = static_cast<uint64_t>(size) << 56;
  for (size_t index = 0; index < left; ++index) last |= static_cast<uint64_t>(at[index]) << (8 * index);
  state.absorb(last);
  state.v2 ^= 0xff;
  for (int round = 0; round < 3; ++round) state.mix();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace semantic_index
