#ifndef SEMANTIC_INDEX_KERNEL_SEARCH_TAIL_IMAGE_H_
#define SEMANTIC_INDEX_KERNEL_SEARCH_TAIL_IMAGE_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/memory_block.h"
#include "base/status.h"
#include "exact/row_buffer.h"
#include "io/sectioned_file.h"
#include "terms/terms_tail.h"

namespace semantic_index {

enum class TailSection : size_t {
  /** Keys of the items, ascending: 64 bits each. */
  keys,
  /** A bit for each item, set where its document exists; nothing where all do. */
  alive,
  /** Vectors as a row buffer has them. */
  rows,
  /** The terms, see `TermsImageView`. */
  lengths,
  terms,
  bytes,
  postings,
};
constexpr size_t kTailSections = 7;

/** The format of tail images (.tail): the documents without a segment as they are in memory. */
extern const SectionedFormat kTailFormat;

/** The beginning of the file. Integers are little-endian. */
struct TailHeader {
  char magic[8];
  uint32_t version;
  /** Documents: items are 0..items-1. */
  int32_t items;
  int32_t metric;
  int32_t dimensions;
  SectionRange sections[kTailSections];
  /** XXH64 of what comes before. */
  uint64_t header_checksum;
};

/** What an image is made of: the first documents of both, whose keys are given. */
struct TailSource {
  RowBuffer::Snapshot rows;
  const TermsTail* terms = nullptr;
  std::vector<int64_t> keys;
  /** Empty: all exist. */
  std::vector<uint32_t> alive;
};

/** Makes the bytes of an image: the same for the same documents. invalid_argument, cancelled, out_of_memory. */
Status make_tail_image(const TailSource& source, const std::atomic<bool>* cancel, MemoryBlock* file);

/** What was read of an image besides vectors and terms. */
struct LoadedTail {
  uint64_t checksum = 0;
  std::vector<int64_t> keys;
  std::vector<uint32_t> alive;
};

/**
 * Reads an image into an empty row buffer and an empty tail, on `threads` threads. Nothing of the file is believed:
 * checksums are compared, and numbers are checked where something would be read or written out of bounds. Vectors stay
 * in the file, which `rows` keeps mapped: see `has_changed` of its snapshots. After a failure both hold anything.
 * io_error, wrong_layout for another kind of file or other vectors, corrupt, file_changed, cancelled, out_of_memory.
 */
Status load_tail_image(const std::string& path, int threads, const std::atomic<bool>* cancel, RowBuffer* rows,
                       TermsTail* terms, LoadedTail* loaded);

/** The same for the bytes of a file, which have to outlive `rows`. */
Status read_tail_image(const uint8_t* bytes, int64_t size, int threads, const std::atomic<bool>* cancel,
                       RowBuffer* rows, TermsTail* terms, LoadedTail* loaded);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_SEARCH_TAIL_IMAGE_H_
