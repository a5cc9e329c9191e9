#include "binding/search/search_snapshot.h"

#include <chrono>
#include <new>

#include "binding/base/addon_data.h"
#include "binding/base/arguments.h"
#include "binding/base/bitsets.h"
#include "binding/base/thread_pool.h"
#include "binding/base/work.h"
#include "binding/search/boost_arguments.h"
#include "binding/search/level_orders.h"
#include "binding/search/search_part.h"
#include "search/search.h"
#include "terms/packed_terms.h"

namespace semantic_index {

namespace {

/** Numbers of a query, of a report of a part, and of a hit. */
constexpr size_t kQueryNumbers = 6;
constexpr size_t kReportNumbers = 5;
constexpr size_t kHitNumbers = 5;

/** For each query the number of documents, their length, and the number of documents of each term; empty without terms.
 */
std::vector<TermsStatistics> statistics_of(Napi::Env env, const Napi::Array& of_queries, uint32_t count) {
  if (of_queries.Length() != count) throw make_error(env, "INTERNAL", "expected statistics for each query");
  std::vector<TermsStatistics> statistics(count);
  for (uint32_t index = 0; index < count; ++index) {
    const Napi::Value value = of_queries.Get(index);
    if (value.IsUndefined()) continue;
    const Napi::Float64Array numbers = value.As<Napi::Float64Array>();
    if (numbers.TypedArrayType() != napi_float64_array || numbers.ElementLength() < 2) {
      throw make_error(env, "INTERNAL", "expected statistics of terms");
    }
    const double* const data = numbers.Data();
    statistics[index].documents = data[0];
    statistics[index].length = data[1];
    statistics[index].counts.assign(data + 2, data + numbers.ElementLength());
  }
  return statistics;
}

}  // namespace

class SnapshotSearchWork : public Work {
 public:
  SearchSnapshotPointer snapshot;
  SearchRequest request;
  std::vector<SearchQuery> queries;
  std::vector<float> vectors;
  std::vector<std::vector<uint8_t>> packed;
  /** Of each query; none where those of the snapshot are used. */
  std::vector<TermsStatistics> statistics;
  BitsetCopies allowed;
  BoostArguments boosts;

  Status run() override {
    const auto began = std::chrono::steady_clock::now();
    const Status status = search();
    const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - began;
    milliseconds_ = taken.count();
    return status;
  }

  Napi::Value finish(Napi::Env env) override {
    const size_t queries = result_.counts.size();
    const size_t parts = result_.parts.size();
    const size_t hits = fault_.empty() ? result_.hits.size() : 0;
    Napi::Float64Array numbers =
        Napi::Float64Array::New(env, 1 + queries * kQueryNumbers + parts * kReportNumbers + hits * kHitNumbers);
    double* at = numbers.Data();
    *at++ = milliseconds_;
    for (size_t query = 0; query < queries; ++query) {
      *at++ = fault_.empty() ? result_.counts[query] : 0;
      *at++ = result_.max_scores[query];
      *at++ = result_.missing_terms[query];
      *at++ = result_.similarity_scales[query];
      *at++ = result_.complete[query];
      *at++ = result_.evidence[query];
    }
    for (const PartReport& report : result_.parts) {
      *at++ = static_cast<double>(report.allowed);
      *at++ = report.searched ? 1 : 0;
      *at++ = report.exact ? 1 : 0;
      *at++ = report.milliseconds;
      *at++ = report.changed ? 1 : 0;
    }
    for (size_t rank = 0; rank < hits; ++rank) {
      const SearchHit& hit = result_.hits[rank];
      at[rank] = static_cast<double>(hit.key);
      at[hits + rank] = hit.score;
      at[2 * hits + rank] = hit.distance;
      at[3 * hits + rank] = hit.term_score;
      at[4 * hits + rank] = hit.factor;
    }
    if (fault_.empty()) return numbers;
    Napi::Object fault = Napi::Object::New(env);
    fault.Set("part", result_.failed_part);
    fault.Set("side", result_.failed_side == PartSide::terms ? "terms" : "vectors");
    fault.Set("message", fault_);
    Napi::Object result = Napi::Object::New(env);
    result.Set("numbers", numbers);
    result.Set("fault", fault);
    return result;
  }

 private:
  Status search() {
    std::vector<std::vector<QueryTerm>> terms(packed.size());
    for (size_t index = 0; index < queries.size(); ++index) {
      if (!queries[index].has_terms) continue;
      const Status status = decode_query_terms(packed[index].data(), packed[index].size(), &terms[index]);
      if (!status.ok()) return Status::failure(StatusCode::invalid_argument, status.message);
      queries[index].terms = terms[index].data();
      queries[index].term_count = terms[index].size();
      if (statistics.empty()) continue;
      if (statistics[index].counts.size() != terms[index].size()) {
        return Status::failure(StatusCode::invalid_argument, "expected a number of documents for each term");
      }
      queries[index].statistics = &statistics[index];
    }
    request.queries = queries.data();
    request.count = static_cast<int64_t>(queries.size());
    request.allowed = allowed.sets();
    request.factors = boosts.factors();
    if (request.threads > 1) request.run_if_idle = run_in_idle_thread;
    request.cancel = &task->cancelled;
    const Status status = search_snapshot(*snapshot, request, &result_);
    // Damaged bytes are a finding: a caller that knows the part can search without it.
    const bool is_damage = status.code == StatusCode::corrupt || status.code == StatusCode::file_changed;
    if (!is_damage || result_.failed_part < 0) return status;
    fault_ = status.message;
    return Status::success();
  }

