// Look-ups in the dictionaries of a snapshot, and filters by terms.
#include <utility>

#include "binding/base/addon_data.h"
#include "binding/base/arguments.h"
#include "binding/base/bitsets.h"
#include "binding/base/work.h"
#include "binding/search/search_snapshot.h"
#include "terms/packed_terms.h"
#include "terms/query/term_look_up.h"
#include "terms/query/terms_filter.h"
#include "terms/query/terms_query.h"

namespace semantic_index {

namespace {

/** Work on the terms of a snapshot. Damaged bytes are a finding: a caller that knows the part can go on without it. */
class TermsWork : public Work {
 public:
  SearchSnapshotPointer snapshot;
  BitsetCopies allowed;

  Status run() override {
    for (const int32_t part : snapshot->with_terms()) {
      const Allowed set = allowed.size() == 0 ? Allowed() : allowed.set(static_cast<size_t>(part));
      allowed_items_.push_back({set.bits, set.words});
    }
    int32_t failed = -1;
    const Status status = read(allowed.size() == 0 ? nullptr : allowed_items_.data(), &failed);
    for (const int32_t part : snapshot->with_terms()) {
      if (snapshot->part(static_cast<size_t>(part)).has_changed()) changed_.push_back(part);
    }
    const bool is_damage = status.code == StatusCode::corrupt || status.code == StatusCode::file_changed;
    if (!is_damage || failed < 0) return status;
    failed_part_ = snapshot->with_terms()[static_cast<size_t>(failed)];
    fault_ = status.message;
    return Status::success();
  }

  Napi::Value finish(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    Napi::Array changed = Napi::Array::New(env, changed_.size());
    for (size_t index = 0; index < changed_.size(); ++index) changed.Set(static_cast<uint32_t>(index), changed_[index]);
    result.Set("changed", changed);
    if (failed_part_ >= 0) {
      Napi::Object fault = Napi::Object::New(env);
      fault.Set("part", failed_part_);
      fault.Set("side", "terms");
      fault.Set("message", fault_);
      result.Set("fault", fault);
    }
    result.Set("found", failed_part_ >= 0 ? Napi::Value(Napi::Array::New(env)) : found(env));
    return result;
  }

 protected:
  virtual Status read(const ItemBits* allowed, int32_t* failed) = 0;
  virtual Napi::Value found(Napi::Env env) = 0;

 private:
  std::vector<ItemBits> allowed_items_;
  std::vector<int32_t> changed_;
  int32_t failed_part_ = -1;
  std::string fault_;
};

Status decode(const std::vector<uint8_t>& bytes, std::vector<QueryTerm>* terms) {
  const Status status = decode_query_terms(bytes.data(), bytes.size(), terms);
  return status.ok() ? status : Status::failure(StatusCode::invalid_argument, status.message);
}

class LookUpWork : public TermsWork {
 public:
  std::vector<uint8_t> packed;
  std::vector<uint32_t> distances;
  TermLookUp request;

 protected:
  Status read(const ItemBits* allowed, int32_t* failed) override {
    std::vector<QueryTerm> terms;
    Status status = decode(packed, &terms);
    if (status.ok() && !request.is_prefix && distances.size() != terms.size()) {
      status = Status::failure(StatusCode::invalid_argument, "expected a distance for each term");
    }
    request.allowed = allowed;
    request.cancel = &task->cancelled;
    lists_.resize(terms.size());
    cut_.resize(terms.size());
    for (size_t index = 0; index < terms.size() && status.ok(); ++index) {
      request.term = terms[index].term;
      request.max_distance = request.is_prefix ? 0 : distances[index];
      bool is_cut = false;
      status = semantic_index::look_up_terms(snapshot->terms(), request, &lists_[index], &is_cut, failed);
      cut_[index] = is_cut;
    }
    return status;
  }

  Napi::Value found(Napi::Env env) override {
    Napi::Array lists = Napi::Array::New(env, lists_.size());
    for (uint32_t index = 0; index < lists_.size(); ++index) {
      const std::vector<FoundTerm>& own = lists_[index];
      Napi::Array terms = Napi::Array::New(env, own.size());
      for (uint32_t place = 0; place < own.size(); ++place) terms.Set(place, term_of(env, own[place]));
      Napi::Object list = Napi::Object::New(env);
      list.Set("terms", terms);
      list.Set("isCut", static_cast<bool>(cut_[index]));
      lists.Set(index, list);
    }
    return lists;
  }

 private:
  Napi::Object term_of(Napi::Env env, const FoundTerm& found) const {
    Napi::Object term = Napi::Object::New(env);
    term.Set("term", Napi::String::New(env, found.term));
    term.Set("distance", found.distance);
    term.Set("documents", static_cast<double>(found.documents));
    Napi::Float64Array keys = Napi::Float64Array::New(env, found.sample.size());
    for (size_t index = 0; index < found.sample.size(); ++index) {
      const TermDocument& document = found.sample[index];
      const auto part = static_cast<size_t>(snapshot->with_terms()[static_cast<size_t>(document.part)]);
      keys[index] = static_cast<double>(snapshot->part(part).keys.key_of(document.item));
    }
    term.Set("keys", keys);
    return term;
  }

