#include "addon_data.h"
#include "arguments.h"
#include "graph/build/graph_build.h"
#include "index.h"
#include "io/atomic_file.h"
#include "task.h"
#include "work.h"

namespace semantic_index {

namespace {

class AccelerateWork : public Work {
 public:
  AccelerateWork(Index* index, const Napi::CallbackInfo& info) : index_(index) { keep(info.This().As<Napi::Object>()); }

  ForestPointer forest;
  int threads = 1;

  Status run() override {
    AcceleratorOptions options;
    options.threads = threads;
    options.cancel = &task->cancelled;
    options.progress = [](void* context, int64_t done, int64_t total) {
      auto* state = static_cast<TaskState*>(context);
      state->done.store(done);
      state->total.store(total);
    };
    options.progress_context = task.get();
    auto made = std::make_shared<Accelerator>();
    Status status = build_accelerator(forest->view, options, &made->memory);
    if (status.ok()) status = AcceleratorView::open(made->data(), made->size(), forest->view, &made->view);
    made->is_own.store(status.ok());
    accelerator_ = std::move(made);
    return status;
  }

  Napi::Value finish(Napi::Env env) override {
    index_->attach(env, forest, std::move(accelerator_));
    return env.Undefined();
  }

 private:
  Index* index_;
  AcceleratorPointer accelerator_;
};

class SaveAcceleratorWork : public Work {
 public:
  AcceleratorPointer accelerator;
  std::string path;

  Status run() override {
    const BytesView all{accelerator->data(), accelerator->size()};
    const Status status = save_atomically(path, &all, 1, &task->cancelled);
    if (!status.ok() || !accelerator->file || !accelerator->file->changed().load()) return status;
    return Status::failure(StatusCode::file_changed, "the accelerator was cut short while it was copied");
  }
};

/** What TypeScript learns of an accelerator that cannot be used: why, and whether it belongs to another forest. */
Napi::Value fault_of(Napi::Env env, const Status& status) {
  Napi::Object fault = Napi::Object::New(env);
  fault.Set("message", Napi::String::New(env, status.message));
  fault.Set("isForeign", Napi::Boolean::New(env, status.code == StatusCode::invalid_argument));
  return fault;
}

/** Resolves to what is wrong, or to nothing. */
class VerifyWork : public Work {
 public:
  ForestPointer forest;
  AcceleratorPointer accelerator;

  Status run() override {
    const Status status = accelerator->view.verify(forest->view, &task->cancelled);
    if (status.code == StatusCode::cancelled) return status;
    found_ = status;
    return Status::success();
  }

  Napi::Value finish(Napi::Env env) override { return found_.ok() ? env.Undefined() : fault_of(env, found_); }

 private:
  Status found_;
};

}  // namespace

void Index::attach(Napi::Env env, const ForestPointer& forest, AcceleratorPointer accelerator) {
  // It belongs to the forest that it was derived from, and to none that came in its place.
  if (closed_ || forest_ != forest) return;
  accelerator_ = std::move(accelerator);
  account(env);
}

Napi::Value Index::accelerate(const Napi::CallbackInfo& info) {
  auto work = std::make_unique<AccelerateWork>(this, info);
  work->forest = forest(info.Env());
  work->threads = Arguments(info).integer(0);
  work->task = Task::state_of(info[1]);
  return Work::start(info.Env(), std::move(work));
}

Napi::Value Index::save_accelerator(const Napi::CallbackInfo& info) {
  auto work = std::make_unique<SaveAcceleratorWork>();
  if (!accelerator_) throw make_error(info.Env(), "INTERNAL", "there is no accelerator");
  work->accelerator = accelerator_;
  work->path = Arguments(info).string(0);
  return Work::start(info.Env(), std::move(work));
}

Napi::Value Index::load_accelerator(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const ForestPointer current = forest(env);
  AcceleratorPointer loaded;
  const Arguments arguments(info);
  const std::string content = info[1].IsUndefined() ? std::string() : arguments.string(1);
  const Status status = accelerator_of_file(arguments.string(0), *current, content, &loaded);
  if (status.code == StatusCode::out_of_memory) throw_unless_ok(env, status);
  accelerator_ = std::move(loaded);
  account(env);
  return status.ok() ? env.Undefined() : fault_of(env, status);
}

Napi::Value Index::verify_accelerator(const Napi::CallbackInfo& info) {
  auto work = std::make_unique<VerifyWork>();
  if (!accelerator_) throw make_error(info.Env(), "INTERNAL", "there is no accelerator");
  work->forest = forest(info.Env());
  work->accelerator = accelerator_;
  work->task = Task::state_of(info[0]);
  return Work::start(info.Env(), std::move(work));
}

}  // namespace semantic_index
