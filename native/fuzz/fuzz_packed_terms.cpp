// Coverage-guided fuzzing of packed terms: decode, append to a tail, search it, merge it into a file, validate that.
// The same bytes are decoded as the terms of a query too.
//
//   CXX=clang++ cmake -S native -B build-fuzz -DSEMANTIC_INDEX_FUZZ=ON -DSEMANTIC_INDEX_SANITIZE=address,undefined
//   cmake --build build-fuzz && build-fuzz/fuzz_packed_terms -max_total_time=600 -max_len=4000 CORPUS

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "terms/build/terms_merge.h"
#include "terms/packed_terms.h"
#include "terms/query/terms_query.h"

using namespace semantic_index;

namespace {

[[noreturn]] void give_up(const char* reason) {
  std::fprintf(stderr, "%s\n", reason);
  std::abort();
}

void check(const Status& status, const char* reason) {
  if (!status.ok()) give_up(reason);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // On the heap, so that a step beyond is seen.
  std::unique_ptr<uint8_t[]> bytes(new uint8_t[size]);
  if (size > 0) std::memcpy(bytes.get(), data, size);
  std::vector<QueryTerm> query_terms;
  const Status of_query = decode_query_terms(bytes.get(), size, &query_terms);
  if (!of_query.ok() && of_query.code != StatusCode::corrupt) give_up("a query failed for another reason");

  PackedTerms packed;
  const Status decoded = PackedTerms::decode(bytes.get(), size, &packed);
  if (!decoded.ok()) {
    if (decoded.code != StatusCode::corrupt && decoded.code != StatusCode::wrong_layout) give_up("failed otherwise");
    return 0;
  }
  std::vector<uint32_t> selected;
  for (uint32_t position = 0; position < packed.documents().size(); ++position) {
    if (position % 5 != 3) selected.push_back(position);
  }
  TermsTail tail;
  check(tail.append(packed, selected.data(), selected.size()), "the tail refused documents");
  if (tail.items() != static_cast<int32_t>(selected.size())) give_up("the tail has other documents");
  const TermsPart part = TermsPart::of(tail);
  TermsSnapshot snapshot;
  check(snapshot.add(part), "no snapshot");
  std::vector<QueryTerm> terms;
  for (const TermBytes& term : packed.terms()) {
    terms.push_back({term, 1});
    if (terms.size() == 8) break;
  }
  TermsQuery query;
  check(query.prepare(snapshot, terms.data(), terms.size()), "no query");
  std::vector<TermsHit> hits;
  check(query.search({5, nullptr, nullptr}, &hits), "no search");
  for (const TermsHit& hit : hits) {
    if (hit.item < 0 || hit.item >= tail.items()) give_up("no such item");
  }
  MemoryBlock file;
  TermsMergeOptions options;
  options.threads = 1;
  check(merge_terms(&part, 1, options, &file), "no file");
  TermsView view;
  check(TermsView::open(file.data(), static_cast<int64_t>(file.size()), &view), "the file does not open");
  check(view.validate(), "the file is not valid");
  return 0;
}
