#ifndef SEMANTIC_INDEX_BINDING_BASE_VALIDATE_FILE_WORK_H_
#define SEMANTIC_INDEX_BINDING_BASE_VALIDATE_FILE_WORK_H_

#include <memory>
#include <string>
#include <utility>

#include "binding/base/arguments.h"
#include "binding/base/work.h"

namespace semantic_index {

/** Reads a file and returns what is wrong with it, undefined if nothing is. */
template <typename FilePointer, Status (*open)(const std::string& path, FilePointer* file)>
class ValidateFileWork : public Work {
 public:
  /** Arguments: path, whether the structure is validated beyond the checksums, task. */
  static Napi::Value start(const Napi::CallbackInfo& info) {
    auto work = std::make_unique<ValidateFileWork>();
    work->path_ = Arguments(info).string(0);
    work->structure_ = Arguments(info).boolean(1);
    work->task = Task::state_of(info[2]);
    return Work::start(info.Env(), std::move(work));
  }

  Status run() override {
    FilePointer file;
    Status status = open(path_, &file);
    const std::atomic<bool>* const cancel = &task->cancelled;
    if (status.ok()) status = structure_ ? file->view.validate(cancel) : file->view.verify(cancel);
    const bool is_fault = status.code == StatusCode::corrupt || status.code == StatusCode::wrong_layout ||
                          status.code == StatusCode::file_changed;
    if (!is_fault) return status;
    fault_ = status.message;
    return Status::success();
  }

  Napi::Value finish(Napi::Env env) override {
    return fault_.empty() ? env.Undefined() : Napi::Value(Napi::String::New(env, fault_));
  }

 private:
  std::string path_;
  bool structure_ = false;
  std::string fault_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_BASE_VALIDATE_FILE_WORK_H_
