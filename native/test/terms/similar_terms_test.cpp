// Look-ups of similar terms against comparing every term of every document.

#include <set>

#include "support/check.h"
#include "support/terms_corpus.h"
#include "terms/exact_form.h"
#include "terms/query/edit_distance.h"
#include "terms/query/term_look_up.h"

using namespace semantic_index_test;

namespace {

/** Optimal string alignment over the whole table. */
uint32_t distance_of(const std::vector<uint32_t>& left, const std::vector<uint32_t>& right) {
  std::vector<std::vector<uint32_t>> table(left.size() + 1, std::vector<uint32_t>(right.size() + 1, 0));
  for (uint32_t row = 0; row <= left.size(); ++row) {
    for (uint32_t column = 0; column <= right.size(); ++column) {
      uint32_t& best = table[row][column];
      best = row == 0 || column == 0 ? row + column : UINT32_MAX;
      if (row == 0 || column == 0) continue;
      best = std::min(table[row - 1][column], table[row][column - 1]) + 1;
      best = std::min(best, table[row - 1][column - 1] + (left[row - 1] == right[column - 1] ? 0 : 1));
      if (row > 1 && column > 1 && left[row - 1] == right[column - 2] && left[row - 2] == right[column - 1]) {
        best = std::min(best, table[row - 2][column - 2] + 1);
      }
    }
  }
  return table[left.size()][right.size()];
}

std::vector<uint32_t> characters_of(const std::string& term) {
  std::vector<uint32_t> characters;
  CHECK(decode_utf8(reinterpret_cast<const uint8_t*>(term.data()), term.size(), &characters));
  return characters;
}

TermBytes bytes_of(const std::string& term) { return {term.data(), term.size()}; }

/** A word of few letters of one of several scripts: words are near each other. */
std::string random_word(Random* random) {
  static const std::vector<std::vector<std::string>> kScripts = {
      {"a", "b", "c", "e", "t", "s"}, {"a", "б", "в", "и", "о"}, {"é", "ü", "x", "y"}, {"山", "水", "𝕏", "a"}};
  const std::vector<std::string>& letters = kScripts[random->below(16) == 0 ? random->below(4) : random->below(2)];
  std::string word;
  for (uint32_t size = 1 + random->below(random->below(20) == 0 ? 70 : 9); size > 0; --size) {
    word += letters[random->below(static_cast<uint32_t>(letters.size()))];
  }
  if (random->below(4) == 0) word.insert(0, reinterpret_cast<const char*>(kExactFormMark), sizeof kExactFormMark);
  return word;
}

Corpus corpus_of_words(size_t items, uint32_t words, Random* random) {
  std::vector<std::string> vocabulary;
  for (uint32_t word = 0; word < words; ++word) vocabulary.push_back(random_word(random));
  Corpus corpus(items);
  for (Document& document : corpus) {
    for (uint32_t count = random->below(12); count > 0; --count) ++document.terms[vocabulary[zipf(words, random)]];
    document.length = 10;
  }
  return corpus;
}

/** What comparing every term finds. */
std::vector<FoundTerm> compare_all(const Parts& parts, const std::string& wanted, const TermLookUp& request,
                                   const std::vector<Bits>* allowed) {
  std::map<std::string, int64_t> counts;
  std::set<std::string> living;
  for (size_t part = 0; part < parts.corpora.size(); ++part) {
    for (size_t item = 0; item < parts.corpora[part].size(); ++item) {
      if (is_set(parts.dead[part], item)) continue;
      for (const auto& [term, frequency] : parts.corpora[part][item].terms) {
        living.insert(term);
        if (allowed == nullptr || is_set((*allowed)[part], item)) ++counts[term];
      }
    }
  }
  const std::vector<uint32_t> characters = characters_of(wanted);
  std::vector<FoundTerm> found;
  for (const auto& [term, count] : counts) {
    if (living.count(wanted) > 0 && term != wanted) continue;
    const std::vector<uint32_t> others = characters_of(term);
    if (is_exact_form(term.data(), term.size()) != is_exact_form(wanted.data(), wanted.size())) continue;
    if (request.same_first && others[0] != characters[0]) continue;
    if (characters.size() > 64 && term != wanted) continue;
    const uint32_t distance = distance_of(characters, others);
    if (distance > request.max_distance) continue;
    FoundTerm one;
    one.term = term;
    one.distance = distance;
    one.documents = count;
    found.push_back(one);
  }
  std::sort(found.begin(), found.end(), [](const FoundTerm& left, const FoundTerm& right) {
    if (left.distance != right.distance) return left.distance < right.distance;
    if (left.documents != right.documents) return left.documents > right.documents;
    return left.term < right.term;
  });
  return found;
}

void check_look_up(const Parts& parts, const std::string& wanted, TermLookUp request,
                   const std::vector<Bits>* allowed) {
  std::vector<FoundTerm> expected = compare_all(parts, wanted, request, allowed);
  const bool is_cut = expected.size() > request.limit;
  if (is_cut) expected.resize(request.limit);
  std::vector<ItemBits> sets;
  for (size_t part = 0; allowed != nullptr && part < allowed->size(); ++part) sets.push_back(set_of((*allowed)[part]));
  request.term = bytes_of(wanted);
  request.allowed = allowed == nullptr ? nullptr : sets.data();
  std::vector<FoundTerm> found;
  bool found_cut = false;
  int32_t failed = -1;
  CHECK_OK(look_up_terms(parts.snapshot, request, &found, &found_cut, &failed));
  CHECK_EQUAL(found.size(), expected.size());
  CHECK_EQUAL(found_cut, is_cut);
  for (size_t place = 0; place < found.size(); ++place) {
    CHECK_EQUAL(found[place].term, expected[place].term);
    CHECK_EQUAL(found[place].distance, expected[place].distance);
    CHECK_EQUAL(found[place].documents, expected[place].documents);
  }
}

}  // namespace