  std::vector<std::vector<FoundTerm>> lists_;
  std::vector<bool> cut_;
};

class CountWork : public TermsWork {
 public:
  std::vector<uint8_t> packed;

 protected:
  Status read(const ItemBits*, int32_t* failed) override {
    std::vector<QueryTerm> terms;
    Status status = decode(packed, &terms);
    if (!status.ok()) return status;
    TermsQuery query;
    status = query.prepare(snapshot->terms(), terms.data(), terms.size(), &task->cancelled);
    *failed = query.failed_part();
    if (status.ok()) statistics_ = query.statistics();
    return status;
  }

  Napi::Value found(Napi::Env env) override {
    Napi::Float64Array numbers = Napi::Float64Array::New(env, 2 + statistics_.counts.size());
    numbers[0] = statistics_.documents;
    numbers[1] = statistics_.length;
    std::copy(statistics_.counts.begin(), statistics_.counts.end(), numbers.Data() + 2);
    return numbers;
  }

 private:
  TermsStatistics statistics_;
};

class FilterWork : public TermsWork {
 public:
  std::vector<uint8_t> required;
  std::vector<uint8_t> excluded;

 protected:
  Status read(const ItemBits* allowed, int32_t* failed) override {
    TermsFilter filter;
    filter.allowed = allowed;
    filter.cancel = &task->cancelled;
    std::vector<QueryTerm> terms;
    Status status = decode(required, &terms);
    for (const QueryTerm& term : terms) filter.required.push_back(term.term);
    if (status.ok()) status = decode(excluded, &terms);
    if (!status.ok()) return status;
    for (const QueryTerm& term : terms) filter.excluded.push_back(term.term);
    return semantic_index::filter_by_terms(snapshot->terms(), filter, &matching_, failed);
  }

  Napi::Value found(Napi::Env env) override {
    Napi::Array sets = Napi::Array::New(env, snapshot->size());
    for (size_t place = 0; place < matching_.size(); ++place) {
      const std::vector<uint32_t>& words = matching_[place];
      Napi::Uint32Array set = Napi::Uint32Array::New(env, words.size());
      std::copy(words.begin(), words.end(), set.Data());
      sets.Set(static_cast<uint32_t>(snapshot->with_terms()[place]), set);
    }
    return sets;
  }

 private:
  std::vector<std::vector<uint32_t>> matching_;
};

std::vector<uint8_t> bytes_of(Napi::Env env, const Napi::Value& value) {
  const Napi::Uint8Array bytes = value.As<Napi::Uint8Array>();
  if (!value.IsTypedArray() || bytes.TypedArrayType() != napi_uint8_array) {
    throw make_error(env, "INTERNAL", "expected packed terms");
  }
  return std::vector<uint8_t>(bytes.Data(), bytes.Data() + bytes.ElementLength());
}

void begin(Napi::Env env, const SearchSnapshotPointer& snapshot, const Napi::Value& allowed, const Napi::Value& task,
           TermsWork* work) {
  if (!snapshot) throw make_error(env, "CLOSED", "the snapshot is closed");
  work->snapshot = snapshot;
  if (!allowed.IsUndefined()) {
    work->allowed = BitsetCopies(env, allowed);
    if (work->allowed.size() != snapshot->size()) throw make_error(env, "INTERNAL", "expected a set for each part");
  }
  work->task = Task::state_of(task);
}

}  // namespace

Napi::Value SearchSnapshotObject::look_up_terms(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const Arguments arguments(info);
  auto work = std::make_unique<LookUpWork>();
  begin(env, snapshot_, info[5], info[6], work.get());
  work->packed = bytes_of(env, info[0]);
  work->request.is_prefix = info[1].IsUndefined();
  if (!work->request.is_prefix) {
    const Napi::Uint32Array distances = info[1].As<Napi::Uint32Array>();
    work->distances.assign(distances.Data(), distances.Data() + distances.ElementLength());
  }
  work->request.same_first = arguments.boolean(2);
  work->request.limit = static_cast<size_t>(arguments.integer(3));
  work->request.sample = static_cast<size_t>(arguments.integer(4));
  return Work::start(env, std::move(work));
}

Napi::Value SearchSnapshotObject::count_terms(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto work = std::make_unique<CountWork>();
  begin(env, snapshot_, env.Undefined(), info[1], work.get());
  work->packed = bytes_of(env, info[0]);
  return Work::start(env, std::move(work));
}

Napi::Value SearchSnapshotObject::filter_by_terms(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto work = std::make_unique<FilterWork>();
  begin(env, snapshot_, info[2], info[3], work.get());
  work->required = bytes_of(env, info[0]);
  work->excluded = bytes_of(env, info[1]);
  return Work::start(env, std::move(work));
}

}  // namespace semantic_index
