#include "binding/base/addon_data.h"

namespace semantic_index {

namespace {

/** The package's error code for each kind of failure; see src/errors.ts. */
const char* error_code(StatusCode code) {
  switch (code) {
    case StatusCode::cancelled:
      return "CANCELLED";  // Never seen by users: the TypeScript side rejects with the reason of the signal.
    case StatusCode::invalid_argument:
      return "INVALID_ARGUMENT";
    case StatusCode::out_of_memory:
      return "OUT_OF_MEMORY";
    case StatusCode::io_error:
      return "IO";
    case StatusCode::wrong_layout:
    case StatusCode::corrupt:
    case StatusCode::file_changed:
      return "INVALID_FILE";
    case StatusCode::ok:
      break;
  }
  return "INTERNAL";
}

}  // namespace

Napi::Error make_error(Napi::Env env, const char* code, const std::string& message, int system_error) {
  auto* data = env.GetInstanceData<AddonData>();
  if (data == nullptr || data->make_error.IsEmpty()) return Napi::Error::New(env, message);
  Napi::Value error = data->make_error.Call(
      {Napi::String::New(env, code), Napi::String::New(env, message), Napi::Number::New(env, system_error)});
  return Napi::Error(env, error);
}

Napi::Error to_error(Napi::Env env, const Status& status) {
  const bool is_memory = status.code == StatusCode::out_of_memory;
  return make_error(env, error_code(status.code),
                    is_memory && status.message.empty() ? "There is not enough memory" : status.message,
                    status.system_error);
}

void throw_unless_ok(Napi::Env env, const Status& status) {
  if (!status.ok()) throw to_error(env, status);
}

}  // namespace semantic_index
