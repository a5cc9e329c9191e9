#include "terms/terms_format.h"

#include "base/status.h"

namespace semantic_index {

namespace {

constexpr const char* kSectionNames[kTermsSections] = {"lengths", "heads", "dictionary", "postings"};

}  // namespace

const SectionedFormat kTermsFormat = {{'S', 'I', 'T', 'E', 'R', 'M', 'S', '\n'}, 1, "terms file", kSectionNames};

Status check_terms_header(const uint8_t* bytes, int64_t size, TermsHeader* header) {
  SectionedHeader sections(header);
  Status status = sections.read(kTermsFormat, bytes, size);
  if (!status.ok()) return status;
  // The checksum finds accidents; the rest also refuses headers that were made to deceive.
  if (header->items < 0 || header->items > kMaxTermsItems || header->terms > header->postings ||
      header->postings > static_cast<uint64_t>(size) * 128) {
    return corrupt("the counts of the terms file are impossible");
  }
  status = sections.check_places(kTermsFormat, size);
  if (!status.ok()) return status;
  const auto bytes_of = [header](TermsSection section) { return header->sections[static_cast<size_t>(section)].bytes; };
  const uint64_t blocks = dictionary_blocks(header->terms);
  if (bytes_of(TermsSection::lengths) != static_cast<int64_t>(header->items) * 4 ||
      blocks > static_cast<uint64_t>(size) ||
      bytes_of(TermsSection::heads) != static_cast<int64_t>(blocks * sizeof(DictionaryHead))) {
    return corrupt("the sections of the terms file do not have the sizes that its counts ask for");
  }
  return Status::success();
}

}  // namespace semantic_index
