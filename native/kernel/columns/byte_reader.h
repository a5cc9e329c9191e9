#ifndef SEMANTIC_INDEX_KERNEL_COLUMNS_BYTE_READER_H_
#define SEMANTIC_INDEX_KERNEL_COLUMNS_BYTE_READER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace semantic_index {

/** Reads bytes of any origin in their order. A read past the end fails, and all reads after it do. */
class ByteReader {
 public:
  ByteReader(const uint8_t* bytes, size_t size) : at_(bytes), end_(bytes + size) {}

  bool is_at_end() const { return at_ == end_; }
  size_t left() const { return static_cast<size_t>(end_ - at_); }

  bool byte(uint8_t* value) {
    if (at_ == end_) return fail();
    *value = *at_++;
    return true;
  }

  /** An LEB128 number of at most `largest`. */
  bool varint(uint64_t largest, uint64_t* value) {
    uint64_t result = 0;
    for (uint32_t shift = 0; shift < 63 && at_ < end_; shift += 7) {
      const uint64_t byte = *at_++;
      result |= (byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      *value = result;
      return result <= largest || fail();
    }
    return fail();
  }

  /** The same for a number of things that follow, each of at least `least` bytes. */
  bool count(size_t least, uint64_t largest, uint32_t* value) {
    uint64_t result = 0;
    const uint64_t possible = left() / least;
    if (!varint(largest < possible ? largest : possible, &result)) return false;
    *value = static_cast<uint32_t>(result);
    return true;
  }

  /** A number of bytes up to `largest`, and the bytes. They stay where they are. */
  bool bytes(size_t largest, std::string_view* bytes) {
    uint64_t size = 0;
    if (!varint(largest, &size)) return false;
    if (size > left()) return fail();
    *bytes = {reinterpret_cast<const char*>(at_), static_cast<size_t>(size)};
    at_ += size;
    return true;
  }

  /** Eight bytes, little-endian. */
  bool number(double* number) {
    if (left() < sizeof *number) return fail();
    std::memcpy(number, at_, sizeof *number);
    at_ += sizeof *number;
    return true;
  }

 private:
  bool fail() {
    at_ = end_;
    return false;
  }

  const uint8_t* at_;
  const uint8_t* end_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_COLUMNS_BYTE_READER_H_
