#include "binding/columns/columns.h"

#include <cmath>

#include "base/checksum.h"
#include "binding/base/addon_data.h"
#include "binding/base/arguments.h"
#include "binding/base/work.h"

namespace semantic_index {

namespace {

/** Documents of a batch, and what is done with them: appended, or put instead of those of items. */
struct Change {
  std::vector<uint8_t> batch;
  double first_key = 0;
  bool takes_all = true;
  std::vector<double> keys;
  std::vector<int32_t> items;
  bool replaces = false;

  /** (batch: Uint8Array, firstKey: number, keys: Float64Array | undefined, items: Int32Array) */
  Change(const Napi::CallbackInfo& info, bool is_replacement) : replaces(is_replacement) {
    const Arguments arguments(info);
    const Numbers<uint8_t> bytes = arguments.bytes(0);
    batch.assign(bytes.data, bytes.data + bytes.count);
    first_key = arguments.number(1);
    takes_all = info[2].IsUndefined();
    if (takes_all) return;
    const Numbers<double> wanted = arguments.doubles(2);
    keys.assign(wanted.data, wanted.data + wanted.count);
    if (!replaces) return;
    const Numbers<int32_t> given = arguments.integers(3);
    items.assign(given.data, given.data + given.count);
    if (items.size() != keys.size()) throw make_error(info.Env(), "INTERNAL", "keys and items do not fit together");
  }

  Status apply(SharedColumns* target, uint32_t* changed) const {
    PackedMetadata packed;
    Status status = PackedMetadata::decode(batch.data(), batch.size(), &packed);
    if (!status.ok()) return status;
    std::vector<uint32_t> selected;
    std::vector<uint32_t> replaced(packed.keys().size(), kNoItem);
    size_t key = 0;
    for (uint32_t position = 0; position < packed.keys().size(); ++position) {
      const double own_key = first_key + static_cast<double>(packed.keys()[position]);
      while (key < keys.size() && keys[key] < own_key) ++key;
      if (!takes_all && (key == keys.size() || keys[key] != own_key)) continue;
      selected.push_back(position);
      if (replaces) replaced[position] = static_cast<uint32_t>(items[key]);
    }
    *changed = static_cast<uint32_t>(selected.size());
    const std::lock_guard<std::mutex> lock(target->changing);
    return replaces ? target->columns.replace(packed, replaced.data(), replaced.size())
                    : target->columns.append(packed, selected.data(), selected.size());
  }
};

class ChangeWork : public Work {
 public:
  ChangeWork(ColumnsObject* object, const Napi::CallbackInfo& info, bool is_replacement)
      : object_(object), columns_(object->columns(info.Env())), change_(info, is_replacement) {
    keep(info.This().As<Napi::Object>());
  }

  Status run() override { return change_.apply(columns_.get(), &changed_); }

  Napi::Value finish(Napi::Env env) override {
    object_->account(env);
    return Napi::Number::New(env, changed_);
  }

 private:
  ColumnsObject* object_;
  ColumnsPointer columns_;
  Change change_;
  uint32_t changed_ = 0;
};

class CompactWork : public Work {
 public:
  CompactWork(ColumnsObject* object, const Napi::CallbackInfo& info)
      : object_(object), columns_(object->columns(info.Env())) {
    keep(info.This().As<Napi::Object>());
  }

  Status run() override {
    const std::lock_guard<std::mutex> lock(columns_->compacting);
    return columns_->columns.compact(&task->cancelled);
  }

  Napi::Value finish(Napi::Env env) override {
    object_->account(env);
    return env.Undefined();
  }

