#ifndef SEMANTIC_INDEX_KERNEL_TERMS_BUILD_TERMS_MERGE_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_BUILD_TERMS_MERGE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/memory_block.h"
#include "base/status.h"
#include "terms/terms_part.h"

namespace semantic_index {

struct TermsMergeOptions {
  /** Threads to use; 0 = as many as the machine has. The bytes do not depend on it. */
  int threads = 0;
  /** Raise it to stop; the merge returns `cancelled` soon. */
  const std::atomic<bool>* cancel = nullptr;
  /** Becomes TermsHeader::source. */
  uint64_t source = 0;
};

/**
 * Writes the documents of the parts, without the deleted ones, into the bytes of one terms file: the items of the first
 * part come first, each part in its order. The bytes are those that a build from the surviving documents gives, however
 * they were spread over parts. corrupt when a part is, invalid_argument when there are more than kMaxTermsItems,
 * out_of_memory, cancelled.
 */
Status merge_terms(const TermsPart* parts, size_t count, const TermsMergeOptions& options, MemoryBlock* file);

/**
 * Builds a terms file from documents that come in the order of their items. What is in memory is one tail of at most
 * 2^16 documents or 64 MiB, and the files of those before it.
 */
class TermsBuilder {
 public:
  TermsBuilder();

  /** Adds documents. invalid_argument as TermsTail::append, out_of_memory. */
  Status add(const TermsDocument* documents, size_t count);

  /** Writes the file. The builder must not be used afterwards. */
  Status finish(const TermsMergeOptions& options, MemoryBlock* file);

 private:
  Status spill();

  std::unique_ptr<TermsTail> tail_;
  std::vector<std::unique_ptr<MemoryBlock>> files_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_BUILD_TERMS_MERGE_H_
