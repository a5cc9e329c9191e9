#include "support/packed_terms.h"

#include <map>
#include <string>

#include "terms/packed_terms.h"
#include "terms/postings/posting_codec.h"

namespace semantic_index_test {

std::vector<uint8_t> pack_terms(const Corpus& corpus, std::vector<uint64_t> keys) {
  std::map<std::string, uint64_t> numbers;
  for (const Document& document : corpus) {
    for (const auto& [term, frequency] : document.terms) numbers[term] = 0;
  }
  std::vector<uint8_t> bytes = {kPackedTermsVersion};
  append_varint(corpus.size(), &bytes);
  append_varint(numbers.size(), &bytes);
  uint64_t next = 0;
  for (auto& [term, number] : numbers) {
    number = next++;
    append_varint(term.size(), &bytes);
    bytes.insert(bytes.end(), term.begin(), term.end());
  }
  for (size_t item = keys.size(); item < corpus.size(); ++item) keys.push_back(item);
  uint64_t key = 0;
  for (size_t item = 0; item < corpus.size(); ++item) {
    append_varint(keys[item] - key, &bytes);
    key = keys[item];
    append_varint(corpus[item].length, &bytes);
    append_varint(corpus[item].terms.size(), &bytes);
    uint64_t before = 0;
    for (const auto& [term, frequency] : corpus[item].terms) {
      append_varint(numbers[term] - before, &bytes);
      before = numbers[term];
      append_varint(frequency, &bytes);
    }
  }
  return bytes;
}

}  // namespace semantic_index_test
