#include <algorithm>

#include "binding/base/addon_data.h"
#include "binding/base/arguments.h"
#include "binding/base/task.h"
#include "binding/base/work.h"
#include "binding/vectors/index.h"
#include "distance/vector_check.h"

namespace semantic_index {

namespace {

/** Answers a batch of queries into arrays that JavaScript does not read before the promise settles. */
class SearchWork : public Work {
 public:
  Segment segment;
  std::vector<float> queries;
  AllowedCopy allowed{Allowed()};
  BatchSearch batch;

  Status run() override {
    batch.queries = queries.data();
    batch.options.allowed = allowed.view();
    batch.cancel = &task->cancelled;
    batch.done = &task->done;
    task->total.store(batch.count);
    return search_batch(segment, batch);
  }
};

}  // namespace

Napi::Value Index::run_search(Napi::Env env, const float* query, const Napi::CallbackInfo& info, size_t first_option) {
  const Arguments arguments(info);
  SearchOptions options;
  options.k = arguments.integer(first_option);
  options.search_k = arguments.wide_integer(first_option + 1);
  options.allowed = arguments.allowed(first_option + 2);
  const Numbers<int32_t> items = arguments.integers(first_option + 3);
  const bool wants_distances = !info[first_option + 4].IsUndefined();
  const Numbers<float> distances = wants_distances ? arguments.floats(first_option + 4) : Numbers<float>();
  const auto k = static_cast<size_t>(options.k);
  if (options.k < 1 || items.count < k || (wants_distances && distances.count < k)) {
    throw make_error(env, "INTERNAL", "the arrays for the results are too short");
  }
  int32_t found = 0;
  forest(env);
  throw_unless_ok(env, segment_.search(query, options, &scratch_, items.data, distances.data, &found));
  return Napi::Number::New(env, found);
}

Napi::Value Index::search(const Napi::CallbackInfo& info) {
  const Numbers<float> query = Arguments(info).floats(0);
  if (query.count != static_cast<size_t>(dimensions_)) throw make_error(info.Env(), "INTERNAL", "wrong length");
  if (find_not_finite(query.data, query.count) >= 0) {
    throw make_error(info.Env(), "INVALID_VECTOR", "the query holds NaN or infinity");
  }
  check_lengths(info.Env(), query, metric_, dimensions_, "query", 0);
  return run_search(info.Env(), query.data, info, 1);
}

Napi::Value Index::search_item(const Napi::CallbackInfo& info) {
  const ForestView& current = forest(info.Env())->view;
  throw_unless_ok(info.Env(), current.item_vector(Arguments(info).integer(0), vector_.data()));
  if (find_not_finite(vector_.data(), vector_.size()) >= 0) {
    throw make_error(info.Env(), "INVALID_FILE", "the vector of the item holds NaN or infinity");
  }
  return run_search(info.Env(), vector_.data(), info, 1);
}

Napi::Value Index::search_many(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const Arguments arguments(info);
  auto work = std::make_unique<SearchWork>();
  forest(env);
  work->segment = segment_;
  BatchSearch& batch = work->batch;
  const Numbers<float> queries = arguments.floats(0);
  batch.count = static_cast<int64_t>(queries.count) / dimensions_;
  batch.options.k = arguments.integer(1);
  batch.options.search_k = arguments.wide_integer(2);
  work->allowed = AllowedCopy(arguments.allowed(3));
  batch.exact = arguments.boolean(4);
  batch.threads = arguments.integer(5);
  const Numbers<int32_t> items = arguments.integers(6);
  const Numbers<float> distances = arguments.floats(7);
  work->task = Task::state_of(info[8]);
  const auto results = static_cast<size_t>(batch.count) * static_cast<size_t>(std::max(batch.options.k, 1));
  if (batch.options.k < 1 || items.count < results || distances.count < results) {
    throw make_error(env, "INTERNAL", "the arrays for the results are too short");
  }
  check_finite(env, queries, dimensions_, "query", 0);
  check_lengths(env, queries, metric_, dimensions_, "query", 0);
  work->queries.assign(queries.data, queries.data + queries.count);
  batch.items = items.data;
  batch.distances = distances.data;
  work->keep(info[6].As<Napi::Object>());
  work->keep(info[7].As<Napi::Object>());
  return Work::start(env, std::move(work));
}

}  // namespace semantic_index
