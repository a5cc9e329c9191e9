#ifndef SEMANTIC_INDEX_TEST_SUPPORT_SIGNED_BYTES_H_
#define SEMANTIC_INDEX_TEST_SUPPORT_SIGNED_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/checksum.h"
#include "io/sectioned_file.h"

namespace semantic_index_test {

/** Puts the right checksums of the sections and of the header into a damaged file of sections. */
template <typename Header>
void sign(uint8_t* bytes, size_t size) {
  if (size < sizeof(Header)) return;
  Header header;
  std::memcpy(&header, bytes, sizeof header);
  const auto end = static_cast<int64_t>(size);
  for (semantic_index::SectionRange& section : header.sections) {
    const bool is_inside =
        section.offset >= 0 && section.bytes >= 0 && section.offset <= end && section.bytes <= end - section.offset;
    if (is_inside) {
      section.checksum = semantic_index::checksum(bytes + section.offset, static_cast<size_t>(section.bytes));
    }
  }
  semantic_index::SectionedHeader(&header).write(bytes);
}

}  // namespace semantic_index_test

#endif  // SEMANTIC_INDEX_TEST_SUPPORT_SIGNED_BYTES_H_
