#include "binding/terms/keyed_postings.h"

#include <cstring>

#include "binding/base/addon_data.h"
#include "binding/base/arguments.h"
#include "binding/base/work.h"
#include "terms/postings/keyed_postings.h"

namespace semantic_index {

namespace {

/** The terms of a query with their postings, which stay where JavaScript has them. */
struct Query {
  std::vector<KeyedPostings> terms;
  Bm25 bm25;

  /** (postings, weights, sizes, ...) */
  explicit Query(const Napi::CallbackInfo& info) {
    const Arguments arguments(info);
    const Napi::Array lists = info[0].As<Napi::Array>();
    const Numbers<double> weights = arguments.doubles(1);
    const Numbers<double> sizes = arguments.doubles(2);
    bool fits = weights.count == lists.Length() && sizes.count == 3;
    for (uint32_t place = 0; fits && place < lists.Length(); ++place) {
      const Napi::Object list = lists.Get(place).As<Napi::Object>();
      const Napi::Float64Array keys = list.Get("keys").As<Napi::Float64Array>();
      const Napi::Uint32Array frequencies = list.Get("frequencies").As<Napi::Uint32Array>();
      const Napi::Uint32Array lengths = list.Get("lengths").As<Napi::Uint32Array>();
      const size_t count = keys.ElementLength();
      fits = frequencies.ElementLength() == count && lengths.ElementLength() == count;
      terms.push_back({keys.Data(), frequencies.Data(), lengths.Data(), count, weights.data[place]});
    }
    if (!fits) throw make_error(info.Env(), "INTERNAL", "postings, weights and sizes do not fit together");
    bm25 = Bm25(sizes.data[0], sizes.data[1], sizes.data[2]);
  }
};

/** A query with how many documents are wanted, and which ones are not. */
struct Ranking {
  explicit Ranking(const Napi::CallbackInfo& info) : query(info) {
    const Numbers<double> keys = Arguments(info).doubles(3);
    without.assign(keys.data, keys.data + keys.count);
    limit = Arguments(info).number(4);
  }

  std::vector<KeyedScore> run(const std::atomic<bool>* cancelled) const {
    if (limit < 0) return all_by_terms(query.terms, query.bm25, without, cancelled);
    return best_by_terms(query.terms, query.bm25, static_cast<size_t>(limit), without, cancelled);
  }

  Query query;
  std::vector<double> without;
  double limit = 0;
};

Napi::Value pairs_of(Napi::Env env, const std::vector<KeyedScore>& hits) {
  static_assert(sizeof(KeyedScore) == 2 * sizeof(double), "a hit is copied as two numbers");
  Napi::Float64Array pairs = Napi::Float64Array::New(env, 2 * hits.size());
  if (!hits.empty()) std::memcpy(pairs.Data(), hits.data(), hits.size() * sizeof(KeyedScore));
  return pairs;
}

class RankWork : public Work {
 public:
  explicit RankWork(const Napi::CallbackInfo& info) : ranking_(info) {
    task = Task::state_of(info[5]);
    // The arrays are those that the elements have now.
    const Napi::Array lists = info[0].As<Napi::Array>();
    for (uint32_t place = 0; place < lists.Length(); ++place) keep(lists.Get(place).As<Napi::Object>());
  }

  Status run() override {
    hits_ = ranking_.run(&task->cancelled);
    return Status();
  }

  Napi::Value finish(Napi::Env env) override { return pairs_of(env, hits_); }

 private:
  const Ranking ranking_;
  std::vector<KeyedScore> hits_;
};

}  // namespace

Napi::Value rank_postings(const Napi::CallbackInfo& info) { return pairs_of(info.Env(), Ranking(info).run(nullptr)); }

Napi::Value rank_postings_later(const Napi::CallbackInfo& info) {
  return Work::start(info.Env(), std::make_unique<RankWork>(info));
}

Napi::Value score_postings(const Napi::CallbackInfo& info) {
  const Query query(info);
  const Numbers<double> keys = Arguments(info).doubles(3);
  Napi::Float64Array scores = Napi::Float64Array::New(info.Env(), keys.count);
  scores_of_keys(query.terms, query.bm25, keys.data, keys.count, scores.Data());
  return scores;
}

}  // namespace semantic_index