 private:
  ColumnsObject* object_;
  ColumnsPointer columns_;
};

Napi::Value change_now(ColumnsObject* object, const Napi::CallbackInfo& info, bool is_replacement) {
  Napi::Env env = info.Env();
  uint32_t changed = 0;
  const Status status = Change(info, is_replacement).apply(object->columns(env).get(), &changed);
  object->account(env);
  throw_unless_ok(env, status);
  return Napi::Number::New(env, changed);
}

}  // namespace

void ColumnsObject::define(Napi::Env env, Napi::Object exports) {
  exports.Set(
      "Columns",
      DefineClass(
          env, "Columns",
          {InstanceAccessor<&ColumnsObject::items>("items"), InstanceAccessor<&ColumnsObject::memory>("memory"),
           InstanceAccessor<&ColumnsObject::layers>("layers"), InstanceAccessor<&ColumnsObject::is_due>("isDue"),
           InstanceMethod<&ColumnsObject::file>("file"), InstanceMethod<&ColumnsObject::has_changed>("hasChanged"),
           InstanceMethod<&ColumnsObject::append>("append"),
           InstanceMethod<&ColumnsObject::append_later>("appendLater"),
           InstanceMethod<&ColumnsObject::replace>("replace"),
           InstanceMethod<&ColumnsObject::replace_later>("replaceLater"),
           InstanceMethod<&ColumnsObject::compact>("compact"), InstanceMethod<&ColumnsObject::close>("close")}));
}

ColumnsObject::ColumnsObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ColumnsObject>(info) {
  ColumnsImagePointer image;
  if (!info[0].IsUndefined()) throw_unless_ok(info.Env(), open_columns_file(Arguments(info).string(0), &image));
  columns_ = std::make_shared<SharedColumns>(std::move(image));
}

ColumnsObject::~ColumnsObject() {
  // The environment may be ending here; then this call fails, which is harmless.
  int64_t ignored = 0;
  if (accounted_ != 0) napi_adjust_external_memory(Env(), -accounted_, &ignored);
}

const ColumnsPointer& ColumnsObject::columns(Napi::Env env) const {
  if (!columns_) throw make_error(env, "CLOSED", "the columns are closed");
  return columns_;
}

void ColumnsObject::account(Napi::Env env) {
  const int64_t now = columns_ ? static_cast<int64_t>(columns_->columns.snapshot()->memory()) : 0;
  if (now != accounted_) Napi::MemoryManagement::AdjustExternalMemory(env, now - accounted_);
  accounted_ = now;
}

Napi::Value ColumnsObject::items(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), columns_ ? columns_->columns.snapshot()->items : 0);
}

Napi::Value ColumnsObject::memory(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), columns_ ? static_cast<double>(columns_->columns.snapshot()->memory()) : 0);
}

Napi::Value ColumnsObject::layers(const Napi::CallbackInfo& info) {
  const std::shared_ptr<const ColumnsSnapshot> now = columns(info.Env())->columns.snapshot();
  return Napi::Number::New(info.Env(), static_cast<double>(now->layers.size() + now->patches.size()));
}

Napi::Value ColumnsObject::is_due(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), columns_ && columns_->columns.is_due());
}

Napi::Value ColumnsObject::file(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const ColumnsImagePointer& image = columns(env)->file;
  if (image == nullptr) return env.Undefined();
  const ColumnsHeader& header = image->view.header();
  Napi::Object facts = Napi::Object::New(env);
  facts.Set("columns", header.columns);
  facts.Set("bytes", static_cast<double>(image->file->size()));
  facts.Set("checksum", checksum_text(header.header_checksum));
  facts.Set("source", static_cast<double>(header.source));
  facts.Set("opaque", header.opaque);
  facts.Set("incomplete", header.incomplete);
  return facts;
}

Napi::Value ColumnsObject::has_changed(const Napi::CallbackInfo& info) {
  const ColumnsImagePointer& image = columns(info.Env())->file;
  return Napi::Boolean::New(info.Env(), image != nullptr && image->file->has_changed());
}

Napi::Value ColumnsObject::append(const Napi::CallbackInfo& info) { return change_now(this, info, false); }

Napi::Value ColumnsObject::replace(const Napi::CallbackInfo& info) { return change_now(this, info, true); }

Napi::Value ColumnsObject::append_later(const Napi::CallbackInfo& info) {
  return Work::start(info.Env(), std::make_unique<ChangeWork>(this, info, false));
}

Napi::Value ColumnsObject::replace_later(const Napi::CallbackInfo& info) {
  return Work::start(info.Env(), std::make_unique<ChangeWork>(this, info, true));
}

Napi::Value ColumnsObject::compact(const Napi::CallbackInfo& info) {
  auto work = std::make_unique<CompactWork>(this, info);
  work->task = Task::state_of(info[0]);
  return Work::start(info.Env(), std::move(work));
}

void ColumnsObject::close(const Napi::CallbackInfo& info) {
  columns_.reset();
  account(info.Env());
}

}  // namespace semantic_index
