// Searches of the inverted index against scoring every document: hits, scores to the bit, counts.

#include <functional>

#include "support/check.h"
#include "support/terms_corpus.h"
#include "terms/build/terms_merge.h"
#include "terms/exact_form.h"

using namespace semantic_index_test;

namespace {

const std::vector<int64_t> kSizes = {1, 3, 10, 100, 100000};
constexpr double kShares[] = {0, 0.003, 0.1, 0.5, 1};

/** A query of up to `longest` words of a vocabulary, of which some come twice and some do not exist. */
std::vector<std::string> random_query(uint32_t words, uint32_t longest, Random* random) {
  std::vector<std::string> query;
  for (uint32_t count = random->below(longest + 1); query.size() < count;) {
    const uint32_t word = random->flip() ? zipf(words, random) : random->below(words + 5);
    query.push_back("w" + std::to_string(word));
    if (random->below(5) == 0) query.push_back(query[random->below(static_cast<uint32_t>(query.size()))]);
  }
  return query;
}

void check_random(size_t items, uint32_t words, uint32_t longest, double dead, int queries, uint64_t seed) {
  Random random(seed);
  const Corpus corpus = random_corpus(items, words, longest, &random);
  Parts parts;
  const size_t files = random.below(4);
  spread(corpus, files, files == 0 || random.flip(), dead, &random, &parts);
  TermsQuery query;
  for (int number = 0; number < queries; ++number) {
    const std::vector<std::string> terms = random_query(words, number % 10 == 9 ? 200 : 8, &random);
    check_query(parts, terms, nullptr, kSizes, &query, &random);
    std::vector<Bits> allowed;
    for (const Corpus& of_part : parts.corpora) {
      allowed.push_back(random_bits(of_part.size(), kShares[random.below(5)], &random));
    }
    check_query(parts, terms, &allowed, kSizes, &query, &random);
  }
}

}  // namespace

TEST(finds_what_scoring_every_document_finds) {
  uint64_t seed = 1;
  for (const double dead : {0.0, 0.01, 0.4, 1.0}) {
    for (const size_t items : {size_t{0}, size_t{1}, size_t{2}, size_t{63}, size_t{64}, size_t{129}, size_t{700}}) {
      for (const uint32_t words : {1u, 3u, 40u, 1000u}) check_random(items, words, 30, dead, 6, seed++);
    }
  }
}

TEST(finds_the_same_across_windows_and_blocks) {
  check_random(9000, 60, 12, 0, 30, 1001);
  check_random(9000, 2000, 12, 0.01, 30, 1002);
  check_random(30000, 300, 6, 0.001, 20, 1003);
}

TEST(lists_of_every_size_around_block_bounds) {
  // Term k is in the first k of 400 documents, and in every third of more of them for larger ones.
  Corpus corpus(1300);
  for (size_t item = 0; item < corpus.size(); ++item) {
    Document& document = corpus[item];
    for (size_t size = item + 1; size <= 400; ++size) document.terms["t" + std::to_string(size)] = 1 + item % 7;
    if (item % 3 == 0) document.terms["third"] = 1 + static_cast<uint32_t>(item % 300);
    document.terms["all"] = 1;
    document.length = static_cast<uint32_t>(20 + item % 90);
  }
  Random random(5);
  for (const bool with_tail : {false, true}) {
    Parts parts;
    spread(corpus, with_tail ? 0 : 1, with_tail, 0.02, &random, &parts);
    TermsQuery query;
    for (size_t size = 1; size <= 400; ++size) {
      check_query(parts, {"t" + std::to_string(size)}, nullptr, {5, 1000}, &query, &random);
    }
    check_query(parts, {"all"}, nullptr, kSizes, &query, &random);
    check_query(parts, {"third", "all", "t200"}, nullptr, kSizes, &query, &random);
  }
}

TEST(terms_of_any_bytes) {
  Random random(6);
  std::vector<std::string> terms = {"",
                                    std::string(1, '\0'),
                                    std::string(2, '\0'),
                                    "\xff",
                                    "\xff\xff",
                                    "a",
                                    std::string("a\0", 2),
                                    "a\xff",
                                    std::string(300, 'a'),
                                    std::string(301, 'a'),
                                    std::string(kMaxTermBytes, 'z')};
  for (int index = 0; index < 300; ++index) {
    std::string term;
    for (uint32_t size = random.below(12); size > 0; --size) {
      const char bytes[] = {'\0', 'a', 'b', '\x7f', '\x80', '\xff'};
      term += bytes[random.below(6)];
    }
    terms.push_back(term);
  }
  Corpus corpus(200);
  for (Document& document : corpus) {
    for (int index = 0; index < 10; ++index) {
      ++document.terms[terms[random.below(static_cast<uint32_t>(terms.size()))]];
      ++document.length;
    }
  }
  Parts parts;
  spread(corpus, 2, true, 0.05, &random, &parts);
  for (const TermsView& view : parts.views) CHECK_OK(view.validate());
  TermsQuery query;
  for (const std::string& term : terms) {
    check_query(parts, {term}, nullptr, {10}, &query, &random);
    check_query(parts, {term + "x", term, "a" + term}, nullptr, {10}, &query, &random);
  }
}

