#include <algorithm>
#include <cstring>
#include <new>

#include "annoy/forest_build.h"
#include "binding/base/addon_data.h"
#include "binding/base/arguments.h"
#include "binding/base/task.h"
#include "binding/base/work.h"
#include "binding/vectors/index.h"
#include "binding/vectors/structure_report.h"
#include "segment/forest_digest.h"

namespace semantic_index {

namespace {

/** Work that an Index does on itself, and that keeps it alive. */
class IndexWork : public Work {
 public:
  IndexWork(Index* index, const Napi::CallbackInfo& info) : index_(index) { keep(info.This().As<Napi::Object>()); }

  ForestPointer forest;

 protected:
  Index* index_;
};

class BuildWork : public IndexWork {
 public:
  using IndexWork::IndexWork;
  std::shared_ptr<NodeStorage> storage;
  BuildOptions options;

  Status run() override {
    options.cancel = &task->cancelled;
    options.progress = report_progress;
    options.progress_context = task.get();
    BuildResult result;
    Status status = build_forest(storage.get(), options, &result);
    if (status.ok()) status = storage->finish();
    if (status.ok()) status = forest_from_storage(storage, &forest);
    return status;
  }

  Napi::Value finish(Napi::Env env) override {
    index_->adopt(env, std::move(forest));
    return env.Undefined();
  }

  void fail(Napi::Env env) override { index_->restore(env, std::move(storage)); }
};

/** Removes the trees, or copies the items when others still read the forest. */
class UnbuildWork : public IndexWork {
 public:
  using IndexWork::IndexWork;
  std::shared_ptr<NodeStorage> storage;

  Status run() override {
    if (storage) return storage->unbuild();
    return copy_items(*forest, &task->cancelled, &storage);
  }

  Napi::Value finish(Napi::Env env) override {
    index_->restore(env, std::move(storage));
    return env.Undefined();
  }

  void fail(Napi::Env env) override {
    if (forest) index_->adopt(env, std::move(forest));
  }
};

class LoadWork : public IndexWork {
 public:
  using IndexWork::IndexWork;
  std::string path;
  /** The bytes to load, when `path` is empty. */
  std::unique_ptr<uint64_t[]> bytes;
  int64_t size = 0;
  Metric metric = Metric::angular;
  int32_t dimensions = 0;
  bool prefault = false;

  Status run() override {
    if (!path.empty()) return load();
    return forest_from_bytes(std::move(bytes), size, metric, dimensions, &forest);
  }

  Status load() {
    const Status status = forest_from_file(path, metric, dimensions, &forest);
    return status.ok() && prefault ? forest->file->prefault(&task->cancelled) : status;
  }

  Napi::Value finish(Napi::Env env) override {
    index_->adopt(env, std::move(forest));
    return env.Undefined();
  }
};

class SaveWork : public IndexWork {
 public:
  using IndexWork::IndexWork;
  std::string path;

  Status run() override { return save_forest(*forest, path, &task->cancelled); }
};

class CopyWork : public IndexWork {
 public:
  using IndexWork::IndexWork;
  uint8_t* target = nullptr;

  Status run() override { return copy_bytes(*forest, &task->cancelled, target); }
};

class DigestWork : public IndexWork {
 public:
  using IndexWork::IndexWork;

  Status run() override { return compute_digest(*forest, &task->cancelled, &digest_); }

  Napi::Value finish(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    result.Set("items", digest_.items);
    result.Set("forest", digest_.forest);
    result.Set("ends", digest_.ends);
    result.Set("content", digest_.content);
    return result;
  }

 private:
  ForestDigest digest_;
};

/** Resolves to the checksum of all bytes. */
class ContentWork : public IndexWork {
 public:
  using IndexWork::IndexWork;

  Status run() override { return compute_content(*forest, &task->cancelled, &content_); }

  Napi::Value finish(Napi::Env env) override { return Napi::String::New(env, content_); }

 private:
  std::string content_;
};

/** Resolves to whether two forests have the same bytes. */
class EqualsWork : public IndexWork {
 public:
  using IndexWork::IndexWork;

  ForestPointer other;

  Status run() override { return compare_forests(*forest, *other, &task->cancelled, &equal_); }

  Napi::Value finish(Napi::Env env) override { return Napi::Boolean::New(env, equal_); }

 private:
  bool equal_ = false;
};

class ValidateWork : public IndexWork {
 public:
  using IndexWork::IndexWork;

  Status run() override {
    const Status status = validate_structure(forest->view, &report_, &task->cancelled);
    return status.ok() ? forest->view.check_unchanged() : status;
  }

  Napi::Value finish(Napi::Env env) override { return structure_report(env, report_); }

