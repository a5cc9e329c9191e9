// Coverage-guided fuzzing of text preparation: any bytes are cut into pieces, packed and embedded; what is packed
// decodes.
//
//   CXX=clang++ cmake -S native -B build-fuzz -DSEMANTIC_INDEX_FUZZ=ON -DSEMANTIC_INDEX_SANITIZE=address,undefined
//   cmake --build build-fuzz && build-fuzz/fuzz_texts -max_total_time=600 -max_len=20000 CORPUS

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "terms/packed_terms.h"
#include "text/text_preparer.h"

using namespace semantic_index;

namespace {

[[noreturn]] void give_up(const char* reason) {
  std::fprintf(stderr, "%s\n", reason);
  std::abort();
}

constexpr size_t kRows = 40;
constexpr size_t kRowBytes = 16;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // On the heap, so that a step beyond is seen.
  const std::unique_ptr<char[]> bytes(new char[size]);
  if (size > 0) std::memcpy(bytes.get(), data, size);
  std::vector<uint8_t> rows(kRows * kRowBytes, 3);
  std::vector<float> scales(kRows, 0.5F);
  TokenTable table;
  table.table = rows.data();
  table.row_bytes = kRowBytes;
  table.scales = scales.data();
  table.rows = kRows;
  table.unknown = 7;
  table.max_tokens = 500;
  if (size % 2 == 1) table.saturation = {2, 0.75, 100};
  TextPreparer preparer({1, 2});
  preparer.set_table(table);

  // A zero ends a text.
  std::vector<uint32_t> ends;
  for (size_t at = 0; at < size; ++at) {
    if (data[at] == 0) ends.push_back(static_cast<uint32_t>(at));
  }
  ends.push_back(static_cast<uint32_t>(size));
  uint64_t key = 0;
  for (size_t first = 0, begin = 0; first < ends.size(); first += 3) {
    const size_t count = std::min<size_t>(3, ends.size() - first);
    preparer.scan(bytes.get(), begin, ends.data() + first, count);
    begin = ends[first + count - 1];
    const std::vector<uint32_t> added = preparer.added();
    for (const uint32_t number : added) {
      const StringView piece = preparer.piece(number);
      const uint32_t term = preparer.packer().number_of(piece.bytes, std::min<size_t>(piece.size, 200));
      const uint32_t terms[2] = {term, term};
      const uint32_t counts[2] = {1, static_cast<uint32_t>(piece.size % 3)};
      const int32_t tokens[3] = {static_cast<int32_t>(piece.size % kRows), 7, 1};
      // Bytes that are not UTF-8 can look like the mark of a language before nothing.
      const bool is_dependent = piece.size > 0 && *piece.bytes == '?';
      const size_t words = is_dependent ? TextPreparer::kDependent : piece.size % 3;
      preparer.define({terms, piece.size % 3, words, counts, tokens});
    }
    for (size_t text = 0; text < count; ++text) {
      float vector[kRowBytes];
      size_t used = 0;
      if (preparer.embed(text, vector, &used)) {
        double squares = 0;
        for (const float value : vector) squares += static_cast<double>(value) * static_cast<double>(value);
        if (std::fabs(squares - 1) > 1e-4) give_up("a vector is not of length 1");
        if (used == 0 || used > table.max_tokens) give_up("a vector of no tokens");
      }
      preparer.pack(text, key += 2);
    }
  }
  std::vector<uint8_t> packed;
  preparer.take(&packed);
  PackedTerms decoded;
  if (!PackedTerms::decode(packed.data(), packed.size(), &decoded).ok()) give_up("what was packed does not decode");
  if (decoded.documents().size() != ends.size()) give_up("a document is missing");
  return 0;
}
