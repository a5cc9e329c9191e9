#ifndef SEMANTIC_INDEX_BINDING_BASE_ADDON_DATA_H_
#define SEMANTIC_INDEX_BINDING_BASE_ADDON_DATA_H_

#include <napi.h>

#include <memory>

#include "base/status.h"
#include "binding/base/work_queue.h"

namespace semantic_index {

/** State of one environment (the main thread, or one worker). Environments share nothing of the binding. */
struct AddonData {
  /** (code, message, systemError) => Error, given once by `initialize`. */
  Napi::FunctionReference make_error;
  Napi::FunctionReference task_class;
  Napi::FunctionReference terms_file_class;
  Napi::FunctionReference vector_buffer_class;
  std::shared_ptr<WorkQueue> work;
};

/** The JavaScript error for a failed status, created by the function passed to `initialize`. */
Napi::Error to_error(Napi::Env env, const Status& status);

/** The same for a defect or misuse found by the binding itself. `code` is one of the package's error codes. */
Napi::Error make_error(Napi::Env env, const char* code, const std::string& message, int system_error = 0);

/** Throws `to_error` unless the status is ok. */
void throw_unless_ok(Napi::Env env, const Status& status);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_BASE_ADDON_DATA_H_