 private:
  StructureReport report_;
};

class PrefaultWork : public IndexWork {
 public:
  using IndexWork::IndexWork;

  Status run() override { return forest->file ? forest->file->prefault(&task->cancelled) : Status::success(); }
};

}  // namespace

Napi::Value Index::build(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const Arguments arguments(info);
  storage(env);
  auto work = std::make_unique<BuildWork>(this, info);
  work->options.trees = arguments.integer(0);
  work->options.seed = static_cast<uint64_t>(arguments.wide_integer(1));
  work->options.threads = arguments.integer(2);
  work->task = Task::state_of(info[3]);
  // The build owns the items until it ends.
  work->storage = std::move(storage_);
  storage_.reset();
  return Work::start(env, std::move(work));
}

Napi::Value Index::unbuild(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto work = std::make_unique<UnbuildWork>(this, info);
  work->forest = forest(env);
  // The two owners are this index and the work: nothing else reads the forest.
  const bool alone = work->forest.use_count() == 2;
  if (alone && work->forest->storage && !work->forest->storage->is_on_disk()) {
    work->storage = work->forest->storage;
    work->forest.reset();
    segment_.forest.reset();
  }
  return Work::start(env, std::move(work));
}

void Index::load(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  ForestPointer loaded;
  throw_unless_ok(info.Env(), forest_from_file(arguments.string(0), metric_, dimensions_, &loaded));
  adopt(info.Env(), std::move(loaded));
}

Napi::Value Index::load_later(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  auto work = std::make_unique<LoadWork>(this, info);
  work->path = arguments.string(0);
  work->prefault = arguments.boolean(1);
  work->metric = metric_;
  work->dimensions = dimensions_;
  return Work::start(info.Env(), std::move(work));
}

Napi::Value Index::from_bytes(const Napi::CallbackInfo& info) {
  const Numbers<uint8_t> bytes = Arguments(info).bytes(0);
  auto work = std::make_unique<LoadWork>(this, info);
  work->size = static_cast<int64_t>(bytes.count);
  work->bytes.reset(new (std::nothrow) uint64_t[bytes.count / 8 + 1]);
  if (!work->bytes) throw to_error(info.Env(), Status::no_memory());
  if (bytes.count > 0) std::memcpy(work->bytes.get(), bytes.data, bytes.count);
  work->metric = metric_;
  work->dimensions = dimensions_;
  return Work::start(info.Env(), std::move(work));
}

Napi::Value Index::to_bytes(const Napi::CallbackInfo& info) {
  const Numbers<uint8_t> target = Arguments(info).bytes(0);
  auto work = std::make_unique<CopyWork>(this, info);
  work->forest = forest(info.Env());
  if (static_cast<int64_t>(target.count) != work->forest->size) {
    throw make_error(info.Env(), "INTERNAL", "the array for the bytes has the wrong length");
  }
  work->target = target.data;
  work->keep(info[0].As<Napi::Object>());
  return Work::start(info.Env(), std::move(work));
}

Napi::Value Index::save(const Napi::CallbackInfo& info) {
  auto work = std::make_unique<SaveWork>(this, info);
  work->forest = forest(info.Env());
  work->path = Arguments(info).string(0);
  return Work::start(info.Env(), std::move(work));
}

Napi::Value Index::digest(const Napi::CallbackInfo& info) {
  auto work = std::make_unique<DigestWork>(this, info);
  work->forest = forest(info.Env());
  work->task = Task::state_of(info[0]);
  return Work::start(info.Env(), std::move(work));
}

Napi::Value Index::content(const Napi::CallbackInfo& info) {
  auto work = std::make_unique<ContentWork>(this, info);
  work->forest = forest(info.Env());
  work->task = Task::state_of(info[0]);
  return Work::start(info.Env(), std::move(work));
}

Napi::Value Index::equals(const Napi::CallbackInfo& info) {
  auto work = std::make_unique<EqualsWork>(this, info);
  work->forest = forest(info.Env());
  work->other = Index::Unwrap(info[0].As<Napi::Object>())->forest(info.Env());
  work->task = Task::state_of(info[1]);
  return Work::start(info.Env(), std::move(work));
}

Napi::Value Index::validate(const Napi::CallbackInfo& info) {
  auto work = std::make_unique<ValidateWork>(this, info);
  work->forest = forest(info.Env());
  work->task = Task::state_of(info[0]);
  return Work::start(info.Env(), std::move(work));
}

Napi::Value Index::prefault(const Napi::CallbackInfo& info) {
  auto work = std::make_unique<PrefaultWork>(this, info);
  work->forest = forest(info.Env());
  return Work::start(info.Env(), std::move(work));
}

}  // namespace semantic_index
