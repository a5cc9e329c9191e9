#include "binding/base/addon_data.h"
#include "binding/base/arguments.h"
#include "binding/base/task.h"
#include "binding/base/work.h"
#include "binding/vectors/index.h"

namespace semantic_index {

namespace {

class BuildGraphWork : public Work {
 public:
  BuildGraphWork(Index* index, const Napi::CallbackInfo& info) : index_(index) { keep(info.This().As<Napi::Object>()); }

  ForestPointer forest;
  int threads = 1;

  Status run() override {
    GraphBuildOptions options;
    options.threads = threads;
    options.cancel = &task->cancelled;
    options.progress = report_progress;
    options.progress_context = task.get();
    return graph_from_forest(*forest, options, &graph_);
  }

  Napi::Value finish(Napi::Env env) override {
    index_->attach(env, forest, std::move(graph_));
    return env.Undefined();
  }

 private:
  Index* index_;
  GraphPointer graph_;
};

class SaveGraphWork : public Work {
 public:
  GraphPointer graph;
  std::string path;

  Status run() override { return save_graph(*graph, path, &task->cancelled); }
};

/** The reason why a graph index cannot be used, as an object for TypeScript. */
Napi::Value fault_of(Napi::Env env, const Status& status) {
  Napi::Object fault = Napi::Object::New(env);
  fault.Set("message", Napi::String::New(env, status.message));
  fault.Set("isForeign", Napi::Boolean::New(env, status.code == StatusCode::invalid_argument));
  return fault;
}

/** Resolves to a fault, or to undefined. */
class VerifyGraphWork : public Work {
 public:
  ForestPointer forest;
  GraphPointer graph;

  Status run() override {
    const Status status = graph->view.verify(forest->view, &task->cancelled);
    if (status.code == StatusCode::cancelled) return status;
    found_ = status;
    return Status::success();
  }

  Napi::Value finish(Napi::Env env) override { return found_.ok() ? env.Undefined() : fault_of(env, found_); }

 private:
  Status found_;
};

}  // namespace

void Index::attach(Napi::Env env, const ForestPointer& forest, GraphPointer graph) {
  if (closed_ || segment_.forest != forest) return;
  segment_.graph = std::move(graph);
  account(env);
}

Napi::Value Index::build_graph(const Napi::CallbackInfo& info) {
  auto work = std::make_unique<BuildGraphWork>(this, info);
  work->forest = forest(info.Env());
  work->threads = Arguments(info).integer(0);
  work->task = Task::state_of(info[1]);
  return Work::start(info.Env(), std::move(work));
}

Napi::Value Index::save_graph(const Napi::CallbackInfo& info) {
  auto work = std::make_unique<SaveGraphWork>();
  if (!segment_.graph) throw make_error(info.Env(), "INTERNAL", "the index has no graph index");
  work->graph = segment_.graph;
  work->path = Arguments(info).string(0);
  return Work::start(info.Env(), std::move(work));
}

Napi::Value Index::load_graph(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const ForestPointer current = forest(env);
  GraphPointer loaded;
  const Arguments arguments(info);
  const std::string content = info[1].IsUndefined() ? std::string() : arguments.string(1);
  const Status status = graph_from_file(arguments.string(0), *current, content, &loaded);
  if (status.code == StatusCode::out_of_memory) throw_unless_ok(env, status);
  segment_.graph = std::move(loaded);
  account(env);
  return status.ok() ? env.Undefined() : fault_of(env, status);
}

Napi::Value Index::verify_graph(const Napi::CallbackInfo& info) {
  auto work = std::make_unique<VerifyGraphWork>();
  if (!segment_.graph) throw make_error(info.Env(), "INTERNAL", "the index has no graph index");
  work->forest = forest(info.Env());
  work->graph = segment_.graph;
  work->task = Task::state_of(info[0]);
  return Work::start(info.Env(), std::move(work));
}

}  // namespace semantic_index
