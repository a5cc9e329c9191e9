#include "binding/vectors/index.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "binding/base/addon_data.h"
#include "binding/base/arguments.h"

namespace semantic_index {

void Index::define(Napi::Env env, Napi::Object exports) {
  exports.Set("Index", DefineClass(env, "Index",
                                   {InstanceMethod<&Index::start_on_disk>("startOnDisk"),
                                    InstanceMethod<&Index::release_disk>("releaseDisk"),
                                    InstanceMethod<&Index::own_disk>("ownDisk"),
                                    InstanceMethod<&Index::add_items>("addItems"),
                                    InstanceMethod<&Index::item_vector>("itemVector"),
                                    InstanceMethod<&Index::item_vectors>("itemVectors"),
                                    InstanceMethod<&Index::distance>("distance"),
                                    InstanceMethod<&Index::facts>("facts"),
                                    InstanceMethod<&Index::close>("close"),
                                    InstanceMethod<&Index::unload>("unload"),
                                    InstanceMethod<&Index::share_into>("shareInto"),
                                    InstanceMethod<&Index::search>("search"),
                                    InstanceMethod<&Index::search_item>("searchItem"),
                                    InstanceMethod<&Index::search_many>("searchMany"),
                                    InstanceMethod<&Index::build_graph>("buildGraph"),
                                    InstanceMethod<&Index::save_graph>("saveGraph"),
                                    InstanceMethod<&Index::load_graph>("loadGraph"),
                                    InstanceMethod<&Index::verify_graph>("verifyGraph"),
                                    InstanceMethod<&Index::build>("build"),
                                    InstanceMethod<&Index::unbuild>("unbuild"),
                                    InstanceMethod<&Index::load>("load"),
                                    InstanceMethod<&Index::load_later>("loadLater"),
                                    InstanceMethod<&Index::from_bytes>("fromBytes"),
                                    InstanceMethod<&Index::to_bytes>("toBytes"),
                                    InstanceMethod<&Index::save>("save"),
                                    InstanceMethod<&Index::digest>("digest"),
                                    InstanceMethod<&Index::content>("content"),
                                    InstanceMethod<&Index::equals>("equals"),
                                    InstanceMethod<&Index::validate>("validate"),
                                    InstanceMethod<&Index::prefault>("prefault")}));
}

Index::Index(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Index>(info) {
  const Arguments arguments(info);
  metric_ = static_cast<Metric>(arguments.integer(0));
  dimensions_ = arguments.integer(1);
  throw_unless_ok(info.Env(), make_layout(metric_, dimensions_, &layout_));
  vector_.resize(static_cast<size_t>(dimensions_));
}

Index::~Index() {
  storage_.reset();
  segment_.forest.reset();
  remove_disk();
  // The environment may be ending here; then this call fails, which is harmless.
  int64_t ignored = 0;
  if (accounted_ != 0) napi_adjust_external_memory(Env(), -accounted_, &ignored);
}

NodeStorage& Index::storage(Napi::Env env) {
  if (closed_) throw make_error(env, "CLOSED", "the index is closed");
  if (segment_.forest) throw make_error(env, "ALREADY_BUILT", "the index is built");
  if (!storage_) {
    std::unique_ptr<NodeStorage> fresh;
    throw_unless_ok(env, NodeStorage::in_memory(layout_, &fresh));
    storage_ = std::move(fresh);
  }
  return *storage_;
}

const ForestPointer& Index::forest(Napi::Env env) const {
  if (!segment_.forest) throw make_error(env, closed_ ? "CLOSED" : "NOT_BUILT", "the index has no forest");
  return segment_.forest;
}

ForestView Index::view() const {
  if (segment_.forest) return segment_.forest->view;
  return storage_ ? ForestView::of_items(storage_->data(), storage_->items(), layout_) : ForestView();
}

int64_t Index::heap_bytes() const {
  if (segment_.forest) return segment_.heap_bytes();
  return storage_ && !storage_->is_on_disk() ? storage_->capacity_bytes() : 0;
}

void Index::account(Napi::Env env) {
  const int64_t now = heap_bytes();
  if (now == accounted_) return;
  Napi::MemoryManagement::AdjustExternalMemory(env, now - accounted_);
  accounted_ = now;
}

void Index::adopt(Napi::Env env, ForestPointer forest) {
  if (closed_) return;
  storage_.reset();
  segment_.graph.reset();
  segment_.forest = std::move(forest);
  account(env);
}

void Index::restore(Napi::Env env, std::shared_ptr<NodeStorage> storage) {
  if (closed_) return;
  segment_ = Segment();
  storage_ = std::move(storage);
  account(env);
}

void Index::start_on_disk(const Napi::CallbackInfo& info) {
  const std::string path = Arguments(info).string(0);
  storage(info.Env());
  std::unique_ptr<NodeStorage> fresh;
  throw_unless_ok(info.Env(), NodeStorage::on_disk(layout_, path, &fresh));
  storage_ = std::move(fresh);
  disk_path_ = path;
  account(info.Env());
}

void Index::release_disk(const Napi::CallbackInfo&) { disk_path_.clear(); }

void Index::own_disk(const Napi::CallbackInfo& info) { disk_path_ = Arguments(info).string(0); }

void Index::add_items(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const Arguments arguments(info);
  const int32_t first = arguments.integer(0);
  const Numbers<float> rows = arguments.floats(1);
  check_finite(env, rows, dimensions_, "item", first);
  check_lengths(env, rows, metric_, dimensions_, "item", first);
  const int64_t count = static_cast<int64_t>(rows.count) / dimensions_;
  const Status status = storage(env).set_items(first, rows.data, count, dimensions_);
  account(env);
  throw_unless_ok(env, status);
}

void Index::item_vector(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const Numbers<float> out = arguments.floats(1);
  if (out.count != static_cast<size_t>(dimensions_)) throw make_error(info.Env(), "INTERNAL", "wrong length");
  throw_unless_ok(info.Env(), view().item_vector(arguments.integer(0), out.data));
}

void Index::item_vectors(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int32_t first = arguments.integer(0);
  const Numbers<float> out = arguments.floats(1);
  const ForestView current = view();
  const auto dimensions = static_cast<size_t>(dimensions_);
  for (size_t row = 0; row < out.count / dimensions; row++) {
    const int32_t item = first + static_cast<int32_t>(row);
    float* vector = out.data + row * dimensions;
    if (current.has_item(item)) {
      throw_unless_ok(info.Env(), current.item_vector(item, vector));
    } else {
      std::fill(vector, vector + dimensions, std::nanf(""));
    }
  }
  throw_unless_ok(info.Env(), current.check_unchanged());
}

Napi::Value Index::distance(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  float distance = 0;
  throw_unless_ok(info.Env(), view().distance(arguments.integer(0), arguments.integer(1), &distance));
  return Napi::Number::New(info.Env(), static_cast<double>(distance));
}

Napi::Value Index::facts(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const ForestView current = view();
  Napi::Object facts = Napi::Object::New(env);
  const auto set = [&](const char* name, int64_t value) {
    facts.Set(name, Napi::Number::New(env, static_cast<double>(value)));
  };
  set("items", current.items());
  set("trees", current.trees());
  set("nodes", current.nodes());
  set("nodeBytes", static_cast<int64_t>(segment_.forest ? current.layout().node_bytes : layout_.node_bytes));
  set("heapBytes", heap_bytes());
  set("mappedBytes", segment_.forest                      ? segment_.mapped_bytes()
                     : storage_ && storage_->is_on_disk() ? storage_->capacity_bytes()
                                                          : 0);
  set("fileBytes", segment_.forest ? segment_.forest->size : 0);
  set("graphBytes", segment_.graph ? segment_.graph->size() : 0);
  facts.Set("graphDamaged", Napi::Boolean::New(env, segment_.graph && segment_.graph->state.is_damaged.load()));
  facts.Set("graphForeign", Napi::Boolean::New(env, segment_.graph && segment_.graph->state.is_foreign.load()));
  return facts;
}

void Index::share_into(const Napi::CallbackInfo& info) {
  Index* target = Index::Unwrap(info[0].As<Napi::Object>());
  // A target that was closed meanwhile stays empty.
  if (target->closed_) return;
  target->remove_disk();
  // The memory is accounted for once: the target is a short-lived second owner.
  forest(info.Env());
  target->segment_ = segment_;
}

void Index::close(const Napi::CallbackInfo& info) {
  closed_ = true;
  unload(info);
}

void Index::unload(const Napi::CallbackInfo& info) {
  storage_.reset();
  segment_ = Segment();
  remove_disk();
  account(info.Env());
}

void Index::remove_disk() {
  if (!disk_path_.empty()) std::remove(disk_path_.c_str());
  disk_path_.clear();
}

}  // namespace semantic_index