TEST(finds_the_similar_terms_that_comparing_every_term_finds) {
  size_t similar = 0;
  for (uint64_t seed = 1; seed <= 24; ++seed) {
    Random random(seed);
    const uint32_t words = 1 + random.below(seed % 3 == 0 ? 1500 : 200);
    const Corpus corpus = corpus_of_words(random.below(400), words, &random);
    Parts parts;
    const size_t files = random.below(4);
    spread(corpus, files, files == 0 || random.flip(), seed % 4 == 0 ? 0.3 : 0, &random, &parts);
    std::vector<Bits> allowed;
    for (const Corpus& of_part : parts.corpora) allowed.push_back(random_bits(of_part.size(), 0.5, &random));
    for (int number = 0; number < 40; ++number) {
      TermLookUp request;
      request.max_distance = random.below(4);
      request.same_first = random.below(3) == 0;
      request.limit = random.flip() ? 1 : 1 + random.below(50);
      const std::string wanted = random_word(&random);
      check_look_up(parts, wanted, request, random.below(3) == 0 ? &allowed : nullptr);
      similar += compare_all(parts, wanted, request, nullptr).size();
    }
  }
  CHECK(similar > 500);
}

TEST(signatures_pass_all_terms_within_the_distance) {
  Random random(7);
  size_t near = 0;
  size_t passing = 0;
  for (int number = 0; number < 30000; ++number) {
    const std::string left = random_word(&random);
    const std::string right = random_word(&random);
    const uint32_t distance = distance_of(characters_of(left), characters_of(right));
    const uint32_t max_distance = random.below(4);
    const SignatureFilter filter(TermSignature::of(left.data(), left.size()), max_distance);
    const bool passes = filter.passes(TermSignature::of(right.data(), right.size()));
    CHECK(passes || distance > max_distance);
    near += distance <= max_distance ? 1 : 0;
    passing += passes ? 1 : 0;
  }
  CHECK(near > 100);
  CHECK(passing < 15000);
}

TEST(signatures_of_what_is_not_utf8_pass_nothing) {
  const SignatureFilter filter(TermSignature::of("abcd", 4), 2);
  CHECK(
      !filter.passes(TermSignature::of("ab\xff"
                                       "d",
                                       4)));
  CHECK(!filter.passes(TermSignature::of("abc\xc3", 4)));
  CHECK(!filter.passes(TermSignature::of("", 0)));
}
