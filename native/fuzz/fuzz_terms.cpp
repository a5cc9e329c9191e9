// Coverage-guided fuzzing of terms files: open, search with and without deleted and allowed items, scores, counts,
// merging, validation.
//
//   CXX=clang++ cmake -S native -B build-fuzz -DSEMANTIC_INDEX_FUZZ=ON -DSEMANTIC_INDEX_SANITIZE=address,undefined
//   cmake --build build-fuzz && build-fuzz/fuzz_terms -max_total_time=600 -max_len=40000 CORPUS
//
// The first byte of an input chooses the query; the rest is the file. Its checksums are put right before it is opened,
// for they would keep out nearly everything.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "support/signed_bytes.h"
#include "terms/build/terms_merge.h"
#include "terms/query/terms_query.h"

using namespace semantic_index;

namespace {

constexpr size_t kChoices = 1;

[[noreturn]] void give_up(const char* reason) {
  std::fprintf(stderr, "%s\n", reason);
  std::abort();
}

/** A file of lists of all kinds: short, long, with full and partial last blocks. */
const MemoryBlock& valid_file() {
  static MemoryBlock file;
  if (file.size() > 0) return file;
  Random random(1);
  TermsBuilder builder;
  for (uint32_t item = 0; item < 700; ++item) {
    std::vector<std::string> names = {"all"};
    if (item % 2 == 0) names.push_back("even");
    if (item < 256) names.push_back("blocks");
    for (int word = 0; word < 3; ++word) names.push_back("w" + std::to_string(random.below(30)));
    std::vector<DocumentTerm> terms;
    for (const std::string& name : names) terms.push_back({{name.data(), name.size()}, 1 + random.below(4)});
    const TermsDocument document = {terms.data(), terms.size(), 5 + random.below(90)};
    if (!builder.add(&document, 1).ok()) give_up("no document");
  }
  TermsMergeOptions options;
  options.threads = 1;
  if (!builder.finish(options, &file).ok()) give_up("no file");
  return file;
}

void check_status(const Status& status) {
  if (!status.ok() && status.code != StatusCode::corrupt) give_up("failed for another reason than the bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kChoices) return 0;
  const uint8_t choice = data[0];
  const size_t length = size - kChoices;
  // On the heap, so that a step beyond is seen; aligned as the kernel asks for.
  std::unique_ptr<uint64_t[]> memory(new uint64_t[(length + 7) / 8]);
  auto* const bytes = reinterpret_cast<uint8_t*>(memory.get());
  if (length > 0) std::memcpy(bytes, data + kChoices, length);
  semantic_index_test::sign<TermsHeader>(bytes, length);
  TermsView view;
  if (!TermsView::open(bytes, static_cast<int64_t>(length), &view).ok()) return 0;

  const uint32_t words[] = {0x12345678u, 0xffff0fffu, 0x7fff7777u, 0xffffffffu, 0x00000001u};
  const ItemBits some = {words, 5};
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

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t maximum);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t maximum, unsigned int seed) {
  Random random(seed);
  const MemoryBlock& file = valid_file();
  if (kChoices + file.size() > maximum) return LLVMFuzzerMutate(data, size, maximum);
  if (size < kChoices + sizeof(TermsHeader) || random.below(30) == 0) {
    data[0] = static_cast<uint8_t>(random.next());
    std::memcpy(data + kChoices, file.data(), file.size());
    return kChoices + file.size();
  }
  if (random.below(8) == 0) return LLVMFuzzerMutate(data, size, maximum);
  TermsHeader header;
  std::memcpy(&header, file.data(), sizeof header);
  for (uint32_t change = 0; change <= random.below(8); ++change) {
    const SectionRange& section = header.sections[random.below(kTermsSections)];
    const size_t place = random.below(12) == 0
                             ? random.below(sizeof header)
                             : static_cast<size_t>(section.offset) + random.below(static_cast<uint32_t>(section.bytes));
    if (kChoices + place >= size) continue;
    const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff, 31, 32, static_cast<uint8_t>(random.next())};
    data[kChoices + place] = values[random.below(8)];
  }
  if (random.below(4) == 0) data[0] = static_cast<uint8_t>(random.next());
  return size;
}
