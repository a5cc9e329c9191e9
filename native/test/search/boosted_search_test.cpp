// Searches with factors against multiplying the scores of all documents, and queries that are skipped.

#include <functional>

#include "search/search.h"
#include "support/check.h"
#include "support/generate.h"
#include "support/search_world.h"

using namespace semantic_index_test;

namespace {

/** Factors of the documents of a world, in the form of the kernel. Stays in place. */
struct WorldFactors {
  std::vector<std::vector<double>> values;
  std::vector<FactorLevels> levels;
  std::vector<Bits> sets;
  std::vector<ItemFactors> parts;
  /** By document. */
  std::vector<double> of;
};

void make_factors(const World& world, const Built& built, uint32_t kinds, Random* random, WorldFactors* made) {
  made->of.assign(world.size(), 1);
  std::vector<double> of_documents;
  std::vector<bool> in_set;
  for (size_t document = 0; document < world.size(); ++document) {
    of_documents.push_back(random->below(8) == 0 ? std::nan("") : random->below(1000) - 100.0);
    in_set.push_back(random->below(10) == 0);
  }
  for (const std::vector<size_t>& documents : built.documents) {
    made->values.emplace_back();
    made->sets.emplace_back((documents.size() + 31) / 32, 0);
    for (size_t item = 0; item < documents.size(); ++item) {
      made->values.back().push_back(of_documents[documents[item]]);
      if (in_set[documents[item]]) made->sets.back()[item / 32] |= 1u << (item % 32);
    }
  }
  for (size_t part = 0; part < built.documents.size(); ++part) {
    ItemFactors factors;
    const std::vector<double>& values = made->values[part];
    const size_t count = values.size();
    // Few levels, whose factors differ, or one for each value; some parts have none.
    made->levels.emplace_back(values, random->below(2) == 0 ? 3 : kFactorLevels - 1);
    const bool has_levels = random->below(4) != 0;
    if ((kinds & 1) != 0) {
      factors.factors.push_back({FactorKind::decay, 300, 800, values.data(), count, {}});
    }
    if ((kinds & 2) != 0) {
      factors.factors.push_back({FactorKind::saturation, 200, 3, values.data(), count, {}});
      factors.greatest *= 3;
    }
    if ((kinds & 4) != 0) {
      factors.factors.push_back({FactorKind::set, 1, 1.5, nullptr, 0, set_of(made->sets[part])});
      factors.greatest *= 1.5;
    }
    for (ItemFactor& factor : factors.factors) {
      if (has_levels && factor.kind != FactorKind::set) made->levels.back().attach(&factor);
    }
    if ((kinds & 8) != 0) factors.factors.push_back({FactorKind::set, 1, 0, nullptr, 0, set_of(made->sets[part])});
    for (size_t item = 0; item < built.documents[part].size(); ++item) {
      double product = 1;
      const double value = item < count ? values[item] : std::nan("");
      const bool is_set = semantic_index_test::is_set(made->sets[part], item);
      if ((kinds & 1) != 0 && !std::isnan(value)) product *= std::exp2(-std::max(0.0, 800 - value) / 300);
      if ((kinds & 2) != 0 && value > 0) product *= 1 + 2 * (value / (value + 200));
      if ((kinds & 4) != 0 && is_set) product *= 1.5;
      if ((kinds & 8) != 0 && is_set) product = 0;
      made->of[built.documents[part][item]] = ItemFactors::bounded(product);
    }
    made->parts.push_back(std::move(factors));
  }
}

/** The best hits by the products of all documents. */
std::vector<SearchHit> best_products(const World& world, const WorldQuery& query, const WorldScores& scores,
                                     const std::vector<bool>& allowed, const WorldFactors& factors,
                                     const SearchRequest& request) {
  SearchRequest all = request;
  all.k = static_cast<int32_t>(world.size());
  all.depth = all.k;
  std::vector<SearchHit> hits;
  double best = 1;
  double best_by_terms = 0;
  for (size_t number = 0; number < world.size(); ++number) {
    if (!world.alive[number] || !allowed[number]) continue;
    if (query.vector.empty() && scores.by_terms[number] == 0) continue;
    SearchHit hit = {world.keys[number], 0, scores.distances[number], query.has_terms ? scores.by_terms[number] : 0,
                     factors.of[number]};
    if (!query.vector.empty()) best = std::max(best, similarity_of(world.layout, hit.distance));
    best_by_terms = std::max(best_by_terms, hit.term_score);
    hits.push_back(hit);
  }
  const double evidence = scores.evidence(best_by_terms);
  for (SearchHit& hit : hits) {
    const double similarity = query.vector.empty() ? 0 : similarity_of(world.layout, hit.distance);
    const double by_terms = scores.max_score > 0 ? hit.term_score / scores.max_score : 0;
    const double weight = request.vector_weight;
    const double score = query.vector.empty() ? hit.term_score
                         : query.has_terms    ? (1 - weight) * evidence * by_terms + weight * similarity / best
                                              : similarity;
    hit.score = boosted(score, hit.factor);
  }
  std::stable_sort(hits.begin(), hits.end(),
                   [](const SearchHit& left, const SearchHit& right) { return left.score > right.score; });
  hits.resize(std::min(hits.size(), static_cast<size_t>(request.k)));
  if (!query.vector.empty() && query.has_terms) {
    for (SearchHit& hit : hits) hit.score = std::min(hit.factor, std::max(0.0, hit.score));
  }
  return hits;
}

bool is_near(double left, double right) { return std::abs(left - right) <= 1e-9 * (1 + std::abs(left)); }

WorldQuery random_query(const World& world, uint32_t kind, Random* random) {
  WorldQuery query;
  if (kind != 0) query.vector = random_rows(world.layout.metric, 1, world.layout.dimensions, random->next());
  query.has_terms = kind != 1;
  for (uint32_t term = 1 + random->below(5); query.has_terms && term > 0; --term) {
    query.terms.push_back("w" + std::to_string(random->below(100)));
  }
  return query;
}

void check_world(const World& world, const std::vector<PartPlan>& plans, uint64_t seed) {
  Random random(seed);
  Built built;
  build(world, plans, &built);
  for (uint32_t kinds = 1; kinds < 16; kinds += 1 + random.below(3)) {
    WorldFactors factors;
    make_factors(world, built, kinds, &random, &factors);
    for (uint32_t number = 0; number < 6; ++number) {
      const WorldQuery query = random_query(world, number % 3, &random);
      const WorldScores scores = score_world(world, query);
      const std::vector<WorldQuery> queries = {query};
      const KernelQueries kernel = kernel_queries(queries);
      SearchRequest request;
      request.queries = kernel.queries.data();
      request.count = 1;
      request.k = static_cast<int32_t>(1 + random.below(12));
      request.depth = static_cast<int32_t>(world.size());
      request.exact = true;
      request.factors = factors.parts.data();
      std::vector<bool> allowed(world.size(), true);
      std::vector<Bits> sets;
      std::vector<Allowed> filters;
      if (number >= 3) {
        for (size_t document = 0; document < world.size(); ++document) allowed[document] = random.below(3) != 0;
        sets = allowed_by_part(built, allowed);
        for (const Bits& set : sets) {
          Allowed one;
          one.bits = set.data();
          one.words = static_cast<int64_t>(set.size());
          filters.push_back(one);
        }
        request.allowed = filters.data();
      }
      const std::vector<SearchHit> expected = best_products(world, query, scores, allowed, factors, request);
      SearchResult result;
      CHECK_OK(search_snapshot(*built.snapshot, request, &result));
      CHECK_EQUAL(result.hits.size(), expected.size());
      for (size_t rank = 0; rank < expected.size(); ++rank) {
        CHECK(is_near(result.hits[rank].score, expected[rank].score));
        CHECK(is_near(result.hits[rank].factor, expected[rank].factor) ||
              is_near(result.hits[rank].score, expected[rank].score));
      }
      CHECK_EQUAL(static_cast<int>(result.complete[0]), 1);
      // Other searches find as many, each with its true score.
      request.exact = false;
      request.depth = 50;
      CHECK_OK(search_snapshot(*built.snapshot, request, &result));
      CHECK_EQUAL(result.hits.size(), expected.size());
      for (const SearchHit& hit : result.hits) {
        const auto found = std::lower_bound(world.keys.begin(), world.keys.end(), hit.key);
        const auto document = static_cast<size_t>(found - world.keys.begin());
        CHECK(document < world.size() && *found == hit.key && world.alive[document] && allowed[document]);
        CHECK(is_near(hit.factor, factors.of[document]));
      }
      for (size_t rank = 1; rank < result.hits.size(); ++rank) {
        CHECK(result.hits[rank - 1].score >= result.hits[rank].score);
      }
    }
  }
}

}  // namespace

