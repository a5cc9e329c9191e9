#ifndef SEMANTIC_INDEX_KERNEL_TERMS_QUERY_UNITED_POSTINGS_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_QUERY_UNITED_POSTINGS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "terms/postings/posting_list.h"

namespace semantic_index {

/**
 * The list that several terms would have in a part if they were one: the documents with any of them, each with the sum
 * of its frequencies. Lives in memory; it stays in place when it is moved.
 */
class UnitedPostings {
 public:
  /** Lists of one part, of which at least one has postings. corrupt. May throw bad_alloc. */
  Status unite(const std::vector<PostingList>& lists, PostingCursor* cursor);

  /** The list; it points into this. */
  const PostingList& list() const { return list_; }

 private:
  struct Posting {
    uint32_t item;
    uint32_t frequency;
  };

  void build(const std::vector<Posting>& postings);

  PostingList list_;
  std::vector<uint32_t> memory_;
  std::vector<const TailBlock*> blocks_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_QUERY_UNITED_POSTINGS_H_
