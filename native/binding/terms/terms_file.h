#ifndef SEMANTIC_INDEX_BINDING_TERMS_TERMS_FILE_H_
#define SEMANTIC_INDEX_BINDING_TERMS_TERMS_FILE_H_

#include <napi.h>

#include "terms/terms_file.h"

namespace semantic_index {

/** The native side of a mapped terms file. */
class TermsFileObject : public Napi::ObjectWrap<TermsFileObject> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  /** (path: string): maps the file; checks its header and the bounds of its sections. */
  explicit TermsFileObject(const Napi::CallbackInfo& info);

  /** Throws CLOSED after `close`. */
  const TermsFilePointer& file(Napi::Env env) const;

 private:
  Napi::Value items(const Napi::CallbackInfo& info);
  Napi::Value terms(const Napi::CallbackInfo& info);
  Napi::Value bytes(const Napi::CallbackInfo& info);
  Napi::Value checksum(const Napi::CallbackInfo& info);
  Napi::Value source(const Napi::CallbackInfo& info);
  Napi::Value has_changed(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  const TermsHeader& header(Napi::Env env) const { return file(env)->view.header(); }

  TermsFilePointer file_;
};

/**
 * (path: string, structure: boolean, task: Task) => Promise<string | undefined>: what is wrong with the file. Compares
 * its checksums, and with `structure` checks everything in it.
 */
Napi::Value validate_terms(const Napi::CallbackInfo& info);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_TERMS_TERMS_FILE_H_