TEST(boosted_hits_are_the_best_products) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    const World world = make_world(seed % 3 == 0 ? Metric::dot : Metric::angular, 12, 300, 0.1, seed);
    check_world(world, {{0, 150, 'g', 'f'}, {150, 220, 'f', 'f'}, {220, 300, 'r', 't'}}, seed);
    check_world(world, {{0, 200, 'f', 'f'}, {200, 300, 'r', '-'}, {200, 300, '-', 't'}}, seed + 100);
  }
}

TEST(a_graph_finds_boosted_documents_beyond_the_nearest) {
  const World world = make_world(Metric::angular, 16, 12000, 0, 11);
  Built built;
  build(world, {{0, 12000, 'g', 'f'}}, &built);
  Random random(12);
  WorldFactors factors;
  make_factors(world, built, 4, &random, &factors);
  size_t found = 0;
  size_t wanted = 0;
  for (int number = 0; number < 60; ++number) {
    const WorldQuery query = random_query(world, 1, &random);
    const std::vector<WorldQuery> queries = {query};
    const KernelQueries kernel = kernel_queries(queries);
    SearchRequest request;
    request.queries = kernel.queries.data();
    request.count = 1;
    request.factors = factors.parts.data();
    SearchResult approximate;
    CHECK_OK(search_snapshot(*built.snapshot, request, &approximate));
    CHECK(!approximate.parts[0].exact);
    request.exact = true;
    request.depth = 12000;
    SearchResult exact;
    CHECK_OK(search_snapshot(*built.snapshot, request, &exact));
    CHECK_EQUAL(approximate.hits.size(), size_t{10});
    for (const SearchHit& hit : exact.hits) {
      ++wanted;
      for (const SearchHit& other : approximate.hits) found += other.key == hit.key ? 1 : 0;
    }
  }
  CHECK(static_cast<double>(found) >= 0.9 * static_cast<double>(wanted));
}