TEST(extreme_frequencies_and_lengths) {
  Corpus corpus(1000);
  Random random(7);
  for (Document& document : corpus) {
    for (const char* term : {"a", "b", "c"}) {
      if (random.flip()) document.terms[term] = 1 + random.below(1u << random.below(25));
    }
    const uint32_t lengths[] = {0, 1, 4095, 4096, 4097, 8191, 1u << 24, kMaxDocumentLength};
    document.length = random.flip() ? lengths[random.below(8)] : random.below(1u << 24);
  }
  Parts parts;
  spread(corpus, 1, true, 0.1, &random, &parts);
  CHECK_OK(parts.views[0].validate());
  TermsQuery query;
  for (const auto& terms : std::vector<std::vector<std::string>>{{"a"}, {"a", "b"}, {"c", "b", "a", "a"}}) {
    check_query(parts, terms, nullptr, kSizes, &query, &random);
  }
  // No document has a length: the average is 0.
  for (Document& document : corpus) document.length = 0;
  Parts without;
  spread(corpus, 1, true, 0, &random, &without);
  check_query(without, {"a", "b"}, nullptr, kSizes, &query, &random);
}

TEST(scores_do_not_depend_on_parts_and_merges) {
  Random random(8);
  const Corpus corpus = random_corpus(3000, 200, 20, &random);
  Parts apart;
  spread(corpus, 3, true, 0.2, &random, &apart);
  MemoryBlock file;
  CHECK_OK(merge_terms(apart.parts.data(), apart.parts.size(), {}, &file));
  const TermsView view = view_of(file);
  TermsSnapshot whole;
  CHECK_OK(whole.add(TermsPart::of(view)));
  CHECK_EQUAL(whole.documents(), apart.snapshot.documents());
  TermsQuery query;
  for (int number = 0; number < 50; ++number) {
    const std::vector<std::string> terms = random_query(200, 8, &random);
    const std::vector<QueryTerm> bytes = as_terms(terms);
    std::vector<TermsHit> hits[2];
    for (const int which : {0, 1}) {
      CHECK_OK(query.prepare(which == 0 ? apart.snapshot : whole, bytes.data(), bytes.size()));
      CHECK_OK(query.search({20, nullptr, nullptr}, &hits[which]));
    }
    CHECK_EQUAL(hits[0].size(), hits[1].size());
    for (size_t rank = 0; rank < hits[0].size(); ++rank) CHECK(hits[0][rank].score == hits[1][rank].score);
  }
}

TEST(a_query_of_100000_words_takes_time_in_proportion) {
  Random random(9);
  const Corpus corpus = random_corpus(150, 30000, 60, &random);
  Parts parts;
  spread(corpus, 1, true, 0.01, &random, &parts);
  std::vector<std::string> terms;
  for (int index = 0; index < 100000; ++index) terms.push_back("w" + std::to_string(random.below(90000)));
  TermsQuery query;
  check_query(parts, terms, nullptr, {10}, &query, &random);
}

TEST(a_raised_flag_cancels_and_the_next_search_is_whole) {
  Random random(10);
  const Corpus corpus = random_corpus(5000, 100, 20, &random);
  Parts parts;
  spread(corpus, 1, true, 0.01, &random, &parts);
  const std::vector<std::string> terms = {"w0", "w1", "w2"};
  const std::vector<QueryTerm> bytes = as_terms(terms);
  TermsQuery query;
  const std::atomic<bool> cancel{true};
  CHECK(query.prepare(parts.snapshot, bytes.data(), bytes.size(), &cancel).code == StatusCode::cancelled);
  CHECK_OK(query.prepare(parts.snapshot, bytes.data(), bytes.size()));
  TermsSearchOptions options;
  options.cancel = &cancel;
  std::vector<TermsHit> hits;
  CHECK(query.search(options, &hits).code == StatusCode::cancelled);
  CHECK(hits.empty());
  int64_t matches = 0;
  CHECK(query.count(options, &matches).code == StatusCode::cancelled);
  check_query(parts, terms, nullptr, kSizes, &query, &random);
}

