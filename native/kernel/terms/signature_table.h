#ifndef SEMANTIC_INDEX_KERNEL_TERMS_SIGNATURE_TABLE_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_SIGNATURE_TABLE_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/status.h"
#include "terms/term_signature.h"

namespace semantic_index {

class TermsView;

/**
 * The signatures of all terms of a file, by length. Built from its dictionary when it is first searched; 12 bytes a
 * term. Any number of threads may use one at once.
 */
class SignatureTable {
 public:
  /**
   * The numbers of the terms that pass a filter, ascending: some of them are not similar, but all that are similar are
   * among them. corrupt, cancelled, file_changed, out_of_memory.
   */
  Status select(const TermsView& view, const SignatureFilter& filter, std::vector<uint32_t>* numbers,
                const std::atomic<bool>* cancel);

 private:
  Status build(const TermsView& view, const std::atomic<bool>* cancel);

  std::mutex mutex_;
  std::atomic<bool> is_built_{false};
  /** Where the terms of each length begin. */
  std::vector<uint32_t> begins_;
  std::vector<uint64_t> bits_;
  std::vector<uint32_t> numbers_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_SIGNATURE_TABLE_H_
