// The bytes of terms files: the same for every way to build them, refused or harmless when they are damaged.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <numeric>

#include "io/atomic_file.h"
#include "io/mapped_file.h"
#include "support/check.h"
#include "support/damaged_sections.h"
#include "support/terms_corpus.h"
#include "terms/build/terms_merge.h"

using namespace semantic_index_test;

namespace {

/** The documents that are not deleted. */
Corpus survivors(const Parts& parts) {
  Corpus corpus;
  for (size_t part = 0; part < parts.corpora.size(); ++part) {
    for (size_t item = 0; item < parts.corpora[part].size(); ++item) {
      if (!is_set(parts.dead[part], item)) corpus.push_back(parts.corpora[part][item]);
    }
  }
  return corpus;
}

/** Whether a file is found good; where it opens it is searched, which must not go out of bounds. */
bool is_good(const std::vector<uint8_t>& bytes) {
  const ExactBytes memory(bytes);
  TermsView view;
  if (!TermsView::open(memory.data(), memory.size(), &view).ok()) return false;
  const Bits dead = {0x00010000u, 0x80000001u};
  TermsSnapshot snapshot;
  CHECK_OK(snapshot.add(TermsPart::of(view, set_of(dead))));
  TermsQuery query;
  for (const char* term : {"w0", "w1", "w17", "w3", "absent"}) {
    const QueryTerm terms[] = {{{term, std::strlen(term)}, 1}, {{"w0", 2}, 1}, {{"w2", 2}, 1}};
    if (!query.prepare(snapshot, terms, 3).ok()) continue;
    std::vector<TermsHit> hits;
    static_cast<void>(query.search({3, nullptr, nullptr}, &hits));
    for (const TermsHit& hit : hits) CHECK(hit.item >= 0 && hit.item < view.items());
    int64_t matches = 0;
    static_cast<void>(query.count({}, &matches));
  }
  const TermsPart part = TermsPart::of(view);
  MemoryBlock merged;
  static_cast<void>(merge_terms(&part, 1, {}, &merged));
  return view.validate().ok();
}

std::vector<uint8_t> small_file(uint64_t seed) {
  Random random(seed);
  const Corpus corpus = random_corpus(600, 40, 12, &random);
  MemoryBlock file;
  build_file(corpus, &file);
  return bytes_of(file);
}

}  // namespace

TEST(merging_gives_the_bytes_of_a_build) {
  uint64_t seed = 1;
  for (const double dead : {0.0, 0.05, 0.5, 0.97, 1.0}) {
    for (const size_t items : {size_t{0}, size_t{1}, size_t{130}, size_t{3000}}) {
      for (const uint32_t words : {3u, 3000u}) {
        Random random(seed++);
        Parts parts;
        spread(random_corpus(items, words, 15, &random), 1 + random.below(3), random.flip(), dead, &random, &parts);
        MemoryBlock expected;
        build_file(survivors(parts), &expected);
        CHECK_OK(view_of(expected).validate());
        for (const int threads : {1, 2, 7}) {
          TermsMergeOptions options;
          options.threads = threads;
          MemoryBlock merged;
          CHECK_OK(merge_terms(parts.parts.data(), parts.parts.size(), options, &merged));
          CHECK(bytes_of(merged) == bytes_of(expected));
        }
      }
    }
  }
}

TEST(a_build_that_spills_gives_the_same_bytes) {
  Random random(77);
  const Corpus some = random_corpus(1000, 500, 6, &random);
  Corpus corpus;
  while (corpus.size() < 150000) corpus.insert(corpus.end(), some.begin(), some.end());
  MemoryBlock spilled;
  build_file(corpus, &spilled, 2);
  TermsTail tail;
  append_to(&tail, corpus, 0, corpus.size());
  const TermsPart part = TermsPart::of(tail);
  MemoryBlock at_once;
  CHECK_OK(merge_terms(&part, 1, {}, &at_once));
  CHECK(bytes_of(spilled) == bytes_of(at_once));
  CHECK_OK(view_of(spilled).validate());
}