namespace {

/** A word, of which every fourth is an exact form. */
std::string marked(const std::string& word) {
  if (word.back() % 4 != 0) return word;
  return std::string(reinterpret_cast<const char*>(kExactFormMark), sizeof kExactFormMark) + word;
}

}  // namespace

TEST(exact_forms_weigh_a_quarter) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    Random random(seed);
    Corpus corpus = random_corpus(1500, 200, 20, &random);
    for (Document& document : corpus) {
      std::map<std::string, uint32_t> terms;
      for (const auto& [term, frequency] : document.terms) terms[marked(term)] = frequency;
      document.terms = terms;
    }
    Parts parts;
    spread(corpus, seed % 3, true, seed % 2 == 0 ? 0.2 : 0, &random, &parts);
    TermsQuery query;
    for (int number = 0; number < 20; ++number) {
      std::vector<std::string> terms = random_query(200, 8, &random);
      for (std::string& term : terms) term = marked(term);
      check_query(parts, terms, nullptr, kSizes, &query, &random);
    }
  }
}

TEST(exact_forms_that_occur_nowhere_are_not_missing) {
  Random random(3);
  Parts parts;
  spread(random_corpus(200, 20, 20, &random), 1, true, 0, &random, &parts);
  TermsQuery query;
  const std::string exact = marked("absent0");
  const std::string absent = "absent1";
  CHECK(is_exact_form(exact.data(), exact.size()));
  CHECK(!is_exact_form(exact.data(), sizeof kExactFormMark));
  for (const bool with_exact : {false, true}) {
    std::vector<std::string> terms = {"w1", absent};
    if (with_exact) terms.push_back(exact);
    const std::vector<QueryTerm> bytes = as_terms(terms);
    CHECK_OK(query.prepare(parts.snapshot, bytes.data(), bytes.size()));
    CHECK_EQUAL(query.missing_terms(), 1u);
    static double without = 0;
    if (!with_exact) without = query.max_score();
    CHECK(query.max_score() == without && without > 0);
  }
}

TEST(summed_statistics_of_snapshots_give_the_scores_of_one) {
  Random random(11);
  for (int round = 0; round < 20; ++round) {
    const Corpus corpus = random_corpus(600, 80, 20, &random);
    Parts whole;
    spread(corpus, 2, true, 0, &random, &whole);
    const size_t middle = random.below(601);
    const auto border = corpus.begin() + static_cast<std::ptrdiff_t>(middle);
    Parts halves[2];
    spread(Corpus(corpus.begin(), border), 1, true, 0, &random, &halves[0]);
    spread(Corpus(border, corpus.end()), 0, true, 0, &random, &halves[1]);
    const std::vector<std::string> words = random_query(80, 12, &random);
    std::vector<QueryTerm> terms = as_terms(words);
    for (size_t index = 1; index < terms.size(); ++index) {
      // Terms that are one with the term before, and other forms of it.
      if (random.below(4) == 0) terms[index].joins = true;
      if (random.below(4) == 0) terms[index].times = 0;
    }
    TermsQuery query;
    CHECK_OK(query.prepare(whole.snapshot, terms.data(), terms.size()));
    const TermsStatistics expected = query.statistics();
    TermsSearchOptions options;
    options.k = 1000;
    std::vector<TermsHit> hits;
    CHECK_OK(query.search(options, &hits));
    std::vector<double> scores;
    for (const TermsHit& hit : hits) scores.push_back(hit.score);
    const double max_score = query.max_score();
    const uint32_t missing_terms = query.missing_terms();

    TermsStatistics summed;
    summed.counts.assign(terms.size(), 0.0);
    for (const Parts& half : halves) {
      CHECK_OK(query.prepare(half.snapshot, terms.data(), terms.size()));
      const TermsStatistics own = query.statistics();
      summed.documents += own.documents;
      summed.length += own.length;
      for (size_t index = 0; index < terms.size(); ++index) summed.counts[index] += own.counts[index];
    }
    CHECK(summed.documents == expected.documents && summed.length == expected.length);
    CHECK(summed.counts == expected.counts);
    std::vector<double> merged;
    for (const Parts& half : halves) {
      CHECK_OK(query.prepare(half.snapshot, terms.data(), terms.size(), nullptr, &summed));
      CHECK(query.max_score() == max_score);
      CHECK_EQUAL(query.missing_terms(), missing_terms);
      CHECK_OK(query.search(options, &hits));
      for (const TermsHit& hit : hits) merged.push_back(hit.score);
    }
    std::sort(merged.begin(), merged.end(), std::greater<double>());
    CHECK(merged == scores);
  }
}
