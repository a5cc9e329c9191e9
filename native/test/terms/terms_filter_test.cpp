// Documents by required and excluded terms, and terms that count as one, against looking at every document.

#include "terms/query/terms_filter.h"

#include <set>

#include "support/check.h"
#include "support/terms_corpus.h"
#include "terms/query/term_look_up.h"

using namespace semantic_index_test;

namespace {

std::string word(uint32_t number) { return "w" + std::to_string(number); }

TermBytes bytes_of(const std::string& term) { return {term.data(), term.size()}; }

std::vector<TermBytes> bytes_of(const std::vector<std::string>& terms) {
  std::vector<TermBytes> bytes;
  for (const std::string& term : terms) bytes.push_back(bytes_of(term));
  return bytes;
}

std::vector<std::string> random_words(uint32_t words, uint32_t most, Random* random) {
  std::vector<std::string> chosen;
  for (uint32_t count = random->below(most + 1); chosen.size() < count;) {
    // Some do not exist; some come twice.
    chosen.push_back(word(random->flip() ? zipf(words, random) : random->below(words + 3)));
  }
  return chosen;
}

bool has(const Document& document, const std::string& term) { return document.terms.count(term) > 0; }

void random_parts(uint64_t seed, size_t items, uint32_t words, uint32_t longest, Random* random, Parts* parts) {
  const size_t files = random->below(4);
  const double dead = seed % 3 == 0 ? 0.3 : 0;
  spread(random_corpus(items, words, longest, random), files, files == 0 || random->flip(), dead, random, parts);
}

}  // namespace

TEST(filters_as_looking_at_every_document_does) {
  size_t matching_items = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    const uint32_t words = 1 + random.below(seed % 4 == 0 ? 500 : 30);
    Parts parts;
    random_parts(seed, random.below(1200), words, 30, &random, &parts);
    std::vector<Bits> allowed;
    std::vector<ItemBits> sets;
    for (const Corpus& corpus : parts.corpora) allowed.push_back(random_bits(corpus.size(), 0.6, &random));
    for (const Bits& bits : allowed) sets.push_back(set_of(bits));
    for (int number = 0; number < 30; ++number) {
      const std::vector<std::string> required = random_words(words, 4, &random);
      const std::vector<std::string> excluded = random_words(words, 3, &random);
      const bool is_limited = random.flip();
      TermsFilter filter;
      filter.required = bytes_of(required);
      filter.excluded = bytes_of(excluded);
      if (is_limited) filter.allowed = sets.data();
      std::vector<std::vector<uint32_t>> matching;
      int32_t failed = -1;
      CHECK_OK(filter_by_terms(parts.snapshot, filter, &matching, &failed));
      CHECK_EQUAL(matching.size(), parts.corpora.size());
      for (size_t part = 0; part < parts.corpora.size(); ++part) {
        for (size_t item = 0; item < matching[part].size() * 32; ++item) {
          bool expected = item < parts.corpora[part].size() && !is_set(parts.dead[part], item) &&
                          (!is_limited || is_set(allowed[part], item));
          for (const std::string& term : required) expected = expected && has(parts.corpora[part][item], term);
          for (const std::string& term : excluded) expected = expected && !has(parts.corpora[part][item], term);
          CHECK_EQUAL(is_set(matching[part], item), expected);
          matching_items += expected ? 1 : 0;
        }
        CHECK(matching[part].size() * 32 >= parts.corpora[part].size());
      }
    }
  }
  CHECK(matching_items > 10000);
}

TEST(a_raised_flag_cancels_a_filter) {
  Random random(2);
  Parts parts;
  random_parts(1, 3000, 5, 30, &random, &parts);
  const std::atomic<bool> raised{true};
  TermsFilter filter;
  const std::string common = word(0);
  filter.required = {bytes_of(common)};
  filter.cancel = &raised;
  std::vector<std::vector<uint32_t>> matching;
  int32_t failed = -1;
  CHECK(filter_by_terms(parts.snapshot, filter, &matching, &failed).code == StatusCode::cancelled);
}

