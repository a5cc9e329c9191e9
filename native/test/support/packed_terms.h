#ifndef SEMANTIC_INDEX_TEST_SUPPORT_PACKED_TERMS_H_
#define SEMANTIC_INDEX_TEST_SUPPORT_PACKED_TERMS_H_

#include <string>
#include <vector>

#include "support/terms_corpus.h"

namespace semantic_index_test {

/** Packs documents as analysis does; `keys` are less the first key of the batch, by default 0, 1, 2 ... */
std::vector<uint8_t> pack_terms(const Corpus& corpus, std::vector<uint64_t> keys = {});

}  // namespace semantic_index_test

#endif  // SEMANTIC_INDEX_TEST_SUPPORT_PACKED_TERMS_H_
