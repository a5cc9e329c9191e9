#include "binding/terms/terms_file.h"

#include "base/checksum.h"
#include "binding/base/addon_data.h"
#include "binding/base/arguments.h"
#include "binding/base/validate_file_work.h"

namespace semantic_index {

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
  return ValidateFileWork<TermsFilePointer, open_terms_file>::start(info);
}

}  // namespace semantic_index
