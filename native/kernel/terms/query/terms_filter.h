#ifndef SEMANTIC_INDEX_KERNEL_TERMS_QUERY_TERMS_FILTER_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_QUERY_TERMS_FILTER_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "terms/query/terms_snapshot.h"

namespace semantic_index {

/** Terms that documents must have, or must not have. */
struct TermsFilter {
  /** All of them are required. */
  std::vector<TermBytes> required;
  /** None of them may occur. */
  std::vector<TermBytes> excluded;
  /** For each part the items that count; nullptr allows all, and so do bits that are nullptr. */
  const ItemBits* allowed = nullptr;
  const std::atomic<bool>* cancel = nullptr;
};

/**
 * The living, allowed items of each part that match, as words of bits. `*failed_part` is the part with damaged bytes
 * after corrupt and file_changed. cancelled, out_of_memory.
 */
Status filter_by_terms(const TermsSnapshot& snapshot, const TermsFilter& filter,
                       std::vector<std::vector<uint32_t>>* matching, int32_t* failed_part);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_QUERY_TERMS_FILTER_H_
