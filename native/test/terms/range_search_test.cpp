// Searches by the most that terms can add up to in ranges of items: parts that are large enough, terms that are
// frequent enough.

#include <thread>

#include "support/check.h"
#include "support/terms_corpus.h"
#include "terms/postings/range_maxima.h"

using namespace semantic_index_test;

namespace {

const std::vector<int64_t> kSizes = {1, 10, 50, 256, 257};

std::vector<std::string> random_words(uint32_t words, Random* random) {
  std::vector<std::string> query;
  for (uint32_t count = 1 + random->below(7); query.size() < count;) {
    query.push_back("w" + std::to_string(random->flip() ? zipf(words, random) : random->below(words)));
  }
  return query;
}

void check_random(size_t items, uint32_t words, size_t files, double dead, uint64_t seed) {
  Random random(seed);
  const Corpus corpus = random_corpus(items, words, 12, &random);
  Parts parts;
  spread(corpus, files, random.flip(), dead, &random, &parts);
  TermsQuery query;
  for (int number = 0; number < 12; ++number) {
    const std::vector<std::string> terms = random_words(words, &random);
    check_query(parts, terms, nullptr, kSizes, &query, &random);
    for (const double share : {0.01, 0.2, 0.9}) {
      std::vector<Bits> allowed;
      for (const Corpus& of_part : parts.corpora) allowed.push_back(random_bits(of_part.size(), share, &random));
      check_query(parts, terms, &allowed, kSizes, &query, &random);
    }
  }
}

PostingList list_of(const TermsView& view, const std::string& term) {
  PostingList list;
  CHECK_OK(view.find(term.data(), term.size(), &list));
  CHECK(list.count > 0);
  return list;
}

std::vector<TermsHit> best_of(const Parts& parts, const std::vector<std::string>& words, int64_t k,
                              const TermsStatistics* statistics = nullptr) {
  const std::vector<QueryTerm> terms = as_terms(words);
  TermsQuery query;
  CHECK_OK(query.prepare(parts.snapshot, terms.data(), terms.size(), nullptr, statistics));
  TermsSearchOptions options;
  options.k = k;
  std::vector<TermsHit> hits;
  CHECK_OK(query.search(options, &hits));
  return hits;
}

void check_same(const std::vector<TermsHit>& hits, const std::vector<TermsHit>& others, size_t count) {
  CHECK_EQUAL(hits.size(), std::min(count, others.size()));
  for (size_t place = 0; place < hits.size(); ++place) {
    CHECK(hits[place].score == others[place].score);
    CHECK_EQUAL(hits[place].part, others[place].part);
    CHECK_EQUAL(hits[place].item, others[place].item);
  }
}

}  // namespace

TEST(finds_what_scoring_every_document_finds) {
  check_random(20000, 60, 1, 0, 1);
  check_random(20000, 300, 1, 0.01, 2);
  check_random(20000, 3000, 1, 0.4, 3);
  check_random(30001, 300, 2, 0.001, 4);
  check_random(8300, 20, 1, 0, 5);
  check_random(9000, 5, 1, 0.999, 6);
}

TEST(statistics_from_outside_may_have_any_average_length) {
  Random random(7);
  Parts parts;
  spread(random_corpus(20000, 300, 12, &random), 1, false, 0, &random, &parts);
  for (int number = 0; number < 10; ++number) {
    const std::vector<std::string> words = random_words(300, &random);
    const std::vector<QueryTerm> terms = as_terms(words);
    TermsQuery query;
    CHECK_OK(query.prepare(parts.snapshot, terms.data(), terms.size()));
    TermsStatistics statistics = query.statistics();
    const double length = statistics.length;
    for (const double factor : {1.0, 0.9, 1.1, 0.01, 100.0, 1.0}) {
      statistics.length = length * factor;
      // More hits than are searched for by ranges.
      const std::vector<TermsHit> all = best_of(parts, words, 100000, &statistics);
      for (const size_t k : {1, 11, 50})
        check_same(best_of(parts, words, static_cast<int64_t>(k), &statistics), all, k);
    }
  }
}

