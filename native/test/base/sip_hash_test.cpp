// SipHash-1-3 against values of Python 3.11, whose `hash` of bytes it is (PYTHONHASHSEED=0 makes the key 0).

#include "base/sip_hash.h"

#include <set>
#include <string>

#include "support/check.h"

using namespace semantic_index;

TEST(hashes_are_those_of_another_implementation) {
  CHECK_EQUAL(sip_hash({}, "a", 1), 0x407448d2b89b1813u);
  CHECK_EQUAL(sip_hash({}, "abcdefgh", 8), 0x3f7b849c0b8e35eau);
  CHECK_EQUAL(sip_hash({}, "the quick brown fox", 19), 0x5a17575ad3449cbau);
}

TEST(another_key_length_or_byte_gives_another_hash) {
  std::set<uint64_t> hashes;
  const std::string zeros(64, '\0');
  for (uint64_t low = 0; low < 4; ++low) {
    for (size_t size = 0; size <= zeros.size(); ++size) hashes.insert(sip_hash({low, 1}, zeros.data(), size));
  }
  for (size_t place = 0; place < zeros.size(); ++place) {
    std::string changed = zeros;
    changed[place] = static_cast<char>(0x80);
    hashes.insert(sip_hash({0, 1}, changed.data(), changed.size()));
  }
  CHECK_EQUAL(hashes.size(), size_t{4 * 65 + 64});
}
