#include "support/search_world.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "support/check.h"
#include "support/generate.h"

namespace semantic_index_test {

World make_world(Metric metric, int32_t dimensions, size_t size, double dead, uint64_t seed) {
  Random random(seed);
  World world;
  CHECK_OK(make_layout(metric, dimensions, &world.layout));
  world.rows = random_rows(metric, static_cast<int64_t>(size), dimensions, seed + 1);
  world.corpus = random_corpus(size, 120, 20, &random);
  int64_t key = 5;
  for (size_t number = 0; number < size; ++number) {
    world.keys.push_back(key);
    key += 1 + random.below(3);
    world.alive.push_back(random.below(1000) >= dead * 1000);
  }
  return world;
}

namespace {

Segment segment_of(const World& world, size_t begin, size_t end, bool with_graph) {
  const auto dimensions = static_cast<size_t>(world.layout.dimensions);
  const std::vector<float> rows(world.rows.begin() + static_cast<std::ptrdiff_t>(begin * dimensions),
                                world.rows.begin() + static_cast<std::ptrdiff_t>(end * dimensions));
  Index index = build_index(world.layout.metric, world.layout.dimensions, rows, 3);
  Segment segment;
  CHECK_OK(forest_from_storage(std::shared_ptr<NodeStorage>(std::move(index.storage)), &segment.forest));
  GraphBuildOptions options;
  options.threads = 1;
  if (with_graph) CHECK_OK(graph_from_forest(*segment.forest, options, &segment.graph));
  return segment;
}

}  // namespace

SearchPartPointer part_of(const World& world, const PartPlan& plan, Built* built) {
  auto part = std::make_shared<SearchPart>();
  std::vector<uint32_t> offsets;
  for (size_t number = plan.begin; number < plan.end; ++number) {
    offsets.push_back(static_cast<uint32_t>(world.keys[number] - world.keys[plan.begin]));
  }
  part->keys = SortedKeys(plan.begin < plan.end ? world.keys[plan.begin] : 0, std::move(offsets));
  if (plan.vectors == 'f' || plan.vectors == 'g') {
    part->segment = segment_of(world, plan.begin, plan.end, plan.vectors == 'g');
  } else if (plan.vectors == 'r') {
    RowBuffer buffer(world.layout);
    CHECK_OK(buffer.append(world.row(plan.begin), static_cast<int64_t>(plan.end - plan.begin)));
    part->rows = buffer.snapshot();
    part->has_rows = true;
  }
  if (plan.terms == 'f') {
    const Corpus corpus(world.corpus.begin() + static_cast<std::ptrdiff_t>(plan.begin),
                        world.corpus.begin() + static_cast<std::ptrdiff_t>(plan.end));
    built->files.push_back(std::make_unique<MemoryBlock>());
    build_file(corpus, built->files.back().get());
    auto file = std::make_shared<TermsFile>();
    file->view = view_of(*built->files.back());
    part->terms_file = std::move(file);
  } else if (plan.terms == 't') {
    auto tail = std::make_shared<TermsTail>();
    append_to(tail.get(), world.corpus, plan.begin, plan.end);
    part->terms_tail = std::move(tail);
  }
  return part;
}

void build(const World& world, const std::vector<PartPlan>& plans, Built* built) {
  std::vector<PartState> states;
  for (const PartPlan& plan : plans) {
    PartState state;
    state.part = part_of(world, plan, built);
    bool all = true;
    std::vector<uint32_t> alive((plan.end - plan.begin + 31) / 32, 0);
    built->documents.emplace_back();
    for (size_t number = plan.begin; number < plan.end; ++number) {
      built->documents.back().push_back(number);
      if (world.alive[number]) alive[(number - plan.begin) / 32] |= 1u << ((number - plan.begin) % 32);
      all = all && world.alive[number];
    }
    if (!all) state.alive = std::move(alive);
    states.push_back(std::move(state));
  }
  CHECK_OK(SearchSnapshot::create(world.layout, std::move(states), &built->snapshot));
}

std::vector<Bits> allowed_by_part(const Built& built, const std::vector<bool>& allowed) {
  std::vector<Bits> sets;
  for (const std::vector<size_t>& documents : built.documents) {
    sets.emplace_back((documents.size() + 31) / 32 + 1, 0);
    for (size_t item = 0; item < documents.size(); ++item) {
      if (allowed[documents[item]]) sets.back()[item / 32] |= 1u << (item % 32);
    }
  }
  return sets;
}

WorldScores score_world(const World& world, const WorldQuery& query) {
  WorldScores scores;
  const size_t size = world.size();
  scores.distances.assign(size, std::nanf(""));
  scores.by_terms.assign(size, 0);
  if (!query.vector.empty()) {
    RowBuffer rows(world.layout);
    CHECK_OK(rows.append(world.rows.data(), static_cast<int64_t>(size)));
    ExactScan scan;
    CHECK_OK(scan.prepare(world.layout, query.vector.data(), 1, static_cast<int32_t>(size)));
    CHECK_OK(rows.snapshot().scan(&scan, Allowed()));
    std::vector<int32_t> items(size);
    std::vector<float> distances(size);
    scan.finish(items.data(), distances.data());
    for (size_t rank = 0; rank < size; ++rank) scores.distances[static_cast<size_t>(items[rank])] = distances[rank];
  }
  double documents = 0;
  double length = 0;
  for (size_t number = 0; number < size; ++number) {
    if (!world.alive[number]) continue;
    ++documents;
    length += world.corpus[number].length;
  }
  std::map<std::string, uint32_t> times;
  std::vector<std::string> distinct;
  for (const std::string& term : query.terms) {
    if (++times[term] == 1) distinct.push_back(term);
  }
  std::map<std::string, double> weights;
  double total = 0;
  // In the order of the query, so that sums are rounded alike.
  for (const std::string& term : distinct) {
    double having = 0;
    for (size_t number = 0; number < size; ++number) {
      if (world.alive[number] && world.corpus[number].terms.count(term) > 0) ++having;
    }
    const double weight = times[term] * std::log(1 + (documents - having + 0.5) / (having + 0.5));
    weights[term] = having > 0 ? weight : 0;
    total += weights[term];
    scores.max_score += weight;
    scores.squared_weight += weights[term] * weights[term];
  }
  const Bm25 scorer(documents, length, total);
  for (size_t number = 0; number < size; ++number) {
    for (const auto& [term, weight] : weights) {
      const auto found = world.corpus[number].terms.find(term);
      if (weight == 0 || found == world.corpus[number].terms.end()) continue;
      scores.by_terms[number] += scorer.score(weight, found->second, world.corpus[number].length);
    }
  }
  return scores;
}

double similarity_of(const NodeLayout& layout, double distance) {
  if (layout.metric == Metric::angular) return 1 - distance * distance / 2;
  if (layout.metric == Metric::dot) return distance;
  if (layout.metric == Metric::hamming) return 1 - distance / layout.dimensions;
  return 1 / (1 + distance);
}

std::vector<SearchHit> expected_hits(const World& world, const WorldQuery& query, const WorldScores& scores,
                                     const std::vector<bool>& allowed, const SearchRequest& request) {
  const bool by_vector = !query.vector.empty();
  const auto depth = static_cast<size_t>(by_vector && query.has_terms ? request.depth : request.k);
  std::vector<size_t> near;
  std::vector<size_t> matching;
  for (size_t number = 0; number < world.size(); ++number) {
    if (!world.alive[number] || !allowed[number]) continue;
    if (by_vector) near.push_back(number);
    if (query.has_terms && scores.by_terms[number] > 0) matching.push_back(number);
  }
  const float sign = world.layout.metric == Metric::dot ? -1.0f : 1.0f;
  std::stable_sort(near.begin(), near.end(), [&](size_t left, size_t right) {
    return sign * scores.distances[left] < sign * scores.distances[right];
  });
  std::stable_sort(matching.begin(), matching.end(),
                   [&](size_t left, size_t right) { return scores.by_terms[left] > scores.by_terms[right]; });
  near.resize(std::min(near.size(), depth));
  matching.resize(std::min(matching.size(), depth));
  std::set<size_t> both(near.begin(), near.end());
  both.insert(matching.begin(), matching.end());
  std::vector<size_t> order = by_vector && query.has_terms ? std::vector<size_t>(both.begin(), both.end())
                              : by_vector                  ? near
                                                           : matching;
  std::vector<SearchHit> hits;
  double best = 1;
  for (const size_t number : order) best = std::max(best, similarity_of(world.layout, scores.distances[number]));
  const double weight = request.vector_weight;
  const double evidence = scores.evidence(matching.empty() ? 0 : scores.by_terms[matching.front()]);
  for (const size_t number : order) {
    SearchHit hit = {world.keys[number], 0, scores.distances[number], query.has_terms ? scores.by_terms[number] : 0};
    const double similarity = similarity_of(world.layout, hit.distance);
    if (by_vector && query.has_terms) {
      const double by_terms = scores.max_score > 0 ? hit.term_score / scores.max_score : 0;
      hit.score = (1 - weight) * evidence * by_terms + weight * similarity / best;
    } else {
      hit.score = by_vector ? similarity : hit.term_score;
    }
    hits.push_back(hit);
  }
  if (by_vector && query.has_terms) {
    std::stable_sort(hits.begin(), hits.end(),
                     [](const SearchHit& left, const SearchHit& right) { return left.score > right.score; });
    hits.resize(std::min(hits.size(), static_cast<size_t>(request.k)));
    for (SearchHit& hit : hits) hit.score = std::min(1.0, std::max(0.0, hit.score));
  }
  return hits;
}

KernelQueries kernel_queries(const std::vector<WorldQuery>& given) {
  KernelQueries made;
  for (const WorldQuery& query : given) made.terms.push_back(as_terms(query.terms));
  for (size_t index = 0; index < given.size(); ++index) {
    SearchQuery query;
    query.vector = given[index].vector.empty() ? nullptr : given[index].vector.data();
    query.has_terms = given[index].has_terms;
    query.terms = made.terms[index].data();
    query.term_count = made.terms[index].size();
    made.queries.push_back(query);
  }
  return made;
}

}  // namespace semantic_index_test
