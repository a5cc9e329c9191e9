// Packed terms: what was packed is decoded, a tail filled from them finds the same, and damaged bytes are refused.

#include "terms/packed_terms.h"

#include <cstring>
#include <memory>

#include "support/check.h"
#include "support/packed_terms.h"
#include "support/terms_corpus.h"
#include "terms/build/terms_merge.h"
#include "terms/postings/bm25.h"

using namespace semantic_index_test;

namespace {

const uint8_t* data_of(const std::vector<uint8_t>& bytes) {
  static const uint8_t kNone = 0;
  return bytes.empty() ? &kNone : bytes.data();
}

/** Decodes a copy of exactly this size, so that a step beyond is seen. */
Status decode(const std::vector<uint8_t>& bytes, std::unique_ptr<uint8_t[]>* memory, PackedTerms* packed) {
  memory->reset(new uint8_t[bytes.size()]);
  if (!bytes.empty()) std::memcpy(memory->get(), bytes.data(), bytes.size());
  return PackedTerms::decode(memory->get(), bytes.size(), packed);
}

std::vector<uint8_t> with_version(std::initializer_list<uint8_t> rest) {
  std::vector<uint8_t> bytes;
  bytes.push_back(1);
  for (const uint8_t byte : rest) bytes.push_back(byte);
  return bytes;
}

}  // namespace

TEST(what_was_packed_is_decoded) {
  Random random(1);
  for (int round = 0; round < 20; ++round) {
    const Corpus corpus = random_corpus(random.below(200), 100, 30, &random);
    std::vector<uint64_t> keys;
    uint64_t key = random.below(10);
    for (size_t item = 0; item < corpus.size(); ++item) {
      keys.push_back(key);
      key += 1 + (random.below(5) == 0 ? random.next() >> 20 : random.below(3));
    }
    std::unique_ptr<uint8_t[]> memory;
    PackedTerms packed;
    CHECK_OK(decode(pack_terms(corpus, keys), &memory, &packed));
    CHECK_EQUAL(packed.documents().size(), corpus.size());
    for (size_t item = 0; item < corpus.size(); ++item) {
      const PackedDocument& document = packed.documents()[item];
      CHECK_EQUAL(document.key, keys[item]);
      CHECK_EQUAL(document.length, corpus[item].length);
      std::map<std::string, uint32_t> terms;
      for (uint32_t place = 0; place < document.count; ++place) {
        const PackedTerm& term = packed.terms_of(document)[place];
        const TermBytes& bytes = packed.terms()[term.number];
        terms[std::string(static_cast<const char*>(bytes.bytes), bytes.size)] = term.frequency;
      }
      CHECK(terms == corpus[item].terms);
    }
  }
}

TEST(a_tail_filled_from_packed_terms_gives_the_same_file) {
  Random random(2);
  const Corpus corpus = random_corpus(700, 200, 30, &random);
  TermsTail tail({1, 2});
  for (size_t begin = 0; begin < corpus.size(); begin += 100) {
    const Corpus batch(corpus.begin() + static_cast<std::ptrdiff_t>(begin),
                       corpus.begin() + static_cast<std::ptrdiff_t>(begin + 100));
    std::unique_ptr<uint8_t[]> memory;
    PackedTerms packed;
    CHECK_OK(decode(pack_terms(batch), &memory, &packed));
    std::vector<uint32_t> all(batch.size());
    for (uint32_t position = 0; position < all.size(); ++position) all[position] = position;
    CHECK_OK(tail.append(packed, all.data(), all.size()));
  }
  const TermsPart part = TermsPart::of(tail);
  MemoryBlock merged;
  CHECK_OK(merge_terms(&part, 1, {}, &merged));
  MemoryBlock built;
  build_file(corpus, &built);
  CHECK(bytes_of(merged) == bytes_of(built));
}

TEST(only_selected_documents_are_appended) {
  Random random(3);
  const Corpus corpus = random_corpus(100, 50, 20, &random);
  std::unique_ptr<uint8_t[]> memory;
  PackedTerms packed;
  CHECK_OK(decode(pack_terms(corpus), &memory, &packed));
  std::vector<uint32_t> selected;
  Corpus rest;
  for (uint32_t position = 0; position < corpus.size(); position += 1 + random.below(4)) {
    selected.push_back(position);
    rest.push_back(corpus[position]);
  }
  TermsTail tail;
  CHECK_OK(tail.append(packed, selected.data(), selected.size()));
  CHECK_EQUAL(static_cast<size_t>(tail.items()), selected.size());
  const TermsPart part = TermsPart::of(tail);
  MemoryBlock merged;
  CHECK_OK(merge_terms(&part, 1, {}, &merged));
  MemoryBlock built;
  build_file(rest, &built);
  CHECK(bytes_of(merged) == bytes_of(built));
}

