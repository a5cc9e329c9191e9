#ifndef SEMANTIC_INDEX_KERNEL_IO_SECTIONED_FILE_H_
#define SEMANTIC_INDEX_KERNEL_IO_SECTIONED_FILE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/status.h"

namespace semantic_index {

/** Sections begin at multiples of this, counted from the start of the file; between them are zeros. */
constexpr int64_t kSectionAlignment = 64;

/** Offset, size and XXH64 of a section. */
struct SectionRange {
  int64_t offset;
  int64_t bytes;
  uint64_t checksum;
};

/** What the files of one format begin with, and their names in messages. */
struct SectionedFormat {
  char magic[8];
  uint32_t version;
  /** For example "terms file". */
  const char* name;
  /** The names of the sections, in their order. */
  const char* const* sections;
};

/**
 * The header of a file of sections, whatever else it states: the magic and a 32-bit version at its begin, a
 * `SectionRange` for each section, and at its end the XXH64 of the bytes before. Owns nothing.
 */
class SectionedHeader {
 public:
  template <typename Header>
  explicit SectionedHeader(Header* header)
      : bytes_(reinterpret_cast<uint8_t*>(header)),
        size_(sizeof(Header)),
        sections_(header->sections),
        count_(sizeof(header->sections) / sizeof(SectionRange)) {
    static_assert(offsetof(Header, magic) == 0 && sizeof(Header::magic) == sizeof(SectionedFormat::magic) &&
                      offsetof(Header, version) == sizeof(Header::magic) && sizeof(Header::version) == 4,
                  "a header begins with magic and version");
    static_assert(offsetof(Header, header_checksum) + sizeof(uint64_t) == sizeof(Header),
                  "a header ends with its checksum");
  }

  /** Writes magic and version, and sets the offsets of the sections from their sizes. */
  void place(const SectionedFormat& format);

  /** Bytes of the whole file, once the sections have their places. */
  int64_t file_bytes() const { return sections_[count_ - 1].offset + sections_[count_ - 1].bytes; }

  /** Sets the checksums of the sections from their bytes in `file`. */
  void sum_sections(const uint8_t* file);

  /** Sets the checksum of the header and copies it to the begin of `file`. */
  void write(uint8_t* file);

  /**
   * Reads the header from the begin of `size` bytes. wrong_layout when they are of another kind or version, corrupt
   * when the checksum does not fit.
   */
  Status read(const SectionedFormat& format, const uint8_t* bytes, int64_t size);

  /** Whether the sections fill a file of `size` bytes exactly. Their checksums are not compared. corrupt. */
  Status check_places(const SectionedFormat& format, int64_t size) const;

 private:
  uint8_t* bytes_;
  size_t size_;
  SectionRange* sections_;
  size_t count_;
};

/** Compares the checksum of a section of `file`. corrupt with its name, cancelled. */
Status verify_section(const SectionedFormat& format, const uint8_t* file, const SectionRange* sections, size_t number,
                      const std::atomic<bool>* cancel);

/** The same for all sections, and whether the bytes between them are zero. `header_bytes` come before the first. */
Status verify_sections(const SectionedFormat& format, const uint8_t* file, size_t header_bytes,
                       const SectionRange* sections, size_t count, const std::atomic<bool>* cancel);

/** Sets the XXH64 of bytes. cancelled. */
Status sum_bytes(const uint8_t* bytes, int64_t size, const std::atomic<bool>* cancel, uint64_t* sum);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_IO_SECTIONED_FILE_H_
