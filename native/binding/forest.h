#ifndef SEMANTIC_INDEX_BINDING_FOREST_H_
#define SEMANTIC_INDEX_BINDING_FOREST_H_

#include <cstdint>
#include <memory>
#include <string>

#include "annoy/forest_view.h"
#include "annoy/node_storage.h"
#include "base/sha256.h"
#include "io/mapped_file.h"

namespace semantic_index {

/** A finished forest with the memory it lies in: built here, mapped from a file, or copied from bytes. Never changes.
 */
struct Forest {
  std::shared_ptr<NodeStorage> storage;
  std::unique_ptr<MappedFile> file;
  std::unique_ptr<uint64_t[]> bytes;
  int64_t size = 0;
  ForestView view;

  const uint8_t* data() const { return view.node(0); }
  /** Bytes that this process alone holds. */
  int64_t heap_bytes() const;
  /** Bytes of a file that other processes may share. */
  int64_t mapped_bytes() const { return file ? file->size() : 0; }
};

using ForestPointer = std::shared_ptr<const Forest>;

/** The forest that was built on `storage`. */
Status forest_of_storage(std::shared_ptr<NodeStorage> storage, ForestPointer* forest);

/** Maps the Annoy file at `path`; for dot, either of Annoy's two layouts. */
Status forest_of_file(const std::string& path, Metric metric, int32_t dimensions, ForestPointer* forest);

/** Takes over the bytes of an Annoy file. */
Status forest_of_bytes(std::unique_ptr<uint64_t[]> bytes, int64_t size, Metric metric, int32_t dimensions,
                       ForestPointer* forest);

/** What identifies the contents of a forest: lower-case hexadecimal SHA-256 of its parts. */
struct ForestDigest {
  std::string items;
  std::string forest;
  /** Of the first and the last `kEndBytes` bytes: a quick way to tell that two files differ. */
  std::string ends;
  /** The XXH64 of all bytes, as `checksum_text` writes it. */
  std::string content;
};

/** A checksum as 16 lower-case hexadecimal digits. */
std::string checksum_text(uint64_t checksum);

constexpr int64_t kEndBytes = 4096;

/** The XXH64 of all bytes. `cancelled` when the flag is raised. */
Status content_of(const Forest& forest, const std::atomic<bool>* cancel, std::string* content);

/** Whether both have the same bytes. Reads all of them where the sizes are equal. `cancelled` when the flag is raised.
 */
Status compare_forests(const Forest& left, const Forest& right, const std::atomic<bool>* cancel, bool* equal);

/** Reads all of it. `cancelled` when the flag is raised. */
Status digest_of(const Forest& forest, const std::atomic<bool>* cancel, ForestDigest* digest);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_FOREST_H_
