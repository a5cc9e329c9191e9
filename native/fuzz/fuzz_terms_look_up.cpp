// Coverage-guided fuzzing of what reads a terms file for query syntax and spelling: look-ups of similar terms and of
// prefixes, filters by terms, terms that count as one, and edit distances.
//
//   CXX=clang++ cmake -S native -B build-fuzz -DSEMANTIC_INDEX_FUZZ=ON -DSEMANTIC_INDEX_SANITIZE=address,undefined
//   cmake --build build-fuzz && build-fuzz/fuzz_terms_look_up -max_total_time=600 -max_len=40000 CORPUS
//
// The first 16 bytes of an input choose what is asked; the rest is the file.

#include <algorithm>
#include <string>
#include <vector>

#include "terms/exact_form.h"
#include "terms/query/edit_distance.h"
#include "terms/query/term_look_up.h"
#include "terms/query/terms_filter.h"
#include "terms/query/terms_query.h"
#include "terms_input.h"

using namespace semantic_index;
using namespace semantic_index_fuzz;

namespace {

constexpr size_t kChoices = 16;

void check_status(const Status& status) {
  if (!status.ok() && status.code != StatusCode::corrupt && status.code != StatusCode::invalid_argument) {
    give_up("failed for another reason than the bytes");
  }
}

const std::vector<std::string>& names() {
  static const std::vector<std::string> kNames = {"all",
                                                  "even",
                                                  "evil",
                                                  "blocks",
                                                  "block",
                                                  "w0",
                                                  "w17",
                                                  "w29",
                                                  "absent",
                                                  "",
                                                  "w",
                                                  "\xc3\xa9t\xc3\xa9",
                                                  "caf\xc3\xa9",
                                                  "\xee\x80\x81w17",
                                                  "\xee\x80\x81",
                                                  "\xff"};
  return kNames;
}

/** Distances are symmetric, and those within a bound do not depend on it. */
void compare_distances(const uint8_t* bytes, size_t size) {
  std::vector<uint32_t> left;
  std::vector<uint32_t> right;
  const size_t half = std::min<size_t>(size, 64) / 2;
  if (!decode_utf8(bytes, half, &left) || !decode_utf8(bytes + half, half, &right)) return;
  const uint32_t forth = EditDistances(left, 3).to(right.data(), right.size());
  const uint32_t back = EditDistances(right, 3).to(left.data(), left.size());
  if (forth != back || forth > 4) give_up("distances differ by direction");
  const uint32_t bounded = EditDistances(left, 1).to(right.data(), right.size());
  if (bounded != std::min(forth, 2u)) give_up("distances differ by bound");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kChoices) return 0;
  compare_distances(data, size);
  const TermsInput input(data, size, kChoices);
  if (!input.is_open()) return 0;
  const TermsView& view = input.view();
  const ItemBits some = some_items();
  TermsSnapshot snapshot;
  if (!snapshot.add(TermsPart::of(view, (data[0] & 1) != 0 ? some : ItemBits())).ok()) give_up("no snapshot");
  const ItemBits* const allowed = (data[0] & 2) != 0 ? &some : nullptr;
  const auto named = [&](size_t place) -> TermBytes {
    const std::string& name = names()[data[place] % names().size()];
    return {name.data(), name.size()};
  };

  int32_t failed = -1;
  TermLookUp look_up;
  look_up.term = named(1);
  look_up.is_prefix = (data[2] & 1) != 0;
  look_up.same_first = (data[2] & 2) != 0;
  look_up.max_distance = data[2] >> 6;
  look_up.limit = data[3] % 40;
  look_up.sample = data[4] % 5;
  look_up.allowed = allowed;
  std::vector<FoundTerm> found;
  bool is_cut = false;
  const Status looked_up = look_up_terms(snapshot, look_up, &found, &is_cut, &failed);
  check_status(looked_up);
  if (looked_up.ok()) {
    if (found.size() > look_up.limit) give_up("too many terms");
    for (const FoundTerm& term : found) {
      if (term.documents < 1 || term.distance > look_up.max_distance) give_up("no such term");
      if (term.sample.size() > look_up.sample) give_up("too many documents");
      for (const TermDocument& document : term.sample) {
        if (document.item < 0 || document.item >= view.items()) give_up("no such item");
      }
    }
  }

  TermsFilter filter;
  for (size_t place = 5; place < 8; ++place) {
    if ((data[place] & 0x80) != 0) filter.required.push_back(named(place));
    if ((data[place] & 0x40) != 0) filter.excluded.push_back(named(place));
  }
  filter.allowed = allowed;
  std::vector<std::vector<uint32_t>> matching;
  const Status filtered = filter_by_terms(snapshot, filter, &matching, &failed);
  check_status(filtered);
  if (filtered.ok()) {
    for (size_t item = static_cast<size_t>(view.items()); item < matching[0].size() * 32; ++item) {
      if ((matching[0][item / 32] >> (item % 32) & 1) != 0) give_up("a bit behind the last item");
    }
  }

  std::vector<QueryTerm> terms;
  for (size_t place = 8; place < 14; ++place) {
    QueryTerm term = {named(place), static_cast<uint32_t>(data[place] >> 6)};
    term.joins = (data[place] & 0x20) != 0;
    terms.push_back(term);
  }
  static TermsQuery query;
  const Status prepared = query.prepare(snapshot, terms.data(), terms.size());
  check_status(prepared);
  if (prepared.ok()) {
    TermsSearchOptions options;
    options.k = 1 + data[14] % 20;
    options.allowed = allowed;
    std::vector<TermsHit> hits;
    check_status(query.search(options, &hits));
    if (hits.size() > static_cast<size_t>(options.k)) give_up("too many hits");
    for (const TermsHit& hit : hits) {
      if (hit.item < 0 || hit.item >= view.items()) give_up("no such item");
    }
  }
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t maximum, unsigned int seed) {
  return mutate_terms_input(data, size, maximum, seed, kChoices, 3);
}