TEST(damaged_bytes_are_refused) {
  const struct {
    const char* name;
    std::vector<uint8_t> bytes;
    StatusCode code;
  } cases[] = {
      {"nothing", {}, StatusCode::wrong_layout},
      {"another version", {2, 0, 0}, StatusCode::wrong_layout},
      {"an unfinished header", {1, 0}, StatusCode::corrupt},
      {"an endless number", with_version({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80}), StatusCode::corrupt},
      {"more documents than bytes", with_version({100, 0}), StatusCode::corrupt},
      {"more terms than bytes", with_version({0, 100}), StatusCode::corrupt},
      {"a term that runs over the end", with_version({0, 1, 5, 'a'}), StatusCode::corrupt},
      {"equal terms", with_version({0, 2, 1, 'a', 1, 'a'}), StatusCode::corrupt},
      {"descending terms", with_version({0, 2, 1, 'b', 1, 'a'}), StatusCode::corrupt},
      {"a term before its prefix", with_version({0, 2, 2, 'a', 'b', 1, 'a'}), StatusCode::corrupt},
      {"equal keys", with_version({2, 0, 0, 0, 0, 0, 0, 0}), StatusCode::corrupt},
      {"a term that does not exist", with_version({1, 1, 1, 'a', 0, 1, 1, 1, 1}), StatusCode::corrupt},
      {"a term that comes twice", with_version({1, 2, 1, 'a', 1, 'b', 0, 2, 2, 0, 1, 0, 1}), StatusCode::corrupt},
      {"a frequency of 0", with_version({1, 1, 1, 'a', 0, 1, 1, 0, 0}), StatusCode::corrupt},
      {"an impossible length", with_version({1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0}), StatusCode::corrupt},
      {"more pairs than bytes", with_version({1, 1, 1, 'a', 0, 1, 1, 0}), StatusCode::corrupt},
      {"bytes behind the end", with_version({0, 0, 0}), StatusCode::corrupt},
  };
  for (const auto& wrong : cases) {
    std::unique_ptr<uint8_t[]> memory;
    PackedTerms packed;
    const Status status = decode(wrong.bytes, &memory, &packed);
    if (status.code != wrong.code) semantic_index_test::fail(__FILE__, __LINE__, wrong.name);
    CHECK(packed.documents().empty());
  }
}

TEST(cut_and_changed_bytes_are_refused_or_harmless) {
  Random random(4);
  const Corpus corpus = random_corpus(30, 40, 12, &random);
  const std::vector<uint8_t> bytes = pack_terms(corpus);
  std::unique_ptr<uint8_t[]> memory;
  for (size_t size = 0; size < bytes.size(); ++size) {
    PackedTerms packed;
    CHECK(!decode({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}, &memory, &packed).ok());
  }
  int accepted = 0;
  for (size_t place = 0; place < bytes.size(); ++place) {
    for (const uint8_t value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      std::vector<uint8_t> changed = bytes;
      changed[place] = value;
      PackedTerms packed;
      if (!decode(changed, &memory, &packed).ok()) continue;
      ++accepted;
      std::vector<uint32_t> all(packed.documents().size());
      for (uint32_t position = 0; position < all.size(); ++position) all[position] = position;
      TermsTail tail;
      CHECK_OK(tail.append(packed, all.data(), all.size()));
      const TermsPart part = TermsPart::of(tail);
      MemoryBlock merged;
      CHECK_OK(merge_terms(&part, 1, {}, &merged));
      CHECK_OK(view_of(merged).validate());
    }
  }
  CHECK(accepted > 0);
}

