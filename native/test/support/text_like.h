#ifndef SEMANTIC_INDEX_TEST_SUPPORT_TEXT_LIKE_H_
#define SEMANTIC_INDEX_TEST_SUPPORT_TEXT_LIKE_H_

#include <cstdint>
#include <vector>

namespace semantic_index_test {

/**
 * Rows like embeddings of texts: topics within topics (a tenth of the rows' square root of wide ones, a hundredth of
 * the rows of narrow ones), each row a mixture of its narrow topic, a second one of the same wide topic, and noise of
 * which later dimensions have less, as principal axes do. Of length 1.
 */
std::vector<float> text_like_rows(int64_t rows, int32_t dimensions, uint64_t seed);

}  // namespace semantic_index_test

#endif  // SEMANTIC_INDEX_TEST_SUPPORT_TEXT_LIKE_H_
