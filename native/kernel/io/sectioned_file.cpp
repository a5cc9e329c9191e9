#include "io/sectioned_file.h"

#include <algorithm>
#include <cstring>

#include "base/cancel.h"
#include "base/checksum.h"
#include "base/status.h"

namespace semantic_index {

namespace {

constexpr int64_t kBytesPerCheck = 1 << 22;

Status failure(StatusCode code, const char* before, const SectionedFormat& format, const char* behind) {
  return Status::failure(code, std::string(before) + format.name + behind);
}

int64_t aligned(int64_t offset) { return (offset + kSectionAlignment - 1) / kSectionAlignment * kSectionAlignment; }

}  // namespace

void SectionedHeader::place(const SectionedFormat& format) {
  std::memcpy(bytes_, format.magic, sizeof format.magic);
  std::memcpy(bytes_ + sizeof format.magic, &format.version, sizeof format.version);
  auto offset = static_cast<int64_t>(size_);
  for (size_t number = 0; number < count_; ++number) {
    sections_[number].offset = aligned(offset);
    offset = sections_[number].offset + sections_[number].bytes;
  }
}

void SectionedHeader::sum_sections(const uint8_t* file) {
  for (size_t number = 0; number < count_; ++number) {
    sections_[number].checksum =
        checksum(file + sections_[number].offset, static_cast<size_t>(sections_[number].bytes));
  }
}

void SectionedHeader::write(uint8_t* file) {
  const size_t covered = size_ - sizeof(uint64_t);
  const uint64_t sum = checksum(bytes_, covered);
  std::memcpy(bytes_ + covered, &sum, sizeof sum);
  std::memcpy(file, bytes_, size_);
}

Status SectionedHeader::read(const SectionedFormat& format, const uint8_t* bytes, int64_t size) {
  if (size < static_cast<int64_t>(size_) || std::memcmp(bytes, format.magic, sizeof format.magic) != 0) {
    return failure(StatusCode::wrong_layout, "the file is not a ", format, "");
  }
  if (std::memcmp(bytes + sizeof format.magic, &format.version, sizeof format.version) != 0) {
    return failure(StatusCode::wrong_layout, "the ", format, " has another version of the format");
  }
  std::memcpy(bytes_, bytes, size_);
  const size_t covered = size_ - sizeof(uint64_t);
  const uint64_t sum = checksum(bytes_, covered);
  if (std::memcmp(bytes_ + covered, &sum, sizeof sum) != 0) {
    return failure(StatusCode::corrupt, "the header of the ", format, " is damaged");
  }
  return Status::success();
}

Status SectionedHeader::check_places(const SectionedFormat& format, int64_t size) const {
  auto offset = static_cast<int64_t>(size_);
  for (size_t number = 0; number < count_; ++number) {
    const SectionRange& section = sections_[number];
    if (section.bytes < 0 || section.bytes > size) {
      return failure(StatusCode::corrupt, "a section of the ", format, " is too large");
    }
    if (section.offset != aligned(offset)) {
      return failure(StatusCode::corrupt, "a section of the ", format, " is not where the sizes put it");
    }
    offset = section.offset + section.bytes;
  }
  if (offset == size) return Status::success();
  return failure(StatusCode::corrupt, "the ", format, " does not have the size that its header states");
}

Status verify_section(const SectionedFormat& format, const uint8_t* file, const SectionRange* sections, size_t number,
                      const std::atomic<bool>* cancel) {
  uint64_t sum = 0;
  const Status status = sum_bytes(file + sections[number].offset, sections[number].bytes, cancel, &sum);
  if (!status.ok() || sum == sections[number].checksum) return status;
  return Status::failure(StatusCode::corrupt, std::string("damaged section: ") + format.sections[number]);
}

Status verify_sections(const SectionedFormat& format, const uint8_t* file, size_t header_bytes,
                       const SectionRange* sections, size_t count, const std::atomic<bool>* cancel) {
  auto covered = static_cast<int64_t>(header_bytes);
  for (size_t number = 0; number < count; ++number) {
    const SectionRange& section = sections[number];
    for (; covered < section.offset; ++covered) {
      if (file[covered] != 0) return Status::failure(StatusCode::corrupt, "bytes between the sections are not zero");
    }
    const Status status = verify_section(format, file, sections, number, cancel);
    if (!status.ok()) return status;
    covered = section.offset + section.bytes;
  }
  return Status::success();
}

Status sum_bytes(const uint8_t* bytes, int64_t size, const std::atomic<bool>* cancel, uint64_t* sum) {
  Checksum checksum;
  for (int64_t at = 0; at < size; at += kBytesPerCheck) {
    if (is_raised(cancel)) return cancelled();
    checksum.update(bytes + at, static_cast<size_t>(std::min(kBytesPerCheck, size - at)));
  }
  *sum = checksum.value();
  return Status::success();
}

}  // namespace semantic_index
