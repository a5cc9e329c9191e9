#include <algorithm>
#include <cmath>

#include "addon_data.h"
#include "arguments.h"
#include "base/parallel_blocks.h"
#include "exact_search.h"
#include "graph/pruned_scan.h"
#include "index.h"
#include "task.h"
#include "work.h"

namespace semantic_index {

namespace {

/** Queries that a thread of an approximate search takes at a time. */
constexpr int64_t kSearchBlock = 8;

/** Answers a batch of queries, each thread some at a time, into arrays that nobody else sees before it is done. */
class SearchWork : public Work {
 public:
  ForestPointer forest;
  AcceleratorPointer accelerator;
  std::vector<float> queries;
  int64_t count = 0;
  SearchOptions options;
  AllowedCopy allowed{Allowed()};
  bool exact = false;
  int threads = 1;
  int32_t* items = nullptr;
  float* distances = nullptr;

  Status run() override {
    options.allowed = allowed.view();
    task->total.store(count);
    if (exact) return run_exact();
    ParallelWatch watch;
    watch.cancel = &task->cancelled;
    return run_blocks(threads, (count + kSearchBlock - 1) / kSearchBlock, &watch, [this] {
      auto memory = std::make_shared<SearchMemory>();
      return [this, memory](int64_t block) {
        const int64_t first = block * kSearchBlock;
        const int64_t size = std::min(kSearchBlock, count - first);
        const Status status = search(first, size, memory.get());
        task->done.fetch_add(size);
        return status;
      };
    });
  }

 private:
  Status run_exact() {
    ExactSearch search;
    search.layout = forest->view.layout();
    search.queries = queries.data();
    search.count = count;
    search.k = options.k;
    search.rows = forest->view.items();
    search.threads = threads;
    search.items = items;
    search.distances = distances;
    search.progress = [this](int64_t answered) { task->done.fetch_add(answered); };
    bool has_bounds = false;
    Status status = may_rule_out(*forest, accelerator.get(), &task->cancelled, &has_bounds);
    if (!status.ok()) return status;
    if (has_bounds) {
      ExactSearch bounded = search;
      bounded.rows = accelerator->view.header().positions;
      bounded.scan = [this](ExactScan* scan, int64_t begin, int64_t end) {
        return scan_bounded(accelerator->view, forest->view, scan, static_cast<int32_t>(begin),
                            static_cast<int32_t>(end), options.allowed, &task->cancelled);
      };
      status = run_exact_search(bounded);
      if (status.code != StatusCode::corrupt && status.code != StatusCode::file_changed) return status;
      // A damaged accelerator costs speed, not answers.
      accelerator->is_damaged.store(true);
      task->done.store(0);
    }
    search.scan = [this](ExactScan* scan, int64_t begin, int64_t end) {
      const RowsView rows = item_rows(forest->view).part(begin, end);
      const Status status = scan->scan(rows, static_cast<int32_t>(begin), options.allowed, &task->cancelled);
      return status.ok() ? forest->view.check_unchanged() : status;
    };
    return run_exact_search(search);
  }

  Status search(int64_t first, int64_t size, SearchMemory* memory) {
    const int64_t k = options.k;
    for (int64_t query = first; query < first + size; query++) {
      int32_t found = 0;
      const Status status =
          search_forest(*forest, accelerator.get(), queries.data() + query * forest->view.layout().dimensions, options,
                        memory, items + query * k, distances + query * k, &found);
      if (!status.ok()) return status;
      std::fill(items + query * k + found, items + (query + 1) * k, -1);
      std::fill(distances + query * k + found, distances + (query + 1) * k, std::nanf(""));
    }
    return Status::success();
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
  throw_unless_ok(env, search_forest(*forest(env), accelerator_.get(), query, options, &memory_, items.data,
                                     distances.data, &found));
  return Napi::Number::New(env, found);
}

Napi::Value Index::search(const Napi::CallbackInfo& info) {
  const Numbers<float> query = Arguments(info).floats(0);
  if (query.count != static_cast<size_t>(dimensions_)) throw make_error(info.Env(), "INTERNAL", "wrong length");
  if (find_not_finite(query.data, query.count) >= 0) {
    throw make_error(info.Env(), "INVALID_VECTOR", "the query holds NaN or infinity");
  }
  if (metric_ != Metric::hamming) {
    const std::string fault = length_fault(query.data, query.count, dimensions_, "query", 0);
    if (!fault.empty()) throw make_error(info.Env(), "INVALID_VECTOR", fault);
  }
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
  work->forest = forest(env);
  work->accelerator = accelerator_;
  const Numbers<float> queries = arguments.floats(0);
  work->count = static_cast<int64_t>(queries.count) / dimensions_;
  work->options.k = arguments.integer(1);
  work->options.search_k = arguments.wide_integer(2);
  work->allowed = AllowedCopy(arguments.allowed(3));
  work->exact = arguments.boolean(4);
  work->threads = arguments.integer(5);
  const Numbers<int32_t> items = arguments.integers(6);
  const Numbers<float> distances = arguments.floats(7);
  work->task = Task::state_of(info[8]);
  const auto results = static_cast<size_t>(work->count) * static_cast<size_t>(std::max(work->options.k, 1));
  if (work->options.k < 1 || items.count < results || distances.count < results) {
    throw make_error(env, "INTERNAL", "the arrays for the results are too short");
  }
  const int64_t bad = find_not_finite(queries.data, queries.count);
  if (bad >= 0) {
    throw make_error(env, "INVALID_VECTOR",
                     "query " + std::to_string(bad / dimensions_) + " is " +
                         (std::isnan(queries.data[bad]) ? "NaN" : "infinite") + " at position " +
                         std::to_string(bad % dimensions_));
  }
  if (metric_ != Metric::hamming) {
    const std::string fault = length_fault(queries.data, queries.count, dimensions_, "query", 0);
    if (!fault.empty()) throw make_error(env, "INVALID_VECTOR", fault);
  }
  work->queries.assign(queries.data, queries.data + queries.count);
  work->items = items.data;
  work->distances = distances.data;
  work->keep(info[6].As<Napi::Object>());
  work->keep(info[7].As<Napi::Object>());
  return Work::start(env, std::move(work));
}

}  // namespace semantic_index
