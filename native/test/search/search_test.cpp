// The search of a whole snapshot against the definition of its answer.

#include "search/search.h"

#include <cstring>
#include <functional>
#include <mutex>
#include <set>
#include <thread>

#include "support/check.h"
#include "support/generate.h"
#include "support/search_world.h"

using namespace semantic_index_test;

namespace {

constexpr int32_t kDimensions = 12;

std::vector<WorldQuery> random_queries(const World& world, size_t count, Random* random) {
  const std::vector<float> vectors =
      random_rows(world.layout.metric, static_cast<int64_t>(count), world.layout.dimensions, random->next());
  std::vector<WorldQuery> queries(count);
  for (size_t index = 0; index < count; ++index) {
    const uint32_t kind = random->below(4);
    if (kind != 0) {
      const auto begin = vectors.begin() + static_cast<std::ptrdiff_t>(index) * world.layout.dimensions;
      queries[index].vector.assign(begin, begin + world.layout.dimensions);
    }
    queries[index].has_terms = kind != 1;
    for (uint32_t term = random->below(6); queries[index].has_terms && term > 0; --term) {
      queries[index].terms.push_back("w" + std::to_string(random->below(140)));
    }
  }
  return queries;
}

SearchRequest request_of(const KernelQueries& kernel) {
  SearchRequest request;
  request.queries = kernel.queries.data();
  request.count = static_cast<int64_t>(kernel.queries.size());
  return request;
}

void check_hits(const SearchHit* found, size_t count, const std::vector<SearchHit>& expected) {
  CHECK_EQUAL(count, expected.size());
  for (size_t rank = 0; rank < count; ++rank) {
    CHECK_EQUAL(found[rank].key, expected[rank].key);
    CHECK(found[rank].score == expected[rank].score);
    CHECK(std::memcmp(&found[rank].distance, &expected[rank].distance, sizeof(float)) == 0 ||
          (std::isnan(found[rank].distance) && std::isnan(expected[rank].distance)));
    CHECK(found[rank].term_score == expected[rank].term_score);
  }
}

/** Searches and compares everything with the definition. */
void check_search(const World& world, const Built& built, const std::vector<WorldQuery>& queries, SearchRequest request,
                  const std::vector<bool>* filter) {
  const KernelQueries kernel = kernel_queries(queries);
  request.queries = kernel.queries.data();
  request.count = static_cast<int64_t>(queries.size());
  const std::vector<bool> all(world.size(), true);
  const std::vector<Bits> sets = allowed_by_part(built, filter == nullptr ? all : *filter);
  std::vector<Allowed> allowed;
  for (const Bits& bits : sets) allowed.push_back({bits.data(), static_cast<int64_t>(bits.size())});
  if (filter != nullptr) request.allowed = allowed.data();
  SearchResult result;
  CHECK_OK(search_snapshot(*built.snapshot, request, &result));
  CHECK_EQUAL(result.counts.size(), queries.size());
  const SearchHit* at = result.hits.data();
  for (size_t index = 0; index < queries.size(); ++index) {
    const WorldScores scores = score_world(world, queries[index]);
    const auto count = static_cast<size_t>(result.counts[index]);
    check_hits(at, count, expected_hits(world, queries[index], scores, filter == nullptr ? all : *filter, request));
    CHECK(std::abs(result.max_scores[index] - scores.max_score) <= 1e-12 * scores.max_score);
    at += count;
  }
  CHECK_EQUAL(at - result.hits.data(), static_cast<std::ptrdiff_t>(result.hits.size()));
  for (const PartReport& report : result.parts) CHECK(!report.changed);
}

std::vector<std::vector<PartPlan>> plans_of(size_t size) {
  const size_t a = size / 4;
  const size_t b = size / 2;
  return {
      {{0, size, 'f', 'f'}},
      {{0, a, 'f', 'f'}, {a, b, 'r', 'f'}, {b, size, 'r', 't'}},
      // Vectors and terms in parts of their own.
      {{0, b, 'f', '-'}, {0, a, '-', 'f'}, {b, size, 'r', '-'}, {a, size, '-', 't'}},
      {{0, 0, 'r', 't'}, {0, size, 'f', 'f'}, {size, size, '-', 'f'}},
  };
}

}  // namespace

TEST(an_exact_search_is_what_its_definition_says) {
  Random random(1);
  for (const Metric metric : kMetrics) {
    for (const double dead : {0.0, 0.2}) {
      const World world = make_world(metric, kDimensions, 400, dead, random.next());
      for (const std::vector<PartPlan>& plan : plans_of(world.size())) {
        Built built;
        build(world, plan, &built);
        for (const double share : {1.0, 0.3, 0.01}) {
          std::vector<bool> filter(world.size());
          for (size_t number = 0; number < world.size(); ++number) filter[number] = random.below(1000) < share * 1000;
          SearchRequest request;
          request.exact = true;
          request.k = 1 + static_cast<int32_t>(random.below(30));
          request.depth = 1 + static_cast<int32_t>(random.below(60));
          request.threads = 1 + static_cast<int>(random.below(4));
          request.vector_weight = static_cast<double>(random.below(5)) / 4;
          const std::vector<WorldQuery> queries = random_queries(world, 1 + random.below(40), &random);
          check_search(world, built, queries, request, share == 1.0 ? nullptr : &filter);
        }
      }
    }
  }
}

