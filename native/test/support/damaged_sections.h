#ifndef SEMANTIC_INDEX_TEST_SUPPORT_DAMAGED_SECTIONS_H_
#define SEMANTIC_INDEX_TEST_SUPPORT_DAMAGED_SECTIONS_H_

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "base/random.h"
#include "support/check.h"
#include "support/signed_bytes.h"

namespace semantic_index_test {

/** Bytes in memory of their exact size, so that a sanitizer sees a step beyond; aligned as a mapped file is. */
class ExactBytes {
 public:
  explicit ExactBytes(const std::vector<uint8_t>& bytes)
      : memory_(new uint64_t[(bytes.size() + 7) / 8]), size_(static_cast<int64_t>(bytes.size())) {
    if (!bytes.empty()) std::memcpy(memory_.get(), bytes.data(), bytes.size());
  }

  const uint8_t* data() const { return reinterpret_cast<const uint8_t*>(memory_.get()); }
  int64_t size() const { return size_; }

 private:
  std::unique_ptr<uint64_t[]> memory_;
  int64_t size_;
};

/** Every change of one byte must be noticed: of all bytes at the begin, of every seventh behind. */
template <typename IsGood>
void check_flipped_bytes(const std::vector<uint8_t>& bytes, size_t begin, IsGood is_good) {
  CHECK(is_good(bytes));
  for (size_t place = 0; place < bytes.size(); place += place < begin ? 1 : 7) {
    for (const uint8_t change : {uint8_t{1}, uint8_t{0x80}, uint8_t{0xff}}) {
      std::vector<uint8_t> damaged = bytes;
      damaged[place] ^= change;
      CHECK(!is_good(damaged));
    }
  }
}

/** Changed bytes under right checksums must be harmless. Some changes make another valid file, less than half of them.
 */
template <typename Header, typename IsGood>
void check_signed_damage(const std::vector<uint8_t>& bytes, int rounds, IsGood is_good) {
  semantic_index::Random random(11);
  int good = 0;
  for (int round = 0; round < rounds; ++round) {
    std::vector<uint8_t> damaged = bytes;
    for (uint32_t changes = 1 + random.below(3); changes > 0; --changes) {
      const auto place =
          random.below(10) == 0 ? random.below(sizeof(Header)) : random.below(static_cast<uint32_t>(damaged.size()));
      damaged[place] = static_cast<uint8_t>(random.next());
    }
    sign<Header>(damaged.data(), damaged.size());
    good += is_good(damaged) ? 1 : 0;
  }
  CHECK(good < rounds / 2);
}

/** Files that are too short or too long must be refused, under right checksums as well. */
template <typename Header, typename IsGood>
void check_other_sizes(const std::vector<uint8_t>& bytes, IsGood is_good) {
  for (size_t size = 0; size < bytes.size(); size += size < 400 ? 1 : 61) {
    std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(!is_good(cut));
    sign<Header>(cut.data(), cut.size());
    CHECK(!is_good(cut));
  }
  std::vector<uint8_t> longer = bytes;
  longer.push_back(0);
  CHECK(!is_good(longer));
}

/** A section with the bytes of another file must be noticed, and be harmless under right checksums. */
template <typename Header, typename IsGood>
void check_foreign_sections(const std::vector<uint8_t>& bytes, const std::vector<uint8_t>& other, IsGood is_good) {
  Header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  Header other_header;
  std::memcpy(&other_header, other.data(), sizeof other_header);
  for (size_t section = 0; section < sizeof(header.sections) / sizeof(header.sections[0]); ++section) {
    std::vector<uint8_t> mixed = bytes;
    const int64_t size = std::min(header.sections[section].bytes, other_header.sections[section].bytes);
    std::copy_n(other.begin() + other_header.sections[section].offset, size,
                mixed.begin() + header.sections[section].offset);
    if (mixed == bytes) continue;
    CHECK(!is_good(mixed));
    sign<Header>(mixed.data(), mixed.size());
    static_cast<void>(is_good(mixed));
  }
}

}  // namespace semantic_index_test

#endif  // SEMANTIC_INDEX_TEST_SUPPORT_DAMAGED_SECTIONS_H_
