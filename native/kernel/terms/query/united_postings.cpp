#include "terms/query/united_postings.h"

#include <algorithm>

#include "terms/terms_format.h"

namespace semantic_index {

namespace {

/** Words of a block before its items. */
constexpr size_t kBlockWords = sizeof(TailBlock) / sizeof(uint32_t);

uint32_t sum_of(uint32_t left, uint32_t right) { return std::min(kMaxTermFrequency, left + right); }

}  // namespace

Status UnitedPostings::unite(const std::vector<PostingList>& lists, PostingCursor* cursor) {
  std::vector<Posting> postings;
  for (const PostingList& list : lists) {
    if (list.count == 0) continue;
    list_.items = list.items;
    list_.lengths = list.lengths;
    bool is_sound = cursor->open(list);
    for (uint32_t block = 0; is_sound && block < cursor->blocks(); ++block) {
      is_sound = cursor->load(block) && cursor->load_frequencies();
      if (!is_sound) break;
      for (uint32_t index = 0; index < cursor->size(); ++index) {
        postings.push_back({cursor->items()[index], sum_of(cursor->frequencies()[index], 0)});
      }
    }
    if (!is_sound) return Status::failure(StatusCode::corrupt, "a posting list is damaged");
  }
  std::sort(postings.begin(), postings.end(),
            [](const Posting& left, const Posting& right) { return left.item < right.item; });
  size_t kept = 0;
  for (const Posting& posting : postings) {
    if (kept > 0 && postings[kept - 1].item == posting.item) {
      postings[kept - 1].frequency = sum_of(postings[kept - 1].frequency, posting.frequency);
    } else {
      postings[kept++] = posting;
    }
  }
  postings.resize(kept);
  build(postings);
  return Status::success();
}

void UnitedPostings::build(const std::vector<Posting>& postings) {
  const auto count = static_cast<uint32_t>(postings.size());
  const uint32_t blocks = count == 0 ? 0 : tail_block_of(count - 1) + 1;
  size_t words = 0;
  for (uint32_t block = 0; block < blocks; ++block) {
    words += kBlockWords + 2 * size_t{tail_block_begin(block + 1) - tail_block_begin(block)};
  }
  memory_.assign(words, 0);
  list_.impact = {0, UINT32_MAX};
  uint32_t* at = memory_.data();
  for (uint32_t number = 0; number < blocks; ++number) {
    const uint32_t begin = tail_block_begin(number);
    const uint32_t capacity = tail_block_begin(number + 1) - begin;
    auto* const block = reinterpret_cast<TailBlock*>(at);
    *block = {capacity, 0, UINT32_MAX};
    for (uint32_t place = 0; place < capacity && begin + place < count; ++place) {
      const Posting& posting = postings[begin + place];
      const uint32_t length = list_.lengths[posting.item];
      block->items()[place] = posting.item;
      block->items()[capacity + place] = posting.frequency;
      block->max_frequency = std::max(block->max_frequency, posting.frequency);
      block->min_length = std::min(block->min_length, length);
    }
    list_.impact.frequency = std::max(list_.impact.frequency, block->max_frequency);
    list_.impact.length = std::min(list_.impact.length, block->min_length);
    blocks_.push_back(block);
    at += kBlockWords + 2 * size_t{capacity};
  }
  list_.count = count;
  list_.blocks = blocks_.data();
}

}  // namespace semantic_index
