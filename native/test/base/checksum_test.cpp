// Checksums against published values, and in pieces.

#include "base/checksum.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/sha256.h"
#include "base/status.h"
#include "support/check.h"

using namespace semantic_index;

namespace {

std::string sha256_of(const std::string& text, size_t piece) {
  Sha256 hash;
  for (size_t start = 0; start < text.size(); start += piece) {
    hash.update(text.data() + start, std::min(piece, text.size() - start));
  }
  uint8_t digest[32];
  hash.finish(digest);
  std::string result;
  for (uint8_t byte : digest) {
    char pair[3];
    std::snprintf(pair, sizeof pair, "%02x", byte);
    result += pair;
  }
  return result;
}

}  // namespace

TEST(sha256_of_the_standard) {
  // The examples of FIPS 180-4 and of NIST's additional vectors.
  CHECK_EQUAL(sha256_of("", 1), std::string("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
  CHECK_EQUAL(sha256_of("abc", 3), std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
  CHECK_EQUAL(sha256_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 100),
              std::string("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
  const std::string million(1000000, 'a');
  for (size_t piece : {1u, 3u, 55u, 56u, 63u, 64u, 65u, 1000u, 1000000u}) {
    CHECK_EQUAL(sha256_of(million, piece),
                std::string("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
  }
}

TEST(xxh64_of_its_specification) {
  CHECK_EQUAL(checksum("", 0), 0xef46db3751d8e999u);
  CHECK_EQUAL(checksum("a", 1), 0xd24ec4f1a98c6e5bu);
  CHECK_EQUAL(checksum("abc", 3), 0x44bc2cf5ad770999u);
  const std::string text = "The quick brown fox jumps over the lazy dog";
  CHECK_EQUAL(checksum(text.data(), text.size()), 0x0b242d361fda71bcu);
}

TEST(pieces_do_not_matter_and_changes_do) {
  Random random(1);
  std::vector<uint8_t> bytes(300);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.next());
  for (size_t size = 0; size <= bytes.size(); ++size) {
    const uint64_t expected = checksum(bytes.data(), size);
    Checksum sum;
    for (size_t start = 0; start < size;) {
      const size_t piece = std::min<size_t>(random.below(40), size - start);
      sum.update(bytes.data() + start, piece);
      start += piece;
    }
    CHECK_EQUAL(sum.value(), expected);
    if (size > 0) {
      bytes[size / 2] ^= 1;
      CHECK(checksum(bytes.data(), size) != expected);
      bytes[size / 2] ^= 1;
    }
  }
}

TEST(a_checksum_is_written_as_sixteen_digits) {
  CHECK_EQUAL(checksum_text(0x0123456789abcdefu), std::string("0123456789abcdef"));
  CHECK_EQUAL(checksum_text(0xau), std::string("000000000000000a"));
}