  SearchResult result_;
  std::string fault_;
  double milliseconds_ = 0;
};

void SearchSnapshotObject::define(Napi::Env env, Napi::Object exports) {
  exports.Set("SearchSnapshot", DefineClass(env, "SearchSnapshot",
                                            {InstanceMethod<&SearchSnapshotObject::search>("search"),
                                             InstanceMethod<&SearchSnapshotObject::search_here>("searchHere"),
                                             InstanceMethod<&SearchSnapshotObject::order_levels>("orderLevels"),
                                             InstanceMethod<&SearchSnapshotObject::look_up_terms>("lookUpTerms"),
                                             InstanceMethod<&SearchSnapshotObject::count_terms>("countTerms"),
                                             InstanceMethod<&SearchSnapshotObject::filter_by_terms>("filterByTerms"),
                                             InstanceMethod<&SearchSnapshotObject::close>("close")}));
}

SearchSnapshotObject::SearchSnapshotObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<SearchSnapshotObject>(info) {
  Napi::Env env = info.Env();
  const Arguments arguments(info);
  NodeLayout layout;
  throw_unless_ok(env, make_layout(static_cast<Metric>(arguments.integer(0)), arguments.integer(1), &layout));
  const Napi::Array objects = info[2].As<Napi::Array>();
  BitsetCopies alive(env, info[3]);
  if (alive.size() != objects.Length()) throw make_error(env, "INTERNAL", "expected a set for each part");
  std::vector<PartState> parts;
  for (uint32_t number = 0; number < objects.Length(); ++number) {
    const Napi::Object object = objects.Get(number).As<Napi::Object>();
    parts.push_back({SearchPartObject::Unwrap(object)->part(env), alive.take(number)});
  }
  throw_unless_ok(env, SearchSnapshot::create(layout, std::move(parts), &snapshot_));
}

Napi::Value SearchSnapshotObject::search(const Napi::CallbackInfo& info) {
  return Work::start(info.Env(), work_of(info));
}

Napi::Value SearchSnapshotObject::search_here(const Napi::CallbackInfo& info) {
  const std::unique_ptr<SnapshotSearchWork> work = work_of(info);
  Status status;
  try {
    status = work->run();
  } catch (const std::bad_alloc&) {
    status = Status::no_memory();
  }
  throw_unless_ok(info.Env(), status);
  return work->finish(info.Env());
}

Napi::Value SearchSnapshotObject::order_levels(const Napi::CallbackInfo& info) {
  if (!snapshot_) throw make_error(info.Env(), "CLOSED", "the snapshot is closed");
  return semantic_index::order_levels(info.Env(), *snapshot_, info[0]);
}

std::unique_ptr<SnapshotSearchWork> SearchSnapshotObject::work_of(const Napi::CallbackInfo& info) const {
  Napi::Env env = info.Env();
  if (!snapshot_) throw make_error(env, "CLOSED", "the snapshot is closed");
  const Arguments arguments(info);
  auto work = std::make_unique<SnapshotSearchWork>();
  work->snapshot = snapshot_;
  const auto dimensions = static_cast<size_t>(snapshot_->layout().dimensions);
  const Napi::Array vectors = info[0].As<Napi::Array>();
  const Napi::Array terms = info[1].As<Napi::Array>();
  const uint32_t count = vectors.Length();
  work->queries.resize(count);
  work->packed.resize(count);
  work->vectors.reserve(count * dimensions);
  for (uint32_t index = 0; index < count; ++index) {
    SearchQuery& query = work->queries[index];
    const Napi::Value vector = vectors.Get(index);
    if (!vector.IsUndefined()) {
      const Napi::Float32Array numbers = vector.As<Napi::Float32Array>();
      if (numbers.TypedArrayType() != napi_float32_array || numbers.ElementLength() != dimensions) {
        throw make_error(env, "INTERNAL", "a vector has the wrong length");
      }
      const Numbers<float> components = {const_cast<float*>(numbers.Data()), dimensions};
      check_finite(env, components, snapshot_->layout().dimensions, "query", index);
      check_lengths(env, components, snapshot_->layout().metric, snapshot_->layout().dimensions, "query", index);
      query.vector = work->vectors.data() + work->vectors.size();
      work->vectors.insert(work->vectors.end(), numbers.Data(), numbers.Data() + dimensions);
    }
    const Napi::Value bytes = terms.Get(index);
    if (bytes.IsUndefined()) continue;
    const Napi::Uint8Array own = bytes.As<Napi::Uint8Array>();
    if (own.TypedArrayType() != napi_uint8_array) throw make_error(env, "INTERNAL", "expected packed terms");
    query.has_terms = true;
    work->packed[index].assign(own.Data(), own.Data() + own.ElementLength());
  }
  SearchRequest& request = work->request;
  request.k = arguments.integer(2);
  request.depth = arguments.integer(3);
  request.exact = arguments.boolean(4);
  request.search_k = arguments.wide_integer(5);
  request.vector_weight = arguments.number(6);
  if (!info[7].IsUndefined()) {
    work->allowed = BitsetCopies(env, info[7]);
    if (work->allowed.size() != snapshot_->size()) throw make_error(env, "INTERNAL", "expected a set for each part");
  }
  request.threads = arguments.integer(8);
  work->boosts = BoostArguments(info[9], *snapshot_, work.get());
  request.skips_missing = arguments.boolean(10);
  if (!info[11].IsUndefined()) work->statistics = statistics_of(env, info[11].As<Napi::Array>(), count);
  if (!info[12].IsUndefined()) request.evidence = arguments.number(12);
  work->task = Task::state_of(info[13]);
  return work;
}

void SearchSnapshotObject::close(const Napi::CallbackInfo&) { snapshot_.reset(); }

}  // namespace semantic_index
