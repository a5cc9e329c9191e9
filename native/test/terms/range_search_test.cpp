// Searches by the most that terms can add up to in ranges of items: parts that are large enough, terms that are
// frequent enough.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "support/check.h"
#include "support/generate.h"
#include "support/terms_corpus.h"
#include "terms/postings/range_maxima.h"

using namespace semantic_index_test;

namespace {

const std::vector<int64_t> kSizes = {1, 10, 50, 256, 257};
const std::vector<int64_t> kProductSizes = {1, 5, 20};
/** Sets of factors of each corpus. SEMANTIC_INDEX_TEST_PRODUCTS=100 for a long run. */
const int kProducts = std::getenv("SEMANTIC_INDEX_TEST_PRODUCTS") == nullptr
                          ? 10
                          : std::atoi(std::getenv("SEMANTIC_INDEX_TEST_PRODUCTS"));

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

/** Factors of the items of parts, in the form of the kernel. Stays in place. */
struct PartFactors {
  std::vector<std::vector<double>> values;
  std::vector<FactorLevels> levels;
  std::vector<Bits> sets;
  std::vector<ItemFactors> parts;
};

ItemFactor random_factor(const std::vector<double>& values, const FactorLevels& levels, const Bits& set,
                         Random* random) {
  ItemFactor factor;
  factor.kind = static_cast<FactorKind>(random->below(3));
  factor.items = set_of(set);
  if (factor.kind == FactorKind::set) {
    const double operands[] = {0, 0.2, 1.5, 4, 1e6};
    factor.operand = operands[random->below(5)];
    return factor;
  }
  factor.values = values.data();
  factor.count = values.size();
  if (random->below(8) != 0) levels.attach(&factor);
  if (factor.kind == FactorKind::decay) {
    // Values are below 1000: all may be old, and some in the future.
    factor.operand = 500.0 + random->below(1000);
    const double scales[] = {0.1, 5, 20, 300, 10000};
    factor.scale = scales[random->below(5)];
  } else {
    const double operands[] = {0, 0.5, 1, 3, 1e6};
    factor.operand = operands[random->below(5)];
    factor.scale = 1 + random->below(2000);
  }
  return factor;
}

void make_factors(const Parts& parts, Random* random, PartFactors* made) {
  const double missing = random->below(3) == 0 ? 0.3 : 0;
  const double share = random->flip() ? 0.02 : 0.7;
  for (const Corpus& corpus : parts.corpora) {
    // Some values at the end are lacking altogether.
    made->values.emplace_back(corpus.size() - std::min<size_t>(corpus.size(), random->below(7)));
    const bool is_ordered = random->flip();
    for (size_t item = 0; item < made->values.back().size(); ++item) {
      const bool is_missing = random->below(1000) < missing * 1000;
      const double ordered = static_cast<double>(item) * 1000 / static_cast<double>(corpus.size());
      made->values.back()[item] = is_missing ? std::nan("") : is_ordered ? ordered : random->below(1000);
    }
    made->sets.push_back(random_bits(corpus.size(), share, random));
  }
  const uint64_t seed = random->next();
  const uint32_t count = 1 + random->below(3);
  for (size_t part = 0; part < parts.corpora.size(); ++part) {
    const size_t of_levels[] = {3, 126, kFactorLevels - 1};
    made->levels.emplace_back(made->values[part], of_levels[random->below(3)]);
  }
  for (size_t part = 0; part < parts.corpora.size(); ++part) {
    // The same factors in each part.
    Random own(seed);
    ItemFactors factors;
    for (uint32_t number = 0; number < count; ++number) {
      factors.factors.push_back(random_factor(made->values[part], made->levels[part], made->sets[part], &own));
      if (factors.factors.back().kind != FactorKind::decay) {
        factors.greatest = ItemFactors::bounded(factors.greatest * std::max(1.0, factors.factors.back().operand));
      }
    }
    made->parts.push_back(std::move(factors));
  }
}

/** Compares the best products with those of all matching documents; returns how many searches needed no windows. */
int check_products(const Parts& parts, const std::vector<std::string>& words, const PartFactors& factors,
                   const std::vector<Bits>* allowed) {
  const std::vector<QueryTerm> terms = as_terms(words);
  TermsQuery query;
  CHECK_OK(query.prepare(parts.snapshot, terms.data(), terms.size()));
  std::vector<ItemBits> sets;
  for (size_t part = 0; allowed != nullptr && part < allowed->size(); ++part) sets.push_back(set_of((*allowed)[part]));
  TermsSearchOptions options;
  options.allowed = allowed == nullptr ? nullptr : sets.data();
  options.k = 1000000;
  std::vector<TermsHit> expected;
  CHECK_OK(query.search(options, &expected));
  for (TermsHit& hit : expected) {
    hit.score *= factors.parts[static_cast<size_t>(hit.part)].of(static_cast<uint32_t>(hit.item));
  }
  std::sort(expected.begin(), expected.end(), [](const TermsHit& left, const TermsHit& right) {
    if (left.score != right.score) return left.score > right.score;
    return left.part != right.part ? left.part < right.part : left.item < right.item;
  });
  options.factors = factors.parts.data();
  int by_ranges = 0;
  for (const int64_t k : kProductSizes) {
    options.k = k;
    std::vector<TermsHit> hits;
    TermsWork work;
    CHECK_OK(query.search(options, &hits, &work));
    check_same(hits, expected, static_cast<size_t>(k));
    for (size_t rank = 0; rank < hits.size(); ++rank) CHECK(hits[rank].unboosted == expected[rank].unboosted);
    // Windows count what they complete.
    by_ranges += !hits.empty() && work.candidates == 0 ? 1 : 0;
  }
  return by_ranges;
}

/** Returns how many searches needed no windows. */
int check_random_products(size_t items, uint32_t words, size_t files, bool with_tail, double dead, uint64_t seed) {
  Random random(seed);
  const Corpus corpus = random_corpus(items, words, 12, &random);
  Parts parts;
  spread(corpus, files, with_tail, dead, &random, &parts);
  int by_ranges = 0;
  for (int number = 0; number < kProducts; ++number) {
    PartFactors factors;
    make_factors(parts, &random, &factors);
    const std::vector<std::string> terms = random_words(words, &random);
    by_ranges += check_products(parts, terms, factors, nullptr);
    std::vector<Bits> allowed;
    for (const Corpus& of_part : parts.corpora) allowed.push_back(random_bits(of_part.size(), 0.5, &random));
    by_ranges += check_products(parts, terms, factors, &allowed);
  }
  std::printf("%d by ranges\n", by_ranges);
  return by_ranges;
}

}  // namespace

TEST(finds_the_best_products) {
  int by_ranges = 0;
  by_ranges += check_random_products(40000, 100, 1, false, 0, 31);
  by_ranges += check_random_products(40000, 300, 1, false, 0.01, 32);
  by_ranges += check_random_products(40000, 3000, 1, false, 0.4, 33);
  by_ranges += check_random_products(40001, 300, 2, true, 0.001, 34);
  const int searches = 8 * kProducts * static_cast<int>(kProductSizes.size());
  std::printf("%d of %d searches by ranges alone\n", by_ranges, searches);
  CHECK(by_ranges > searches / 3);
}

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
