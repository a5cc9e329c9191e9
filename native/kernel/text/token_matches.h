#ifndef SEMANTIC_INDEX_KERNEL_TEXT_TOKEN_MATCHES_H_
#define SEMANTIC_INDEX_KERNEL_TEXT_TOKEN_MATCHES_H_

#include <cstddef>
#include <cstdint>

namespace semantic_index {

/** A table of 4-bit rows as in `TokenTable`, of which only the directions count: a negative scale reverses a row. */
struct TokenDirections {
  const uint8_t* table;
  /** A multiple of kInt8Block / 2. */
  size_t row_bytes;
  const float* scales;
  size_t rows;
  /** One number for each row: its length, negative where its scale is, or 0 where it is not known yet. Filled along the
   * way. */
  float* lengths;
};

/** The tokens of a query, and those of passages, one after the other: passage i ends before `ends[i]`. Ids are rows. */
struct TokenLists {
  const int32_t* query;
  size_t query_count;
  const int32_t* tokens;
  const uint32_t* ends;
  size_t passages;
};

/**
 * Late interaction (Khattab and Zaharia 2020): for each passage and each token of the query, in this order,
 * `similarities` gets the highest cosine of the token with any token of the passage, and `closeness` 1 / the least
 * distance between occurrences of this token and the one before it in the query, in tokens; 0 where one does not occur.
 * Dot products are those of integers: the results do not depend on the machine. Throws std::bad_alloc.
 */
void match_tokens(const TokenDirections& directions, const TokenLists& lists, float* similarities, float* closeness);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TEXT_TOKEN_MATCHES_H_
