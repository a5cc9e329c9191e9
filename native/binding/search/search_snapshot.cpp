#include "binding/search/search_snapshot.h"

#include <cstring>

#include "binding/base/addon_data.h"
#include "binding/base/arguments.h"
#include "binding/base/bitsets.h"
#include "binding/base/thread_pool.h"
#include "binding/base/work.h"
#include "binding/search/search_part.h"
#include "search/search.h"
#include "terms/packed_terms.h"

namespace semantic_index {

namespace {

/** Numbers of a report of a part. */
constexpr size_t kReportNumbers = 5;

class SnapshotSearchWork : public Work {
 public:
  SearchSnapshotPointer snapshot;
  SearchRequest request;
  std::vector<SearchQuery> queries;
  std::vector<float> vectors;
  std::vector<std::vector<uint8_t>> packed;
  BitsetCopies allowed;

  Status run() override {
    std::vector<std::vector<QueryTerm>> terms(packed.size());
    for (size_t index = 0; index < queries.size(); ++index) {
      if (!queries[index].has_terms) continue;
      const Status status = decode_query_terms(packed[index].data(), packed[index].size(), &terms[index]);
      if (!status.ok()) return Status::failure(StatusCode::invalid_argument, status.message);
      queries[index].terms = terms[index].data();
      queries[index].term_count = terms[index].size();
    }
    request.queries = queries.data();
    request.count = static_cast<int64_t>(queries.size());
    request.allowed = allowed.sets();
    if (request.threads > 1) request.run_if_idle = run_in_idle_thread;
    request.cancel = &task->cancelled;
    const Status status = search_snapshot(*snapshot, request, &result_);
    // Damaged bytes are a finding: a caller that knows the part can search without it.
    const bool is_damage = status.code == StatusCode::corrupt || status.code == StatusCode::file_changed;
    if (!is_damage || result_.failed_part < 0) return status;
    fault_ = status.message;
    return Status::success();
  }

  Napi::Value finish(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    const size_t count = fault_.empty() ? result_.hits.size() : 0;
    Napi::Float64Array keys = Napi::Float64Array::New(env, count);
    Napi::Float64Array scores = Napi::Float64Array::New(env, count);
    Napi::Float32Array distances = Napi::Float32Array::New(env, count);
    Napi::Float64Array term_scores = Napi::Float64Array::New(env, count);
    for (size_t rank = 0; rank < count; ++rank) {
      const SearchHit& hit = result_.hits[rank];
      keys[rank] = static_cast<double>(hit.key);
      scores[rank] = hit.score;
      distances[rank] = hit.distance;
      term_scores[rank] = hit.term_score;
    }
    Napi::Int32Array counts = Napi::Int32Array::New(env, result_.counts.size());
    std::copy(result_.counts.begin(), result_.counts.end(), counts.Data());
    Napi::Float64Array max_scores = Napi::Float64Array::New(env, result_.max_scores.size());
    std::copy(result_.max_scores.begin(), result_.max_scores.end(), max_scores.Data());
    Napi::Float64Array parts = Napi::Float64Array::New(env, result_.parts.size() * kReportNumbers);
    for (size_t number = 0; number < result_.parts.size(); ++number) {
      const PartReport& report = result_.parts[number];
      double* const at = parts.Data() + number * kReportNumbers;
      at[0] = static_cast<double>(report.allowed);
      at[1] = report.searched ? 1 : 0;
      at[2] = report.exact ? 1 : 0;
      at[3] = report.milliseconds;
      at[4] = report.changed ? 1 : 0;
    }
    result.Set("keys", keys);
    result.Set("scores", scores);
    result.Set("distances", distances);
    result.Set("termScores", term_scores);
    result.Set("counts", counts);
    result.Set("maxScores", max_scores);
    result.Set("parts", parts);
    if (!fault_.empty()) {
      Napi::Object fault = Napi::Object::New(env);
      fault.Set("part", result_.failed_part);
      fault.Set("side", result_.failed_side == PartSide::terms ? "terms" : "vectors");
      fault.Set("message", fault_);
      result.Set("fault", fault);
    }
    return result;
  }

 private:
  SearchResult result_;
  std::string fault_;
};

}  // namespace

void SearchSnapshotObject::define(Napi::Env env, Napi::Object exports) {
  exports.Set("SearchSnapshot", DefineClass(env, "SearchSnapshot",
                                            {InstanceMethod<&SearchSnapshotObject::search>("search"),
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
  work->task = Task::state_of(info[9]);
  return Work::start(env, std::move(work));
}

void SearchSnapshotObject::close(const Napi::CallbackInfo&) { snapshot_.reset(); }

}  // namespace semantic_index
