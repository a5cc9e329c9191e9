// The best documents by postings with keys are those of scoring every document, for any number of hits and left-out
// keys.

#include "terms/postings/keyed_postings.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/random.h"
#include "support/check.h"
#include "terms/postings/bm25.h"

using namespace semantic_index;

namespace {

struct List {
  std::vector<double> keys;
  std::vector<uint32_t> frequencies;
  std::vector<uint32_t> lengths;
  double weight = 0;
};

struct Collection {
  std::vector<List> lists;
  std::map<double, uint32_t> lengths;
  double total_length = 0;
  double total_weight = 0;

  std::vector<KeyedPostings> postings() const {
    std::vector<KeyedPostings> views;
    for (const List& list : lists) {
      views.push_back({list.keys.data(), list.frequencies.data(), list.lengths.data(), list.keys.size(), list.weight});
    }
    return views;
  }

  Bm25 bm25() const { return Bm25(static_cast<double>(lengths.size()), total_length, total_weight); }
};

/** Lists of very different lengths; keys with gaps, some above 2^32; many equal scores where lengths are few. */
Collection random_collection(Random* random) {
  Collection collection;
  double key = 0;
  const uint32_t documents = 1 + random->below(400);
  const uint32_t kinds = 1 + random->below(30);
  for (uint32_t document = 0; document < documents; ++document) {
    key += 1 + random->below(5);
    if (document == documents / 2) key += 1e10;
    collection.lengths[key] = 1 + random->below(kinds);
  }
  for (const auto& document : collection.lengths) collection.total_length += document.second;
  const uint32_t terms = random->below(9);
  for (uint32_t term = 0; term < terms; ++term) {
    List list;
    const uint32_t share = 1 + random->below(40);
    for (const auto& document : collection.lengths) {
      if (random->below(share) != 0) continue;
      list.keys.push_back(document.first);
      list.frequencies.push_back(1 + random->below(3));
      list.lengths.push_back(document.second);
    }
    list.weight = 1.0 / (1 + random->below(200));
    collection.total_weight += list.weight;
    collection.lists.push_back(std::move(list));
  }
  return collection;
}

std::vector<KeyedScore> brute_force(const Collection& collection, const std::set<double>& without) {
  std::vector<KeyedScore> hits;
  for (const auto& document : collection.lengths) {
    double score = 0;
    for (const List& list : collection.lists) {
      const auto found = std::find(list.keys.begin(), list.keys.end(), document.first);
      if (found == list.keys.end()) continue;
      const size_t place = static_cast<size_t>(found - list.keys.begin());
      score += collection.bm25().score(list.weight, list.frequencies[place], list.lengths[place]);
    }
    if (score > 0 && without.count(document.first) == 0) hits.push_back({document.first, score});
  }
  return hits;
}

bool are_equal(const std::vector<KeyedScore>& left, const std::vector<KeyedScore>& right) {
  return std::equal(
      left.begin(), left.end(), right.begin(), right.end(),
      [](const KeyedScore& one, const KeyedScore& other) { return one.key == other.key && one.score == other.score; });
}

}  // namespace

TEST(ranks_like_scoring_every_document) {
  Random random(7);
  for (int round = 0; round < 2000; ++round) {
    const Collection collection = random_collection(&random);
    std::set<double> without;
    for (const auto& document : collection.lengths) {
      if (round % 3 == 0 && random.below(6) == 0) without.insert(document.first);
    }
    const std::vector<double> left_out(without.begin(), without.end());
    std::vector<KeyedScore> expected = brute_force(collection, without);
    CHECK(are_equal(all_by_terms(collection.postings(), collection.bm25(), left_out, nullptr), expected));
    std::sort(expected.begin(), expected.end(), [](const KeyedScore& left, const KeyedScore& right) {
      return left.score != right.score ? left.score > right.score : left.key < right.key;
    });
    const size_t limit = random.below(30);
    expected.resize(std::min(limit, expected.size()));
    CHECK(are_equal(best_by_terms(collection.postings(), collection.bm25(), limit, left_out, nullptr), expected));
  }
}

TEST(scores_documents_by_their_keys) {
  Random random(8);
  for (int round = 0; round < 200; ++round) {
    const Collection collection = random_collection(&random);
    std::vector<double> keys = {-1, 0.5, 1e15};
    for (const auto& document : collection.lengths) keys.push_back(document.first);
    std::reverse(keys.begin(), keys.end());
    std::vector<double> scores(keys.size(), -1);
    scores_of_keys(collection.postings(), collection.bm25(), keys.data(), keys.size(), scores.data());
    std::map<double, double> expected;
    for (const KeyedScore& hit : brute_force(collection, {})) expected[hit.key] = hit.score;
    for (size_t place = 0; place < keys.size(); ++place) CHECK(scores[place] == expected[keys[place]]);
  }
}

TEST(ends_when_it_is_cancelled) {
  List list;
  for (int key = 1; key <= 100000; ++key) {
    list.keys.push_back(key);
    list.frequencies.push_back(1);
    list.lengths.push_back(1);
  }
  const std::vector<KeyedPostings> terms = {
      {list.keys.data(), list.frequencies.data(), list.lengths.data(), list.keys.size(), 1.0}};
  const std::atomic<bool> cancelled{true};
  CHECK(all_by_terms(terms, Bm25(100000, 100000, 1), {}, &cancelled).size() < 10000);
  CHECK(all_by_terms(terms, Bm25(100000, 100000, 1), {}, nullptr).size() == 100000);
}