TEST(few_allowed_documents_are_all_found) {
  Random random(2);
  World world = make_world(Metric::angular, kDimensions, 6000, 0.1, 7);
  Built built;
  build(world, {{0, 5000, 'f', 'f'}, {5000, 6000, 'r', 't'}}, &built);
  for (const double share : {0.5, 0.01, 0.001, 0.0}) {
    std::vector<bool> filter(world.size());
    for (size_t number = 0; number < world.size(); ++number) filter[number] = random.below(10000) < share * 10000;
    SearchRequest request;
    request.k = 20;
    if (share == 0.5) request.exact = true;
    check_search(world, built, random_queries(world, 6, &random), request, &filter);
  }
}

TEST(an_approximate_search_scores_what_it_finds_by_both_sides) {
  Random random(3);
  const World world = make_world(Metric::angular, kDimensions, 9000, 0.05, 8);
  Built built;
  build(world, {{0, 8000, 'g', 'f'}, {8000, 9000, 'r', 't'}}, &built);
  const std::vector<WorldQuery> queries = random_queries(world, 30, &random);
  const KernelQueries kernel = kernel_queries(queries);
  const SearchRequest request = request_of(kernel);
  SearchResult result;
  CHECK_OK(search_snapshot(*built.snapshot, request, &result));
  CHECK(result.parts[0].searched && !result.parts[0].exact);
  CHECK(result.parts[1].searched && result.parts[1].exact);
  const SearchHit* at = result.hits.data();
  size_t found = 0;
  size_t wanted = 0;
  for (size_t index = 0; index < queries.size(); ++index) {
    const WorldScores scores = score_world(world, queries[index]);
    const std::vector<bool> all(world.size(), true);
    const std::vector<SearchHit> expected = expected_hits(world, queries[index], scores, all, request);
    CHECK_EQUAL(static_cast<size_t>(result.counts[index]), expected.size());
    std::set<int64_t> keys;
    for (const SearchHit& hit : expected) keys.insert(hit.key);
    for (size_t rank = 0; rank < expected.size(); ++rank, ++at) {
      const auto number =
          static_cast<size_t>(std::lower_bound(world.keys.begin(), world.keys.end(), at->key) - world.keys.begin());
      CHECK(world.alive[number]);
      if (queries[index].has_terms) CHECK(at->term_score == scores.by_terms[number]);
      if (!queries[index].vector.empty()) CHECK(at->distance == scores.distances[number]);
      found += keys.count(at->key);
    }
    wanted += expected.size();
  }
  CHECK(static_cast<double>(found) > 0.95 * static_cast<double>(wanted));
}

TEST(the_answer_does_not_depend_on_threads_or_on_the_batch) {
  Random random(4);
  const World world = make_world(Metric::euclidean, kDimensions, 5000, 0.1, 9);
  Built built;
  build(world, {{0, 4500, 'g', 'f'}, {4500, 5000, 'r', 't'}}, &built);
  const std::vector<WorldQuery> queries = random_queries(world, 50, &random);
  const KernelQueries kernel = kernel_queries(queries);
  SearchRequest request = request_of(kernel);
  request.threads = 1;
  SearchResult alone;
  CHECK_OK(search_snapshot(*built.snapshot, request, &alone));
  request.threads = 5;
  SearchResult together;
  CHECK_OK(search_snapshot(*built.snapshot, request, &together));
  CHECK(alone.counts == together.counts);
  check_hits(together.hits.data(), together.hits.size(), alone.hits);
}

namespace {

std::mutex helpers_mutex;
std::vector<std::thread> helpers;

/** Every third job finds no idle thread. */
bool run_beside(std::function<void()> job) {
  const std::lock_guard<std::mutex> lock(helpers_mutex);
  static int calls = 0;
  if (++calls % 3 == 0) return false;
  helpers.emplace_back(std::move(job));
  return true;
}

}  // namespace

TEST(parts_are_searched_by_several_threads_at_once) {
  Random random(15);
  const World world = make_world(Metric::angular, kDimensions, 6000, 0.1, 16);
  Built built;
  build(world, {{0, 2000, 'g', 'f'}, {2000, 4500, 'g', 'f'}, {4500, 5500, 'f', 'f'}, {5500, 6000, 'r', 't'}}, &built);
  for (int round = 0; round < 30; ++round) {
    SearchRequest request;
    request.exact = true;
    request.k = 1 + static_cast<int32_t>(random.below(20));
    request.run_if_idle = run_beside;
    check_search(world, built, random_queries(world, 1 + random.below(2), &random), request, nullptr);
  }
  // Without waiting for them: a helper that comes late finds the search long over.
  for (std::thread& helper : helpers) helper.join();
  CHECK(helpers.size() > 10);
  helpers.clear();
}

