#include "search/block_search.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <new>
#include <utility>

#include "base/cancel.h"
#include "base/status.h"

namespace semantic_index {

namespace {

/**
 * Fewer parts are searched by one thread: waking up another one, and waiting for it on a busy machine, took longer than
 * it saved for one part with its terms; for five it saved a tenth even under a load of five times the processors.
 */
constexpr size_t kSharedParts = 3;
/** Unless a part has so many items to find: to search a million takes twenty times as long as to wake up a thread. */
constexpr int64_t kSharedItems = 250'000;

const float kNoDistance = std::nanf("");
/** More than what a product and a quotient lose by rounding. */
constexpr double kRounding = 1e-9;

}  // namespace

Status BlockSearch::fail(Status status, int32_t part, PartSide side) {
  if (status.code == StatusCode::corrupt || status.code == StatusCode::file_changed) {
    result_->failed_part = part;
    result_->failed_side = side;
  }
  return status;
}

int32_t BlockSearch::depth_of(const SearchQuery& query) const {
  const bool is_deep = query.vector != nullptr && (query.has_terms || (request_.factors != nullptr && request_.exact));
  return is_deep ? request_.depth : request_.k;
}

double BlockSearch::factor_of(const FoundDocument& document) const {
  const PartItem place = document.vector.part >= 0 ? document.vector : document.terms;
  return request_.factors[place.part].of(static_cast<uint32_t>(place.item));
}

double BlockSearch::greatest_factor() const {
  if (request_.factors == nullptr) return 1;
  double greatest = 0;
  for (size_t part = 0; part < snapshot_.size(); ++part) greatest = std::max(greatest, request_.factors[part].greatest);
  return greatest;
}

/**
 * Whether the hits, the lowest of which has the score `least`, are better than any document that was not a candidate
 * (the threshold algorithm of Fagin, Lotem and Naor 2003).
 */
bool BlockSearch::is_complete(const SearchQuery& query, const Fusion& fusion, double least) const {
  if (query.vector == nullptr || (!query.has_terms && request_.factors == nullptr)) return true;
  const bool has_more_terms =
      query.has_terms && work_.term_hits.size() >= static_cast<size_t>(depth_of(query)) && !work_.term_hits.empty();
  if (!has_more_neighbors_ && !has_more_terms) return true;
  // What a graph has not compared may be near enough for its factor.
  if (request_.factors != nullptr && !request_.exact) return false;
  if (work_.hits.size() < static_cast<size_t>(request_.k)) return false;
  // A document without a vector has a similarity of 0, and factors lift no negative score above that.
  const float distance = has_more_neighbors_ ? last_distance_ : kNoDistance;
  const double similarity = query.has_terms       ? std::max(0.0, fusion.score(0, distance))
                            : has_more_neighbors_ ? std::max(0.0, score_of(snapshot_.layout(), distance))
                                                  : 0;
  const double by_terms = has_more_terms ? fusion.score(work_.term_hits.back().score, kNoDistance) : 0;
  return least > by_terms + similarity * greatest_factor();
}

Status BlockSearch::run(int64_t first, int64_t count, SearchResult* result) {
  result_ = result;
  result->parts.resize(snapshot_.size());
  work_.allowed.clear();
  for (const int32_t part : snapshot_.with_terms()) {
    // What does not exist is left out by the terms snapshot.
    const bool is_filtered = request_.allowed != nullptr && request_.allowed[part].bits != nullptr;
    const Allowed& allowed = filters_[static_cast<size_t>(part)].allowed;
    work_.allowed.push_back(is_filtered ? ItemBits{allowed.bits, allowed.words} : ItemBits());
  }
  work_.factors.clear();
  if (request_.factors != nullptr) {
    for (const int32_t part : snapshot_.with_terms()) work_.factors.push_back(request_.factors[part]);
  }
  const std::shared_ptr<VectorTasks> tasks = plan_vectors(first, count);
  const SearchQuery* const only = count == 1 ? request_.queries + first : nullptr;
  is_prepared_ = false;
  if (request_.skips_missing && request_.count == 1 && only->has_terms) {
    double max_score = 0;
    const Status status = prepare_terms(*only, &max_score);
    if (!status.ok()) return status;
    if (work_.terms.missing_terms() > 0) return skip(max_score);
    is_prepared_ = true;
  }
  double max_score = 0;
  const double* known_max_score = nullptr;
  Status status;
  if (share(tasks) && only != nullptr && only->has_terms) {
    status = search_terms(*only, &max_score);
    known_max_score = &max_score;
  }
  const Status searched = search_vectors(tasks.get());
  if (status.ok()) status = searched;
  int64_t row = 0;
  for (int64_t index = first; index < first + count && status.ok(); ++index) {
    const SearchQuery& query = request_.queries[index];
    if (is_raised(request_.cancel)) return cancelled();
    status = answer(query, row, known_max_score);
    if (query.vector != nullptr) ++row;
  }
  return status;
}

Status BlockSearch::answer(const SearchQuery& query, int64_t row, const double* known_max_score) {
  const NodeLayout& layout = snapshot_.layout();
  double max_score = known_max_score == nullptr ? 0 : *known_max_score;
  work_.candidates.clear();
  if (query.vector != nullptr) merge_neighbors(query, row);
  if (query.has_terms) {
    const Status status = known_max_score == nullptr ? search_terms(query, &max_score) : Status::success();
    if (!status.ok()) return status;
    merge_terms_hits();
  }
  const bool is_fused = query.vector != nullptr && query.has_terms;
  double evidence = 1;
  if (is_fused) {
    const Status status = find_evidence(query, &evidence);
    if (!status.ok()) return status;
  }
  Fusion fusion(layout, max_score, evidence, request_.vector_weight);
  if (is_fused) {
    const Status status = complete(query, &fusion);
    if (!status.ok()) return status;
  }
  work_.hits.clear();
  for (FoundDocument& candidate : work_.candidates) {
    if (request_.factors != nullptr) candidate.hit.factor = factor_of(candidate);
    work_.hits.push_back(candidate.hit);
  }
  double least = 0;
  if (is_fused) {
    least = fuse(fusion, request_.k, &work_.hits);
  } else if (query.vector != nullptr) {
    // They are ordered by distance: scores of great distances may be equal.
    for (SearchHit& hit : work_.hits) hit.score = boosted(score_of(layout, hit.distance), hit.factor);
    if (request_.factors != nullptr) keep_best(request_.k, &work_.hits);
    least = work_.hits.empty() ? 0 : work_.hits.back().score;
  } else {
    for (SearchHit& hit : work_.hits) hit.score = hit.term_score * hit.factor;
  }
  result_->similarity_scales.push_back(fusion.best());
  result_->complete.push_back(is_complete(query, fusion, least) ? 1 : 0);
  result_->counts.push_back(static_cast<int32_t>(work_.hits.size()));
  result_->max_scores.push_back(max_score);
  result_->missing_terms.push_back(query.has_terms ? work_.terms.missing_terms() : 0);
  result_->evidence.push_back(evidence);
  result_->hits.insert(result_->hits.end(), work_.hits.begin(), work_.hits.end());
  return Status::success();
}

/**
 * That of the terms whose hits were found. With factors these may not have the highest score: where none of them has
 * enough for an evidence of 1, the best document without factors is looked up.
 */
Status BlockSearch::find_evidence(const SearchQuery& query, double* evidence) {
  if (request_.evidence.has_value()) {
    *evidence = *request_.evidence;
    return Status::success();
  }
  double best = 0;
  for (const TermsHit& hit : work_.term_hits) best = std::max(best, hit.unboosted);
  *evidence = evidence_of(best, work_.terms.squared_weight());
  const bool is_exact = request_.factors == nullptr || work_.term_hits.size() < static_cast<size_t>(depth_of(query));
  if (is_exact || *evidence == 1) return Status::success();
  TermsSearchOptions options;
  options.k = 1;
  options.allowed = work_.allowed.data();
  options.cancel = request_.cancel;
  const Status status = work_.terms.search(options, &work_.best_by_terms);
  if (!status.ok()) return fail_terms(status);
  *evidence = evidence_of(work_.best_by_terms.front().score, work_.terms.squared_weight());
  return status;
}

std::shared_ptr<VectorTasks> BlockSearch::plan_vectors(int64_t first, int64_t count) {
  const auto dimensions = static_cast<size_t>(snapshot_.layout().dimensions);
  PartVectorSearch search;
  bool is_fused = true;
  for (int64_t index = first; index < first + count; ++index) {
    const SearchQuery& query = request_.queries[index];
    if (query.vector == nullptr) continue;
    search.queries = query.vector;
    search.k = std::max(search.k, depth_of(query));
    is_fused = is_fused && query.has_terms;
    ++search.count;
  }
  if (search.count > 1) {
    work_.queries.clear();
    for (int64_t index = first; index < first + count; ++index) {
      const float* const vector = request_.queries[index].vector;
      if (vector != nullptr) work_.queries.insert(work_.queries.end(), vector, vector + dimensions);
    }
    search.queries = work_.queries.data();
  }
  search.exact = request_.exact;
  search.search_k = request_.search_k;
  // The other candidates of a fused query rank behind those that terms and the nearest vectors bring up.
  search.needed = request_.k;
  if (is_fused) search.effort = fused_effort(request_.vector_weight);
  search.threads = threads_;
  search.cancel = request_.cancel;
  work_.neighbors.resize(snapshot_.size());
  std::vector<VectorTask> tasks;
  for (size_t number = 0; number < snapshot_.size(); ++number) {
    PartNeighbors& neighbors = work_.neighbors[number];
    neighbors.k = 0;
    const SearchPart& part = snapshot_.part(number);
    if (search.count == 0 || !part.has_vectors() || filters_[number].candidates == 0) continue;
    search.allowed = filters_[number].allowed;
    search.factors = request_.factors == nullptr ? nullptr : request_.factors + number;
    search.candidates = filters_[number].candidates;
    VectorTask task;
    task.part = &part;
    task.number = static_cast<int32_t>(number);
    task.search = search;
    task.found = &neighbors;
    tasks.push_back(std::move(task));
  }
  return std::make_shared<VectorTasks>(std::move(tasks));
}

/** Has another thread, if one is idle, search parts meanwhile: where that saves more than it takes to wake it up. */
bool BlockSearch::share(const std::shared_ptr<VectorTasks>& tasks) {
  if (!may_share_ || request_.run_if_idle == nullptr) return false;
  const auto is_large = [](const VectorTask& task) { return task.search.candidates >= kSharedItems; };
  const std::vector<VectorTask>& all = tasks->tasks();
  if (all.size() < kSharedParts && std::none_of(all.begin(), all.end(), is_large)) return false;
  return request_.run_if_idle([tasks] {
    try {
      const ScratchLease scratch;
      tasks->work(&scratch.get()->segment);
    } catch (const std::bad_alloc&) {
      // The thread that asked does everything itself.
    }
  });
}

Status BlockSearch::search_vectors(VectorTasks* tasks) {
  tasks->work(&work_.segment);
  tasks->wait();
  for (const VectorTask& task : tasks->tasks()) {
    PartReport& report = result_->parts[static_cast<size_t>(task.number)];
    report.searched = true;
    report.exact = task.found->exact;
    report.milliseconds += task.milliseconds;
  }
  for (const VectorTask& task : tasks->tasks()) {
    if (!task.status.ok()) return fail(task.status, task.number, PartSide::vectors);
  }
  return Status::success();
}

/** The nearest documents of a query over all parts, nearest first, ties by key. */
void BlockSearch::merge_neighbors(const SearchQuery& query, int64_t row) {
  std::vector<FoundDocument>& candidates = work_.candidates;
  for (size_t number = 0; number < snapshot_.size(); ++number) {
    const PartNeighbors& neighbors = work_.neighbors[number];
    const SortedKeys& keys = snapshot_.part(number).keys;
    for (int64_t place = row * neighbors.k; place < (row + 1) * neighbors.k; ++place) {
      const int32_t item = neighbors.items[static_cast<size_t>(place)];
      if (item < 0) break;
      FoundDocument& candidate = candidates.emplace_back();
      candidate.hit.key = keys.key_of(item);
      candidate.hit.distance = neighbors.distances[static_cast<size_t>(place)];
      candidate.vector = {static_cast<int32_t>(number), item};
    }
  }
  const float sign = snapshot_.layout().metric == Metric::dot ? -1.0f : 1.0f;
  const auto is_nearer = [sign](const FoundDocument& left, const FoundDocument& right) {
    const float difference = sign * left.hit.distance - sign * right.hit.distance;
    return difference < 0 || (difference == 0 && left.hit.key < right.hit.key);
  };
  std::sort(candidates.begin(), candidates.end(), is_nearer);
  const auto depth = static_cast<size_t>(depth_of(query));
  // A part that has as many neighbors as it was asked for may have more.
  has_more_neighbors_ = candidates.size() >= depth;
  // With factors, the nearest are not the best.
  const bool is_cut = request_.factors == nullptr || request_.exact;
  if (is_cut && candidates.size() > depth) candidates.resize(depth);
  if (!candidates.empty()) last_distance_ = candidates.back().hit.distance;
}

/** A query that is not searched. */
Status BlockSearch::skip(double max_score) {
  result_->counts.push_back(0);
  result_->max_scores.push_back(max_score);
  result_->missing_terms.push_back(work_.terms.missing_terms());
  result_->evidence.push_back(1);
  result_->similarity_scales.push_back(1);
  result_->complete.push_back(0);
  return Status::success();
}

Status BlockSearch::prepare_terms(const SearchQuery& query, double* max_score) {
  const Status status = is_prepared_ ? Status::success()
                                     : work_.terms.prepare(snapshot_.terms(), query.terms, query.term_count,
                                                           request_.cancel, query.statistics);
  *max_score = work_.terms.max_score();
  return status.ok() ? status : fail_terms(status);
}

Status BlockSearch::search_terms(const SearchQuery& query, double* max_score) {
  Status status = prepare_terms(query, max_score);
  if (!status.ok()) return status;
  TermsSearchOptions options;
  options.k = depth_of(query);
  options.allowed = work_.allowed.data();
  options.factors = request_.factors == nullptr ? nullptr : work_.factors.data();
  options.cancel = request_.cancel;
  status = work_.terms.search(options, &work_.term_hits);
  return status.ok() ? status : fail_terms(status);
}

Status BlockSearch::fail_terms(Status status) {
  const int32_t part = work_.terms.failed_part();
  return fail(status, part < 0 ? -1 : snapshot_.with_terms()[static_cast<size_t>(part)], PartSide::terms);
}

/** Joins the hits by terms with the candidates by vector. */
void BlockSearch::merge_terms_hits() {
  std::vector<FoundDocument>& candidates = work_.candidates;
  const auto is_below = [](const FoundDocument& left, const FoundDocument& right) {
    return left.hit.key < right.hit.key;
  };
  const auto has_lower_key = [](const FoundDocument& one, int64_t key) { return one.hit.key < key; };
  const bool has_others = !candidates.empty();
  if (has_others) std::sort(candidates.begin(), candidates.end(), is_below);
  work_.by_terms.clear();
  for (const TermsHit& found : work_.term_hits) {
    const int32_t part = snapshot_.with_terms()[static_cast<size_t>(found.part)];
    const int64_t key = snapshot_.part(static_cast<size_t>(part)).keys.key_of(found.item);
    FoundDocument* candidate = nullptr;
    if (has_others) {
      const auto same = std::lower_bound(candidates.begin(), candidates.end(), key, has_lower_key);
      if (same != candidates.end() && same->hit.key == key) candidate = &*same;
    }
    if (candidate == nullptr) {
      candidate = &work_.by_terms.emplace_back();
      candidate->hit.key = key;
      candidate->hit.distance = kNoDistance;
    }
    candidate->hit.term_score = found.unboosted;
    candidate->terms = {part, found.item};
  }
  candidates.insert(candidates.end(), work_.by_terms.begin(), work_.by_terms.end());
}

Status BlockSearch::complete(const SearchQuery& query, Fusion* fusion) {
  for (FoundDocument& candidate : work_.candidates) {
    if (candidate.terms.part < 0) {
      const auto part = static_cast<size_t>(candidate.vector.part);
      candidate.terms = snapshot_.terms_place(part) >= 0 ? candidate.vector : snapshot_.find_terms(candidate.hit.key);
    } else if (candidate.vector.part < 0) {
      const auto part = static_cast<size_t>(candidate.terms.part);
      candidate.vector =
          snapshot_.part(part).has_vectors() ? candidate.terms : snapshot_.find_vector(candidate.hit.key);
    }
  }
  complete_vectors(query);
  for (const FoundDocument& candidate : work_.candidates) fusion->measure(candidate.hit.distance);
  return complete_terms(query, *fusion, least_score(*fusion));
}

/** Documents below this score are not among the hits: the k-th best of those whose scores are known. */
double BlockSearch::least_score(const Fusion& fusion) {
  work_.known.clear();
  for (const FoundDocument& candidate : work_.candidates) {
    // Without its terms a score is at least what it is with a score of 0.
    const double score = fusion.score(candidate.hit.term_score, candidate.hit.distance);
    work_.known.push_back(request_.factors == nullptr ? score : boosted(score, factor_of(candidate)));
  }
  const auto k = static_cast<size_t>(request_.k);
  if (work_.known.size() < k) return -std::numeric_limits<double>::infinity();
  const auto kth = work_.known.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(work_.known.begin(), kth, work_.known.end(), std::greater<double>());
  return *kth;
}

Query BlockSearch::target_of(const float* vector) {
  const NodeLayout& layout = snapshot_.layout();
  if (layout.metric != Metric::hamming) return Query::of_floats(layout, vector);
  work_.bits.assign(static_cast<size_t>(layout.elements), 0);
  pack_bits(vector, layout.dimensions, work_.bits.data());
  return Query::of_bits(layout, work_.bits.data());
}

void BlockSearch::complete_vectors(const SearchQuery& query) {
  const Query target = target_of(query.vector);
  for (FoundDocument& candidate : work_.candidates) {
    if (candidate.vector.part < 0 || !std::isnan(candidate.hit.distance)) continue;
    const SearchPart& part = snapshot_.part(static_cast<size_t>(candidate.vector.part));
    candidate.hit.distance = part.distance(snapshot_.layout(), target, candidate.vector.item);
  }
}

/**
 * Looks up the terms of what only the vectors found. Where the terms found fewer documents than they were asked for, no
 * other one has any; otherwise none has a higher score than the last of these, and most candidates cannot get among the
 * hits with that. Rounding keeps the order of sums, so nothing is left out that would have a place.
 */
Status BlockSearch::complete_terms(const SearchQuery& query, const Fusion& fusion, double least) {
  if (work_.term_hits.size() < static_cast<size_t>(depth_of(query))) return Status::success();
  const double most = work_.term_hits.back().score;
  for (size_t place = 0; place < snapshot_.with_terms().size(); ++place) {
    const int32_t number = snapshot_.with_terms()[place];
    work_.items.clear();
    work_.places.clear();
    for (size_t index = 0; index < work_.candidates.size(); ++index) {
      const FoundDocument& candidate = work_.candidates[index];
      if (candidate.terms.part != number || candidate.hit.term_score > 0) continue;
      if (request_.factors == nullptr) {
        if (fusion.score(most, candidate.hit.distance) < least) continue;
      } else {
        // What the terms did not find has at most this score with its factor.
        const double factor = factor_of(candidate);
        if (boosted(fusion.score(most / factor * (1 + kRounding), candidate.hit.distance), factor) < least) continue;
      }
      work_.items.push_back(static_cast<uint32_t>(candidate.terms.item));
      work_.places.push_back(index);
    }
    if (work_.items.empty()) continue;
    work_.scores.resize(work_.items.size());
    const Status status =
        work_.terms.score(place, work_.items.data(), work_.items.size(), work_.scores.data(), request_.cancel);
    if (!status.ok()) return fail(status, number, PartSide::terms);
    for (size_t index = 0; index < work_.places.size(); ++index) {
      work_.candidates[work_.places[index]].hit.term_score = work_.scores[index];
    }
  }
  return Status::success();
}

}  // namespace semantic_index
