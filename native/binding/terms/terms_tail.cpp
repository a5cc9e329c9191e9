#include "binding/terms/terms_tail.h"

#include "binding/base/addon_data.h"
#include "binding/base/arguments.h"
#include "binding/base/random_key.h"
#include "binding/base/work.h"
#include "terms/packed_terms.h"

namespace semantic_index {

namespace {

/** Documents of a batch to be appended: all, or those with one of the keys. */
struct Batch {
  std::vector<uint8_t> copy;
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  double first_key = 0;
  bool takes_all = true;
  std::vector<double> keys_copy;
  const double* keys = nullptr;
  size_t key_count = 0;

  /** (batch: Uint8Array, firstKey: number, keys: Float64Array | undefined) */
  void read(const Arguments& arguments, const Napi::CallbackInfo& info) {
    const Numbers<uint8_t> given = arguments.bytes(0);
    bytes = given.data;
    size = given.count;
    first_key = arguments.number(1);
    takes_all = info[2].IsUndefined();
    if (takes_all) return;
    const Numbers<double> wanted = arguments.doubles(2);
    keys = wanted.data;
    key_count = wanted.count;
  }

  void own() {
    copy.assign(bytes, bytes + size);
    bytes = copy.data();
    if (takes_all) return;
    keys_copy.assign(keys, keys + key_count);
    keys = keys_copy.data();
  }

  Status append_to(SharedTermsTail* target, int32_t* appended) const {
    PackedTerms packed;
    Status status = PackedTerms::decode(bytes, size, &packed);
    if (!status.ok()) return status;
    std::vector<uint32_t> selected;
    size_t key = 0;
    for (uint32_t position = 0; position < packed.documents().size(); ++position) {
      const double own_key = first_key + static_cast<double>(packed.documents()[position].key);
      while (key < key_count && keys[key] < own_key) ++key;
      if (takes_all || (key < key_count && keys[key] == own_key)) selected.push_back(position);
    }
    if (!takes_all && selected.size() != key_count) {
      return Status::failure(StatusCode::corrupt, "the packed terms lack one of the documents");
    }
    const std::lock_guard<std::mutex> lock(target->appending);
    status = target->tail.append(packed, selected.data(), selected.size());
    if (status.ok()) *appended = static_cast<int32_t>(selected.size());
    return status;
  }
};

class AppendWork : public Work {
 public:
  AppendWork(TermsTailObject* object, const Napi::CallbackInfo& info) : object_(object) {
    keep(info.This().As<Napi::Object>());
  }

  TermsTailPointer tail;
  Batch batch;

  Status run() override { return batch.append_to(tail.get(), &appended_); }

  Napi::Value finish(Napi::Env env) override {
    object_->account(env);
    return Napi::Number::New(env, appended_);
  }

 private:
  TermsTailObject* object_;
  int32_t appended_ = 0;
};

}  // namespace

void TermsTailObject::define(Napi::Env env, Napi::Object exports) {
  exports.Set("TermsTail", DefineClass(env, "TermsTail",
                                       {InstanceAccessor<&TermsTailObject::items>("items"),
                                        InstanceAccessor<&TermsTailObject::memory>("memory"),
                                        InstanceMethod<&TermsTailObject::append>("append"),
                                        InstanceMethod<&TermsTailObject::append_later>("appendLater"),
                                        InstanceMethod<&TermsTailObject::close>("close")}));
}

TermsTailObject::TermsTailObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<TermsTailObject>(info), tail_(std::make_shared<SharedTermsTail>(random_key())) {}

TermsTailObject::~TermsTailObject() {
  // The environment may be ending here; then this call fails, which is harmless.
  int64_t ignored = 0;
  if (accounted_ != 0) napi_adjust_external_memory(Env(), -accounted_, &ignored);
}

const TermsTailPointer& TermsTailObject::tail(Napi::Env env) const {
  if (!tail_) throw make_error(env, "CLOSED", "the terms of the tail are closed");
  return tail_;
}

void TermsTailObject::account(Napi::Env env) {
  const int64_t now = tail_ ? static_cast<int64_t>(tail_->tail.memory()) : 0;
  if (now != accounted_) Napi::MemoryManagement::AdjustExternalMemory(env, now - accounted_);
  accounted_ = now;
}

Napi::Value TermsTailObject::items(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), tail_ ? tail_->tail.items() : 0);
}

Napi::Value TermsTailObject::memory(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), tail_ ? static_cast<double>(tail_->tail.memory()) : 0);
}

Napi::Value TermsTailObject::append(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Batch batch;
  batch.read(Arguments(info), info);
  int32_t appended = 0;
  const Status status = batch.append_to(tail(env).get(), &appended);
  account(env);
  throw_unless_ok(env, status);
  return Napi::Number::New(env, appended);
}

Napi::Value TermsTailObject::append_later(const Napi::CallbackInfo& info) {
  auto work = std::make_unique<AppendWork>(this, info);
  work->tail = tail(info.Env());
  work->batch.read(Arguments(info), info);
  work->batch.own();
  return Work::start(info.Env(), std::move(work));
}

void TermsTailObject::close(const Napi::CallbackInfo& info) {
  tail_.reset();
  account(info.Env());
}

}  // namespace semantic_index