TEST(searches_run_at_once) {
  Random random(5);
  const World world = make_world(Metric::angular, kDimensions, 3000, 0.1, 10);
  Built built;
  build(world, {{0, 2500, 'g', 'f'}, {2500, 3000, 'r', 't'}}, &built);
  std::vector<std::thread> threads;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      Random own(seed);
      SearchRequest request;
      request.exact = true;
      for (int round = 0; round < 5; ++round) {
        check_search(world, built, random_queries(world, 3, &own), request, nullptr);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(a_raised_flag_ends_a_search) {
  Random random(6);
  const World world = make_world(Metric::angular, kDimensions, 500, 0, 11);
  Built built;
  build(world, {{0, 500, 'f', 'f'}}, &built);
  const std::vector<WorldQuery> queries = random_queries(world, 40, &random);
  const KernelQueries kernel = kernel_queries(queries);
  const std::atomic<bool> cancel{true};
  SearchRequest request = request_of(kernel);
  request.cancel = &cancel;
  SearchResult result;
  CHECK(search_snapshot(*built.snapshot, request, &result).code == StatusCode::cancelled);
}

TEST(damaged_terms_name_their_part) {
  const World world = make_world(Metric::angular, kDimensions, 2000, 0, 12);
  Built built;
  build(world, {{0, 1000, 'f', 'f'}, {1000, 2000, 'f', 'f'}}, &built);
  const TermsHeader header = view_of(*built.files[1]).header();
  const SectionRange& dictionary = header.sections[static_cast<size_t>(TermsSection::dictionary)];
  std::memset(built.files[1]->data() + dictionary.offset, 0xff, static_cast<size_t>(dictionary.bytes));
  std::vector<WorldQuery> queries(1);
  queries[0].vector.assign(kDimensions, 0.5f);
  queries[0].has_terms = true;
  queries[0].terms = {"w1", "w5"};
  const KernelQueries kernel = kernel_queries(queries);
  const SearchRequest request = request_of(kernel);
  SearchResult result;
  CHECK(search_snapshot(*built.snapshot, request, &result).code == StatusCode::corrupt);
  CHECK_EQUAL(result.failed_part, 1);
  CHECK(result.failed_side == PartSide::terms);
}

TEST(parts_that_do_not_fit_are_refused) {
  const World world = make_world(Metric::angular, kDimensions, 100, 0, 13);
  const World other = make_world(Metric::angular, kDimensions + 1, 100, 0, 13);
  Built built;
  SearchSnapshotPointer snapshot;
  const auto code_of = [&](std::vector<SearchPartPointer> parts) {
    std::vector<PartState> states;
    for (SearchPartPointer& part : parts) states.push_back({std::move(part), {}});
    return SearchSnapshot::create(world.layout, std::move(states), &snapshot).code;
  };
  CHECK(code_of({}) == StatusCode::ok);
  const SearchPartPointer first = part_of(world, {0, 50, 'r', 't'}, &built);
  const SearchPartPointer second = part_of(world, {40, 100, 'r', '-'}, &built);
  CHECK(code_of({first, second}) == StatusCode::invalid_argument);
  CHECK(code_of({second, first}) == StatusCode::invalid_argument);
  CHECK(code_of({first, part_of(world, {40, 100, '-', 'f'}, &built)}) == StatusCode::invalid_argument);
  CHECK(code_of({first, part_of(world, {50, 100, 'f', 'f'}, &built)}) == StatusCode::ok);
  CHECK(code_of({part_of(other, {0, 50, 'r', 't'}, &built)}) == StatusCode::invalid_argument);
  SearchPart shorter = *first;
  shorter.keys = SortedKeys(5, std::vector<uint32_t>(51, 0));
  CHECK(code_of({std::make_shared<SearchPart>(shorter)}) == StatusCode::invalid_argument);
}

TEST(keys_are_found_whether_narrow_or_wide) {
  Random random(14);
  for (const bool is_wide : {false, true}) {
    std::vector<int64_t> all;
    int64_t key = 100;
    for (int item = 0; item < 500; ++item) all.push_back(key += 1 + random.below(is_wide ? 1u << 30 : 50));
    std::vector<uint32_t> narrow;
    std::vector<int64_t> wide;
    for (const int64_t one : all) {
      narrow.push_back(static_cast<uint32_t>(one - all[0]));
      wide.push_back(one - all[0]);
    }
    const SortedKeys keys = is_wide ? SortedKeys(all[0], wide) : SortedKeys(all[0], narrow);
    CHECK(keys.ascends());
    CHECK_EQUAL(keys.first(), all.front());
    CHECK_EQUAL(keys.last(), all.back());
    for (int item = 0; item < 500; ++item) {
      const int64_t own = all[static_cast<size_t>(item)];
      CHECK_EQUAL(keys.key_of(item), own);
      CHECK_EQUAL(keys.item_of(own), item);
      if (item > 0 && all[static_cast<size_t>(item) - 1] < own - 1) CHECK_EQUAL(keys.item_of(own - 1), -1);
    }
    CHECK_EQUAL(keys.item_of(all.front() - 1), -1);
    CHECK_EQUAL(keys.item_of(all.back() + 1), -1);
  }
}
