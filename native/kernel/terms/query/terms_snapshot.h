#ifndef SEMANTIC_INDEX_KERNEL_TERMS_QUERY_TERMS_SNAPSHOT_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_QUERY_TERMS_SNAPSHOT_H_

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "terms/terms_part.h"

namespace semantic_index {

/**
 * The parts of an index at one point in time, and the statistics of their living documents. Owns nothing but these. Any
 * number of threads may use one at once, after the last `add`.
 */
class TermsSnapshot {
 public:
  /** Appends a part: hits come in the order of parts where scores are equal. out_of_memory. */
  Status add(const TermsPart& part);

  const std::vector<TermsPart>& parts() const { return parts_; }
  /** Documents that are not deleted, and the sum of their lengths. */
  int64_t documents() const { return documents_; }
  uint64_t total_length() const { return total_length_; }
  /** Whether a part has deleted documents. */
  bool has_dead(size_t part) const { return !dead_items_[part].empty(); }

  /**
   * How many postings of the list that a term has in a part are of deleted documents. Takes as many look-ups as there
   * are deleted documents, or passes over the list if that is shorter; counts of common terms are kept for the next
   * query. corrupt. May throw bad_alloc.
   */
  Status count_dead(size_t part, const TermBytes& term, const PostingList& list, PostingCursor* cursor,
                    uint32_t* count) const;

 private:
  std::vector<TermsPart> parts_;
  /** The deleted items of each part, ascending. */
  std::vector<std::vector<uint32_t>> dead_items_;
  int64_t documents_ = 0;
  uint64_t total_length_ = 0;
  mutable std::mutex mutex_;
  mutable std::vector<std::unordered_map<std::string, uint32_t>> counts_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_QUERY_TERMS_SNAPSHOT_H_