TEST(skips_only_a_query_with_missing_terms) {
  const World world = make_world(Metric::angular, 8, 200, 0.1, 3);
  Built built;
  build(world, {{0, 120, 'g', 'f'}, {120, 200, 'r', 't'}}, &built);
  Random random(4);
  for (uint32_t number = 0; number < 40; ++number) {
    WorldQuery query = random_query(world, number % 2 == 0 ? 0 : 2, &random);
    if (number % 4 < 2) query.terms.push_back("nowhere");
    const std::vector<WorldQuery> queries = {query, query};
    const KernelQueries kernel = kernel_queries(queries);
    SearchRequest request;
    request.queries = kernel.queries.data();
    request.count = 1;
    SearchResult plain;
    CHECK_OK(search_snapshot(*built.snapshot, request, &plain));
    request.skips_missing = true;
    SearchResult skipping;
    CHECK_OK(search_snapshot(*built.snapshot, request, &skipping));
    CHECK_EQUAL(skipping.missing_terms[0], plain.missing_terms[0]);
    CHECK(skipping.max_scores[0] == plain.max_scores[0]);
    if (number % 4 < 2) CHECK(plain.missing_terms[0] > 0);
    CHECK_EQUAL(skipping.hits.size(), plain.missing_terms[0] > 0 ? size_t{0} : plain.hits.size());
    for (size_t rank = 0; rank < skipping.hits.size(); ++rank) {
      CHECK_EQUAL(skipping.hits[rank].key, plain.hits[rank].key);
      CHECK(skipping.hits[rank].score == plain.hits[rank].score);
    }
    // Several queries are all answered.
    request.count = 2;
    CHECK_OK(search_snapshot(*built.snapshot, request, &skipping));
    CHECK_EQUAL(skipping.counts[0], plain.counts[0]);
    CHECK_EQUAL(skipping.counts[1], plain.counts[0]);
  }
}
