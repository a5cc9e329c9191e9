// Coverage-guided fuzzing of terms files: open, search with and without deleted and allowed items, scores, counts,
// merging, validation.
//
//   CXX=clang++ cmake -S native -B build-fuzz -DSEMANTIC_INDEX_FUZZ=ON -DSEMANTIC_INDEX_SANITIZE=address,undefined
//   cmake --build build-fuzz && build-fuzz/fuzz_terms -max_total_time=600 -max_len=40000 CORPUS
//
// The first byte of an input chooses the query; the rest is the file.

#include <cstring>
#include <vector>

#include "terms/query/terms_query.h"
#include "terms_input.h"

using namespace semantic_index;
using namespace semantic_index_fuzz;

namespace {

constexpr size_t kChoices = 1;

void check_status(const Status& status) {
  if (!status.ok() && status.code != StatusCode::corrupt) give_up("failed for another reason than the bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kChoices) return 0;
  const uint8_t choice = data[0];
  const TermsInput input(data, size, kChoices);
  if (!input.is_open()) return 0;
  const TermsView& view = input.view();
  const ItemBits some = some_items();
  TermsSnapshot snapshot;
  if (!snapshot.add(TermsPart::of(view, (choice & 1) != 0 ? some : ItemBits())).ok()) give_up("no snapshot");
  const char* const names[] = {"all", "even", "blocks", "w0", "w1", "w17", "w29", "absent"};
  std::vector<QueryTerm> terms;
  for (uint32_t bit = 0; bit < 8; ++bit) {
    if ((choice >> bit & 1) != 0) terms.push_back({{names[bit], std::strlen(names[bit])}, 1});
  }
  static TermsQuery query;
  const Status prepared = query.prepare(snapshot, terms.data(), terms.size());
  check_status(prepared);
  if (prepared.ok()) {
    for (const ItemBits* allowed : {static_cast<const ItemBits*>(nullptr), &some}) {
      TermsSearchOptions options;
      options.k = 1 + choice % 7;
      options.allowed = allowed;
      std::vector<TermsHit> hits;
      check_status(query.search(options, &hits));
      if (hits.size() > static_cast<size_t>(options.k)) give_up("too many hits");
      for (const TermsHit& hit : hits) {
        if (hit.item < 0 || hit.item >= view.items()) give_up("no such item");
        if (allowed != nullptr && !allowed->contains(static_cast<uint32_t>(hit.item))) give_up("not allowed");
      }
      int64_t matches = 0;
      check_status(query.count(options, &matches));
    }
    std::vector<uint32_t> items;
    for (uint32_t item = 0; item < 50 && item < static_cast<uint32_t>(view.items()); ++item) items.push_back(item);
    std::vector<double> scores(items.size());
    check_status(query.score(0, items.data(), items.size(), scores.data()));
  }
  const TermsPart part = TermsPart::of(view, some);
  MemoryBlock merged;
  TermsMergeOptions options;
  options.threads = 1;
  if (view.items() < 100000) check_status(merge_terms(&part, 1, options, &merged));
  check_status(view.validate());
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t maximum, unsigned int seed) {
  return mutate_terms_input(data, size, maximum, seed, kChoices, 4);
}
