#include "binding/terms/terms_file.h"

#include "base/checksum.h"
#include "binding/base/addon_data.h"
#include "binding/base/arguments.h"
#include "binding/base/work.h"

namespace semantic_index {

namespace {

class ValidateTermsWork : public Work {
 public:
  std::string path;
  bool structure = false;

  Status run() override {
    TermsFilePointer file;
    Status status = open_terms_file(path, &file);
    const std::atomic<bool>* const cancel = &task->cancelled;
    if (status.ok()) status = structure ? file->view.validate(cancel) : file->view.verify(cancel);
    const bool is_fault = status.code == StatusCode::corrupt || status.code == StatusCode::wrong_layout ||
                          status.code == StatusCode::file_changed;
    if (!is_fault) return status;
    fault_ = status.message;
    return Status::success();
  }

  Napi::Value finish(Napi::Env env) override {
    return fault_.empty() ? env.Undefined() : Napi::String::New(env, fault_);
  }

 private:
  std::string fault_;
};

}  // namespace

void TermsFileObject::define(Napi::Env env, Napi::Object exports) {
  const Napi::Function constructor = DefineClass(
      env, "TermsFile",
      {InstanceAccessor<&TermsFileObject::items>("items"), InstanceAccessor<&TermsFileObject::terms>("terms"),
       InstanceAccessor<&TermsFileObject::bytes>("bytes"), InstanceAccessor<&TermsFileObject::checksum>("checksum"),
       InstanceAccessor<&TermsFileObject::source>("source"),
       InstanceMethod<&TermsFileObject::has_changed>("hasChanged"), InstanceMethod<&TermsFileObject::close>("close")});
  env.GetInstanceData<AddonData>()->terms_file_class = Napi::Persistent(constructor);
  exports.Set("TermsFile", constructor);
}

TermsFileObject::TermsFileObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<TermsFileObject>(info) {
  throw_unless_ok(info.Env(), open_terms_file(Arguments(info).string(0), &file_));
}

const TermsFilePointer& TermsFileObject::file(Napi::Env env) const {
  if (!file_) throw make_error(env, "CLOSED", "the terms file is closed");
  return file_;
}

Napi::Value TermsFileObject::items(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), header(info.Env()).items);
}

Napi::Value TermsFileObject::terms(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(header(info.Env()).terms));
}

Napi::Value TermsFileObject::bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(file(info.Env())->file->size()));
}

Napi::Value TermsFileObject::checksum(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), checksum_text(header(info.Env()).header_checksum));
}

Napi::Value TermsFileObject::source(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(header(info.Env()).source));
}

Napi::Value TermsFileObject::has_changed(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), file(info.Env())->file->has_changed());
}

void TermsFileObject::close(const Napi::CallbackInfo&) { file_.reset(); }

Napi::Value validate_terms(const Napi::CallbackInfo& info) {
  auto work = std::make_unique<ValidateTermsWork>();
  work->path = Arguments(info).string(0);
  work->structure = Arguments(info).boolean(1);
  work->task = Task::state_of(info[2]);
  return Work::start(info.Env(), std::move(work));
}

}  // namespace semantic_index
