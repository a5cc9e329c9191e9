#ifndef SEMANTIC_INDEX_KERNEL_COLUMNS_BUILD_PACKED_METADATA_H_
#define SEMANTIC_INDEX_KERNEL_COLUMNS_BUILD_PACKED_METADATA_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "columns/build/column_encoder.h"

namespace semantic_index {

/** The first byte of packed metadata. */
constexpr uint8_t kPackedMetadataVersion = 1;
/** Keys are at most this, as integers that a double represents exactly. */
constexpr uint64_t kMaxMetadataKey = uint64_t{1} << 53;

/**
 * The decoded metadata of a batch of documents, as `src/columns` packs it; see FORMAT.md. Points into the bytes that it
 * was decoded from.
 */
class PackedMetadata {
 public:
  /**
   * Decodes and checks everything: the bytes may be anything. Takes memory in proportion to their number. wrong_layout
   * for another version, corrupt, out_of_memory.
   */
  static Status decode(const uint8_t* bytes, size_t size, PackedMetadata* packed);

  /** For each document its key less the first key of the batch; ascending. */
  const std::vector<uint64_t>& keys() const { return keys_; }
  int32_t documents() const { return static_cast<int32_t>(keys_.size()); }
  /** Documents whose metadata is not in the columns, and documents with paths that are not. */
  const std::vector<uint32_t>& opaque() const { return opaque_; }
  const std::vector<uint32_t>& incomplete() const { return incomplete_; }
  /** By ascending path; the items of their rows are positions of documents. */
  const std::vector<ColumnContent>& columns() const { return columns_; }

 private:
  std::vector<uint64_t> keys_;
  std::vector<uint32_t> opaque_;
  std::vector<uint32_t> incomplete_;
  std::vector<ColumnContent> columns_;

  friend class PackedMetadataDecoder;
};

/**
 * Writes the bytes of a columns file with the documents of a batch as items. Of more than kMaxColumns paths, those of
 * the most documents become columns. out_of_memory.
 */
Status build_columns(const PackedMetadata& packed, MemoryBlock* file);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_COLUMNS_BUILD_PACKED_METADATA_H_