TEST(query_terms_are_decoded) {
  std::vector<uint8_t> bytes;
  const std::string long_term(300, 'x');
  for (const auto& [term, times] : std::vector<std::pair<std::string, uint32_t>>{{"a", 1}, {"", 3}, {long_term, 200}}) {
    append_varint(term.size(), &bytes);
    bytes.insert(bytes.end(), term.begin(), term.end());
    append_varint(times, &bytes);
  }
  std::vector<QueryTerm> terms;
  CHECK_OK(decode_query_terms(bytes.data(), bytes.size(), &terms));
  CHECK_EQUAL(terms.size(), size_t{3});
  CHECK_EQUAL(terms[1].term.size, size_t{0});
  CHECK_EQUAL(terms[2].term.size, size_t{300});
  CHECK_EQUAL(terms[2].times, 200u);
  for (size_t size = 1; size < bytes.size(); ++size) {
    if (size == 3 || size == 5) continue;
    CHECK(decode_query_terms(bytes.data(), size, &terms).code == StatusCode::corrupt);
  }
  CHECK_OK(decode_query_terms(data_of({}), 0, &terms));
  CHECK(terms.empty());
  const uint8_t never[] = {1, 'a', 0};
  CHECK(decode_query_terms(never, 3, &terms).code == StatusCode::corrupt);
  const uint8_t form[] = {1, 'a', 2, 1, 'b', 0};
  CHECK_OK(decode_query_terms(form, 6, &terms));
  CHECK_EQUAL(terms[1].times, 0u);
}

TEST(a_term_that_counts_twice_counts_as_two_terms) {
  Random random(5);
  const Corpus corpus = random_corpus(500, 50, 20, &random);
  MemoryBlock file;
  build_file(corpus, &file);
  const TermsView view = view_of(file);
  TermsSnapshot snapshot;
  CHECK_OK(snapshot.add(TermsPart::of(view)));
  const QueryTerm twice[] = {{{"w1", 2}, 2}, {{"w9", 2}, 1}};
  const QueryTerm repeated[] = {{{"w1", 2}, 1}, {{"w9", 2}, 1}, {{"w1", 2}, 1}};
  TermsQuery query;
  std::vector<TermsHit> left;
  std::vector<TermsHit> right;
  CHECK_OK(query.prepare(snapshot, twice, 2));
  const double max_score = query.max_score();
  CHECK_OK(query.search({10, nullptr, nullptr}, &left));
  CHECK_OK(query.prepare(snapshot, repeated, 3));
  CHECK_EQUAL(query.max_score(), max_score);
  CHECK_OK(query.search({10, nullptr, nullptr}, &right));
  CHECK_EQUAL(left.size(), size_t{10});
  for (size_t rank = 0; rank < left.size(); ++rank) {
    CHECK_EQUAL(left[rank].item, right[rank].item);
    CHECK(left[rank].score == right[rank].score);
    CHECK(left[rank].score <= max_score);
  }
}

TEST(forms_of_a_term_weigh_as_one_term) {
  Random random(6);
  const Corpus corpus = random_corpus(500, 50, 20, &random);
  MemoryBlock file;
  build_file(corpus, &file);
  const TermsView view = view_of(file);
  TermsSnapshot snapshot;
  CHECK_OK(snapshot.add(TermsPart::of(view)));
  double frequency = 0;
  double length = 0;
  for (const Document& document : corpus) {
    frequency += static_cast<double>(document.terms.count("w1") + document.terms.count("w9"));
    length += document.length;
  }
  const double weight = 3 * inverse_document_frequency(500, std::min(500.0, frequency));
  const Bm25 scorer(500, length, 2 * weight);
  // One form comes twice, one is in no document, and one is the term itself.
  const QueryTerm terms[] = {
      {{"w1", 2}, 3}, {{"w9", 2}, 0}, {{"none", 4}, 0}, {{"w9", 2}, 0}, {{"w1", 2}, 0},
  };
  TermsQuery query;
  CHECK_OK(query.prepare(snapshot, terms, 5));
  CHECK(std::abs(query.max_score() - weight) < 1e-12);
  std::vector<TermsHit> hits;
  CHECK_OK(query.search({500, nullptr, nullptr}, &hits));
  size_t expected = 0;
  for (const Document& document : corpus)
    expected += document.terms.count("w1") + document.terms.count("w9") > 0 ? 1 : 0;
  CHECK_EQUAL(hits.size(), expected);
  for (const TermsHit& hit : hits) {
    const Document& document = corpus[static_cast<size_t>(hit.item)];
    double score = 0;
    for (const char* form : {"w1", "w9"}) {
      const auto found = document.terms.find(form);
      if (found != document.terms.end()) score += scorer.score(weight, found->second, document.length);
    }
    CHECK(std::abs(hit.score - score) < 1e-12);
  }
}
