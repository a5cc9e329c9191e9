#ifndef SEMANTIC_INDEX_KERNEL_TEXT_STRING_NUMBERS_H_
#define SEMANTIC_INDEX_KERNEL_TEXT_STRING_NUMBERS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/sip_hash.h"

namespace semantic_index {

/** Bytes of a string, owned by another object. */
struct StringView {
  const char* bytes;
  size_t size;
};

/** Numbers distinct strings 0, 1, ... as they come. Allocates; throws bad_alloc. */
class StringNumbers {
 public:
  /** The key keeps texts from being made for collisions. */
  explicit StringNumbers(const HashKey& key) : key_(key) { clear(); }

  /** The number of a string; a new one gets the next number. */
  uint32_t number_of(const char* bytes, size_t size) { return number_of(bytes, size, hash_of(bytes, size)); }
  /** The same with its hash. */
  uint32_t number_of(const char* bytes, size_t size, uint32_t hash);
  uint32_t hash_of(const char* bytes, size_t size) const { return static_cast<uint32_t>(sip_hash(key_, bytes, size)); }
  /** Fetches the place of a string with this hash: look-ups of several strings wait for memory at the same time. */
  void prefetch(uint32_t hash) const;
  /** Valid until the next `number_of`. */
  StringView at(uint32_t number) const {
    const size_t begin = number == 0 ? 0 : ends_[number - 1];
    return {bytes_.data() + begin, ends_[number] - begin};
  }
  uint32_t size() const { return static_cast<uint32_t>(ends_.size()); }
  void clear();

 private:
  struct Slot {
    uint32_t hash;
    /** One more than the number; 0 is free. */
    uint32_t number;
  };

  void grow();

  const HashKey key_;
  std::vector<Slot> slots_;
  std::vector<char> bytes_;
  std::vector<size_t> ends_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TEXT_STRING_NUMBERS_H_
