// Coverage-guided fuzzing of tail images: read into memory, append, search. The first bytes replace bytes of a sound
// image, whose checksums are then set again.
//
//   CXX=clang++ cmake -S native -B build-fuzz -DSEMANTIC_INDEX_FUZZ=ON -DSEMANTIC_INDEX_SANITIZE=address,undefined
//   cmake --build build-fuzz && build-fuzz/fuzz_tail_image -max_total_time=600 -max_len=4000 CORPUS

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "search/tail_image.h"
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

NodeLayout layout() {
  NodeLayout made;
  check(make_layout(Metric::angular, 4, &made), "no layout");
  return made;
}

/** A sound image of six documents. */
void make_image(MemoryBlock* file) {
  RowBuffer rows(layout());
  const std::vector<float> numbers(24, 0.5f);
  check(rows.append(numbers.data(), 6), "no rows");
  TermsTail tail;
  const DocumentTerm terms[] = {{{"one", 3}, 2}, {{"two", 3}, 20}, {{"three", 5}, 1}};
  std::vector<TermsDocument> documents(6, TermsDocument{terms, 3, 23});
  check(tail.append(documents.data(), documents.size()), "no terms");
  TailSource source;
  source.rows = rows.snapshot();
  source.terms = &tail;
  source.keys = {1, 2, 5, 6, 7, 9};
  source.alive = {0x2f};
  check(make_tail_image(source, nullptr, file), "no image");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  MemoryBlock sound;
  make_image(&sound);
  const bool is_whole = size > 0 && data[0] == 0;
  // On the heap, so that a step beyond is seen.
  const size_t bytes_size = is_whole ? size - 1 : sound.size();
  std::unique_ptr<uint8_t[]> bytes(new uint8_t[bytes_size]);
  if (is_whole) {
    if (bytes_size > 0) std::memcpy(bytes.get(), data + 1, bytes_size);
  } else {
    std::memcpy(bytes.get(), sound.data(), sound.size());
    for (size_t at = 1; at + 2 < size; at += 3) {
      const size_t place = (static_cast<size_t>(data[at]) << 8 | data[at + 1]) % sound.size();
      bytes[place] = data[at + 2];
    }
    TailHeader header;
    std::memcpy(&header, bytes.get(), sizeof header);
    bool is_inside = true;
    for (const SectionRange& section : header.sections) {
      const auto most = static_cast<int64_t>(bytes_size);
      is_inside = is_inside && section.offset >= 0 && section.bytes >= 0 && section.offset <= most &&
                  section.bytes <= most - section.offset;
    }
    SectionedHeader sections(&header);
    if (is_inside) sections.sum_sections(bytes.get());
    sections.write(bytes.get());
  }
  RowBuffer rows(layout());
  TermsTail terms;
  LoadedTail loaded;
  const Status status =
      read_tail_image(bytes.get(), static_cast<int64_t>(bytes_size), 1, nullptr, &rows, &terms, &loaded);
  if (!status.ok()) {
    if (status.code != StatusCode::corrupt && status.code != StatusCode::wrong_layout) give_up("failed otherwise");
    return 0;
  }
  if (rows.rows() != terms.items() || static_cast<int64_t>(loaded.keys.size()) != rows.rows()) give_up("other counts");
  const float more[4] = {1, 2, 3, 4};
  check(rows.append(more, 1), "no more rows");
  const DocumentTerm term = {{"two", 3}, 1};
  const TermsDocument document = {&term, 1, 1};
  check(terms.append(&document, 1), "no more documents");
  TermsSnapshot snapshot;
  check(snapshot.add(TermsPart::of(terms)), "no snapshot");
  const std::vector<QueryTerm> query_terms = {{{"one", 3}, 1}, {{"two", 3}, 1}};
  TermsQuery query;
  check(query.prepare(snapshot, query_terms.data(), query_terms.size()), "no query");
  std::vector<TermsHit> hits;
  check(query.search({5, nullptr, nullptr}, &hits), "no search");
  for (const TermsHit& hit : hits) {
    if (hit.item < 0 || hit.item >= terms.items()) give_up("no such item");
  }
  return 0;
}
