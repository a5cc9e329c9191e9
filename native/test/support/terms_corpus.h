#ifndef SEMANTIC_INDEX_TEST_SUPPORT_TERMS_CORPUS_H_
#define SEMANTIC_INDEX_TEST_SUPPORT_TERMS_CORPUS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/memory_block.h"
#include "base/random.h"
#include "terms/query/terms_query.h"

namespace semantic_index_test {

using namespace semantic_index;

/** A document as its terms and frequencies. */
struct Document {
  std::map<std::string, uint32_t> terms;
  uint32_t length = 0;
};
using Corpus = std::vector<Document>;
using Bits = std::vector<uint32_t>;
void append_to(TermsTail* tail, const Corpus& corpus, size_t begin, size_t end);
void build_file(const Corpus& corpus, MemoryBlock* file, int threads = 1);
TermsView view_of(const MemoryBlock& file);

std::vector<uint8_t> bytes_of(const MemoryBlock& file);
bool is_set(const Bits& bits, size_t item);
ItemBits set_of(const Bits& bits);

/** A set of items with about this share of them; the last words may be missing. */
Bits random_bits(size_t items, double share, Random* random);

/** A word of a vocabulary by Zipf's law: the first come often. */
uint32_t zipf(uint32_t words, Random* random);

/** Documents of up to `longest` words; now and then an empty one, a huge frequency, or an odd length. */
Corpus random_corpus(size_t items, uint32_t words, uint32_t longest, Random* random);

/** Where a term occurs, and how often. */
struct Occurrence {
  size_t part;
  size_t item;
  uint32_t frequency;
};

/** Parts of an index, and the documents that they hold. */
struct Parts {
  std::vector<Corpus> corpora;
  std::vector<Bits> dead;
  /** All of the documents' terms, those of dead ones included. */
  std::map<std::string, std::vector<Occurrence>> occurrences;
  std::vector<std::unique_ptr<MemoryBlock>> files;
  std::vector<TermsView> views;
  std::unique_ptr<TermsTail> tail = std::make_unique<TermsTail>();
  std::vector<TermsPart> parts;
  TermsSnapshot snapshot;
};

/** Spreads documents over `files` files and, if `with_tail`, a tail; about a share `dead` of them is deleted. */
void spread(const Corpus& corpus, size_t files, bool with_tail, double dead, Random* random, Parts* parts);
std::vector<QueryTerm> as_terms(const std::vector<std::string>& terms);

/** Searches, counts and scores, and compares everything with the oracle. */
void check_query(const Parts& parts, const std::vector<std::string>& terms, const std::vector<Bits>* allowed,
                 const std::vector<int64_t>& ks, TermsQuery* query, Random* random);

}  // namespace semantic_index_test

#endif  // SEMANTIC_INDEX_TEST_SUPPORT_TERMS_CORPUS_H_