TEST(joined_terms_count_as_one_term_of_all_their_documents) {
  for (uint64_t seed = 1; seed <= 24; ++seed) {
    Random random(seed);
    const uint32_t words = 2 + random.below(80);
    Parts parts;
    random_parts(seed, random.below(1500), words, 25, &random, &parts);
    for (int number = 0; number < 12; ++number) {
      std::set<std::string> members;
      for (uint32_t count = 2 + random.below(5); members.size() < count && members.size() < words;) {
        members.insert(word(random.below(words)));
      }
      // The same documents, in which the members are one term.
      const std::string name = "united";
      Parts united;
      for (size_t part = 0; part < parts.corpora.size(); ++part) {
        Corpus corpus = parts.corpora[part];
        for (Document& document : corpus) {
          uint32_t sum = 0;
          for (const std::string& member : members) {
            const auto found = document.terms.find(member);
            if (found != document.terms.end()) sum += found->second;
          }
          if (sum > 0) document.terms[name] = std::min(sum, kMaxTermFrequency);
        }
        united.corpora.push_back(corpus);
        united.dead.push_back(parts.dead[part]);
        united.files.push_back(std::make_unique<MemoryBlock>());
        build_file(corpus, united.files.back().get());
      }
      united.views.resize(united.files.size());
      for (size_t part = 0; part < united.files.size(); ++part) {
        united.views[part] = view_of(*united.files[part]);
        united.parts.push_back(TermsPart::of(united.views[part], set_of(united.dead[part])));
        CHECK_OK(united.snapshot.add(united.parts.back()));
      }
      const std::string other = word(random.below(words));
      std::vector<QueryTerm> joined;
      for (const std::string& member : members) {
        QueryTerm term = {bytes_of(member), 2};
        term.joins = !joined.empty();
        joined.push_back(term);
      }
      const std::vector<QueryTerm> single = {{bytes_of(name), 2}, {bytes_of(other), 1}};
      // In either place.
      if (random.flip())
        joined.push_back({bytes_of(other), 1});
      else
        joined.insert(joined.begin(), {bytes_of(other), 1});
      TermsQuery left;
      TermsQuery right;
      CHECK_OK(left.prepare(parts.snapshot, joined.data(), joined.size()));
      CHECK_OK(right.prepare(united.snapshot, single.data(), single.size()));
      TermsSearchOptions options;
      options.k = 1 + random.below(2000);
      std::vector<TermsHit> found;
      std::vector<TermsHit> expected;
      CHECK_OK(left.search(options, &found));
      CHECK_OK(right.search(options, &expected));
      CHECK_EQUAL(found.size(), expected.size());
      CHECK(std::abs(left.max_score() - right.max_score()) <= 1e-12 * right.max_score());
      CHECK_EQUAL(left.missing_terms(), right.missing_terms());
      for (size_t rank = 0; rank < found.size(); ++rank) {
        CHECK_EQUAL(found[rank].part, expected[rank].part);
        CHECK_EQUAL(found[rank].item, expected[rank].item);
        CHECK(found[rank].score == expected[rank].score);
      }
    }
  }
}

TEST(finds_the_terms_that_begin_with_a_prefix) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    const uint32_t words = 1 + random.below(2000);
    Parts parts;
    random_parts(seed, random.below(800), words, 20, &random, &parts);
    for (int number = 0; number < 20; ++number) {
      std::string prefix = word(random.below(words));
      prefix.resize(random.below(static_cast<uint32_t>(prefix.size() + 1)));
      std::map<std::string, int64_t> counts;
      for (size_t part = 0; part < parts.corpora.size(); ++part) {
        for (size_t item = 0; item < parts.corpora[part].size(); ++item) {
          if (is_set(parts.dead[part], item)) continue;
          for (const auto& [term, frequency] : parts.corpora[part][item].terms) {
            if (term.compare(0, prefix.size(), prefix) == 0) ++counts[term];
          }
        }
      }
      TermLookUp request;
      request.term = bytes_of(prefix);
      request.is_prefix = true;
      request.limit = 1 + random.below(30);
      request.sample = random.below(4);
      std::vector<FoundTerm> found;
      bool is_cut = false;
      int32_t failed = -1;
      CHECK_OK(look_up_terms(parts.snapshot, request, &found, &is_cut, &failed));
      std::vector<std::pair<std::string, int64_t>> expected(counts.begin(), counts.end());
      std::stable_sort(expected.begin(), expected.end(),
                       [](const auto& left, const auto& right) { return left.second > right.second; });
      CHECK_EQUAL(is_cut, expected.size() > request.limit);
      CHECK_EQUAL(found.size(), std::min(expected.size(), request.limit));
      for (size_t place = 0; place < found.size(); ++place) {
        CHECK_EQUAL(found[place].term, expected[place].first);
        CHECK_EQUAL(found[place].documents, expected[place].second);
        CHECK_EQUAL(found[place].sample.size(),
                    std::min<size_t>(request.sample, static_cast<size_t>(found[place].documents)));
        for (const TermDocument& document : found[place].sample) {
          CHECK(has(parts.corpora[static_cast<size_t>(document.part)][static_cast<size_t>(document.item)],
                    found[place].term));
        }
      }
    }
  }
}