TEST(merging_keeps_the_source_and_refuses_too_many_items) {
  Random random(3);
  MemoryBlock file;
  build_file(random_corpus(10, 5, 5, &random), &file);
  const TermsView view = view_of(file);
  TermsMergeOptions options;
  options.source = 0x1234567890abcdefu;
  MemoryBlock merged;
  const TermsPart part = TermsPart::of(view);
  CHECK_OK(merge_terms(&part, 1, options, &merged));
  CHECK_EQUAL(view_of(merged).header().source, options.source);
  TermsPart huge = part;
  huge.items = kMaxTermsItems;
  const TermsPart two[] = {huge, huge};
  CHECK(merge_terms(two, 2, options, &merged).code == StatusCode::invalid_argument);
  const std::atomic<bool> cancel{true};
  options.cancel = &cancel;
  CHECK(merge_terms(&part, 1, options, &merged).code == StatusCode::cancelled);
}

TEST(refuses_documents_out_of_range) {
  TermsBuilder builder;
  DocumentTerm term = {{"a", 1}, 0};
  TermsDocument document = {&term, 1, 1};
  CHECK(builder.add(&document, 1).code == StatusCode::invalid_argument);
  term.frequency = kMaxTermFrequency + 1;
  CHECK(builder.add(&document, 1).code == StatusCode::invalid_argument);
  term.frequency = 1;
  document.length = kMaxDocumentLength + 1;
  CHECK(builder.add(&document, 1).code == StatusCode::invalid_argument);
  document.length = 1;
  const std::string long_term(kMaxTermBytes + 1, 'x');
  term.term = {long_term.data(), long_term.size()};
  CHECK(builder.add(&document, 1).code == StatusCode::invalid_argument);
  MemoryBlock file;
  CHECK_OK(builder.finish({}, &file));
  CHECK_EQUAL(view_of(file).items(), 0);
}

TEST(adds_up_terms_that_come_twice) {
  const DocumentTerm twice[] = {{{"a", 1}, 2}, {{"b", 1}, 1}, {{"a", 1}, 3}};
  const TermsDocument document = {twice, 3, 6};
  const DocumentTerm once[] = {{{"b", 1}, 1}, {{"a", 1}, 5}};
  const TermsDocument same = {once, 2, 6};
  MemoryBlock files[2];
  for (const int which : {0, 1}) {
    TermsBuilder builder;
    CHECK_OK(builder.add(which == 0 ? &document : &same, 1));
    CHECK_OK(builder.finish({}, &files[which]));
  }
  CHECK(bytes_of(files[0]) == bytes_of(files[1]));
}

TEST(opens_what_was_saved) {
  const std::vector<uint8_t> bytes = small_file(4);
  MemoryBlock block;
  CHECK(block.resize(bytes.size()));
  std::memcpy(block.data(), bytes.data(), bytes.size());
  const std::string path = "terms_file_test.terms";
  CHECK_OK(save_atomically(path, block));
  {
    std::unique_ptr<MappedFile> map;
    CHECK_OK(MappedFile::open(path, &map));
    TermsView view;
    CHECK_OK(TermsView::open(map->data(), map->size(), &view, &map->changed()));
    CHECK_OK(view.validate());
  }
  std::remove(path.c_str());
}

TEST(every_flipped_byte_is_noticed) { check_flipped_bytes(small_file(1), 400, is_good); }

TEST(flipped_bytes_with_right_checksums_are_refused_or_harmless) {
  check_signed_damage<TermsHeader>(small_file(2), kIsSanitized ? 8000 : 20000, is_good);
}

TEST(truncated_and_longer_files_are_refused) { check_other_sizes<TermsHeader>(small_file(3), is_good); }

TEST(sections_of_another_file_are_refused_or_harmless) {
  check_foreign_sections<TermsHeader>(small_file(5), small_file(6), is_good);
}
