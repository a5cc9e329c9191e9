#include "terms/terms_format.h"

#include <cstring>

#include "base/checksum.h"

namespace semantic_index {

namespace {

Status corrupt(const char* message) { return Status::failure(StatusCode::corrupt, message); }

int64_t aligned(int64_t offset) { return (offset + kTermsAlignment - 1) / kTermsAlignment * kTermsAlignment; }

}  // namespace

void place_terms_sections(TermsHeader* header) {
  int64_t offset = sizeof(TermsHeader);
  for (TermsSectionPlace& section : header->sections) {
    section.offset = aligned(offset);
    offset = section.offset + section.bytes;
  }
}

int64_t terms_file_bytes(const TermsHeader& header) {
  const TermsSectionPlace& last = header.sections[kTermsSections - 1];
  return last.offset + last.bytes;
}

Status check_terms_header(const uint8_t* bytes, int64_t size, TermsHeader* header) {
  if (size < static_cast<int64_t>(sizeof *header) || std::memcmp(bytes, kTermsMagic, sizeof kTermsMagic) != 0) {
    return Status::failure(StatusCode::wrong_layout, "the file is not a terms file");
  }
  std::memcpy(header, bytes, sizeof *header);
  if (header->version != kTermsVersion) {
    return Status::failure(StatusCode::wrong_layout, "the terms file has another version of the format");
  }
  if (header->header_checksum != checksum(header, offsetof(TermsHeader, header_checksum))) {
    return corrupt("the header of the terms file is damaged");
  }
  // The checksum finds accidents; the rest also refuses headers that were made to deceive.
  if (header->items < 0 || header->items > kMaxTermsItems || header->terms > header->postings ||
      header->postings > static_cast<uint64_t>(size) * 128) {
    return corrupt("the counts of the terms file are impossible");
  }
  TermsHeader expected = *header;
  for (const TermsSectionPlace& section : header->sections) {
    if (section.bytes < 0 || section.bytes > size) return corrupt("a section of the terms file is too large");
  }
  const auto bytes_of = [header](TermsSection section) { return header->sections[static_cast<size_t>(section)].bytes; };
  place_terms_sections(&expected);
  for (size_t section = 0; section < kTermsSections; ++section) {
    if (expected.sections[section].offset != header->sections[section].offset) {
      return corrupt("a section of the terms file is not where the sizes put it");
    }
  }
  if (terms_file_bytes(*header) != size) return corrupt("the terms file does not have the size that its header states");
  const uint64_t blocks = dictionary_blocks(header->terms);
  if (bytes_of(TermsSection::lengths) != static_cast<int64_t>(header->items) * 4 ||
      blocks > static_cast<uint64_t>(size) ||
      bytes_of(TermsSection::heads) != static_cast<int64_t>(blocks * sizeof(DictionaryHead))) {
    return corrupt("the sections of the terms file do not have the sizes that its counts ask for");
  }
  return Status::success();
}

}  // namespace semantic_index