TEST(levels_bound_every_posting) {
  Random random(8);
  const Corpus corpus = random_corpus(9000, 50, 12, &random);
  Parts parts;
  spread(corpus, 1, false, 0, &random, &parts);
  const TermsView& view = parts.views[0];
  const Bm25 scorer(9000, static_cast<double>(view.header().total_length), 10);
  // Documents that are longer or shorter on average than when the levels were made.
  for (const double factor : {0.5, 0.9, 1.0, 1.1, 2.0}) {
    const Bm25 later(9000, static_cast<double>(view.header().total_length) * factor, 10);
    for (const char* term : {"w0", "w1", "w7", "w40"}) {
      const PostingList list = list_of(view, term);
      std::shared_ptr<const RangeMaxima> maxima;
      CHECK_OK(RangeMaxima::build(list, scorer, &maxima));
      CHECK_EQUAL(maxima->is_outdated(later), factor < 0.8 || factor > 1.25);
      std::vector<uint32_t> used(range_count(list.items), 0);
      for (size_t item = 0; item < corpus.size(); ++item) {
        const auto found = corpus[item].terms.find(term);
        if (found == corpus[item].terms.end()) continue;
        const auto range = static_cast<uint32_t>(item / kRangeItems);
        used[range] = 1;
        const double bound = maxima->bound(later, 3.0) * maxima->level(range) / RangeMaxima::kLevels;
        CHECK(bound * (1 + 1e-12) >= 3.0 * later.share(found->second, corpus[item].length));
      }
      std::vector<uint16_t> sums(used.size(), 7);
      maxima->add(100, sums.data());
      for (uint32_t range = 0; range < used.size(); ++range) {
        CHECK_EQUAL(maxima->level(range) > 0, used[range] == 1);
        CHECK_EQUAL(uint32_t{sums[range]}, 7 + 100 * maxima->level(range));
      }
    }
  }
}

TEST(keeps_the_maxima_that_were_used_last) {
  Corpus corpus(1100);
  for (size_t item = 0; item < corpus.size(); ++item) corpus[item] = {{{"t" + std::to_string(item), 1}}, 10};
  Random random(9);
  Parts parts;
  spread(corpus, 1, false, 0, &random, &parts);
  const TermsView& view = parts.views[0];
  const Bm25 scorer(1100, 11000, 1);
  RangeMaximaCache cache;
  const auto find = [&](size_t term) {
    std::shared_ptr<const RangeMaxima> maxima;
    CHECK_OK(cache.find(list_of(view, "t" + std::to_string(term)), scorer, &maxima));
    return maxima;
  };
  const std::shared_ptr<const RangeMaxima> first = find(0);
  const std::shared_ptr<const RangeMaxima> second = find(1);
  for (size_t term = 2; term < 1100; ++term) {
    find(term);
    CHECK(find(0) == first);
  }
  CHECK(find(1) != second);
  // A changed average length replaces them.
  std::shared_ptr<const RangeMaxima> changed;
  CHECK_OK(cache.find(list_of(view, "t0"), Bm25(1100, 22000, 1), &changed));
  CHECK(changed != first);
}

TEST(threads_share_the_maxima_of_a_file) {
  Random random(10);
  Parts parts;
  spread(random_corpus(20000, 100, 12, &random), 1, true, 0.01, &random, &parts);
  std::vector<std::vector<std::string>> queries;
  std::vector<std::vector<TermsHit>> expected;
  for (int number = 0; number < 30; ++number) {
    queries.push_back(random_words(100, &random));
    expected.push_back(best_of(parts, queries.back(), 1000));
  }
  std::vector<std::vector<TermsHit>> found(4 * queries.size());
  std::vector<std::thread> threads;
  for (size_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (size_t number = 0; number < queries.size(); ++number) {
        const size_t place = (number + thread * 7) % queries.size();
        found[thread * queries.size() + place] = best_of(parts, queries[place], 20);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t place = 0; place < found.size(); ++place) check_same(found[place], expected[place % queries.size()], 20);
}

TEST(a_damaged_list_is_corrupt) {
  Random random(11);
  Parts parts;
  spread(random_corpus(9000, 5, 12, &random), 1, false, 0, &random, &parts);
  const PostingList list = list_of(parts.views[0], "w0");
  std::vector<uint8_t> bytes(list.bytes, list.bytes + list.size);
  bytes[posting_directory_bytes(list.count)] = 33;
  PostingList damaged = list;
  damaged.bytes = bytes.data();
  std::shared_ptr<const RangeMaxima> maxima;
  RangeMaximaCache cache;
  CHECK(cache.find(damaged, Bm25(9000, 90000, 1), &maxima).code == StatusCode::corrupt);
}
