#include "base/checksum.h"

#include <algorithm>
#include <cstring>

#include "base/bits.h"

namespace semantic_index {

namespace {

constexpr uint64_t kPrime1 = 0x9e3779b185ebca87u;
constexpr uint64_t kPrime2 = 0xc2b2ae3d27d4eb4fu;
constexpr uint64_t kPrime3 = 0x165667b19e3779f9u;
constexpr uint64_t kPrime4 = 0x85ebca77c2b2ae63u;
constexpr uint64_t kPrime5 = 0x27d4eb2f165667c5u;

inline uint64_t round(uint64_t lane, uint64_t input) { return rotate_left(lane + input * kPrime2, 31) * kPrime1; }

template <typename Integer>
inline Integer read(const uint8_t* bytes) {
  Integer value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

}  // namespace

Checksum::Checksum() : lanes_{kPrime1 + kPrime2, kPrime2, 0, 0 - kPrime1} {}

void Checksum::block(const uint8_t* data) {
  for (int i = 0; i < 4; ++i) lanes_[i] = round(lanes_[i], read<uint64_t>(data + 8 * i));
}

void Checksum::update(const void* data, size_t size) {
  const uint8_t* bytes = static_cast<const uint8_t*>(data);
  total_ += size;
  if (pending_size_ > 0) {
    const size_t taken = std::min(size, sizeof pending_ - pending_size_);
    if (taken > 0) std::memcpy(pending_ + pending_size_, bytes, taken);
    pending_size_ += taken;
    bytes += taken;
    size -= taken;
    if (pending_size_ < sizeof pending_) return;
    block(pending_);
    pending_size_ = 0;
  }
  for (; size >= sizeof pending_; bytes += sizeof pending_, size -= sizeof pending_) block(bytes);
  pending_size_ = size;
  if (size > 0) std::memcpy(pending_, bytes, size);
}

uint64_t Checksum::value() const {
  uint64_t hash = kPrime5;
  if (total_ >= sizeof pending_) {
    hash =
        rotate_left(lanes_[0], 1) + rotate_left(lanes_[1], 7) + rotate_left(lanes_[2], 12) + rotate_left(lanes_[3], 18);
    for (uint64_t lane : lanes_) hash = (hash ^ round(0, lane)) * kPrime1 + kPrime4;
  }
  hash += total_;
  const uint8_t* bytes = pending_;
  size_t left = pending_size_;
  for (; left >= 8; bytes += 8, left -= 8) {
    hash = rotate_left(hash ^ round(0, read<uint64_t>(bytes)), 27) * kPrime1 + kPrime4;
  }
  if (left >= 4) {
    hash = rotate_left(hash ^ read<uint32_t>(bytes) * kPrime1, 23) * kPrime2 + kPrime3;
    bytes += 4;
    left -= 4;
  }
  for (; left > 0; ++bytes, --left) hash = rotate_left(hash ^ *bytes * kPrime5, 11) * kPrime1;
  hash = (hash ^ (hash >> 33)) * kPrime2;
  hash = (hash ^ (hash >> 29)) * kPrime3;
  return hash ^ (hash >> 32);
}

uint64_t checksum(const void* data, size_t size) {
  Checksum sum;
  sum.update(data, size);
  return sum.value();
}

std::string checksum_text(uint64_t checksum) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[(checksum >> shift) & 15];
  return text;
}

}  // namespace semantic_index
