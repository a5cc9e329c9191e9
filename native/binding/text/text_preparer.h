#ifndef SEMANTIC_INDEX_BINDING_TEXT_PREPARER_H_
#define SEMANTIC_INDEX_BINDING_TEXT_PREPARER_H_

#include <napi.h>

#include "text/text_preparer.h"

namespace semantic_index {

/** The native side of what derives vectors and packed terms from texts. */
class TextPreparerObject : public Napi::ObjectWrap<TextPreparerObject> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  /**
   * (table: Uint8Array | undefined, scales: Float32Array, isInt4: boolean, unknown: number, maxTokens: number,
   * saturation: Float64Array | undefined)
   */
  explicit TextPreparerObject(const Napi::CallbackInfo& info);

 private:
  /** (texts: Uint8Array, begin: number, ends: Uint32Array) => string[] */
  Napi::Value scan(const Napi::CallbackInfo& info);
  /** (termCounts: Uint32Array, terms: string[], wordCounts: Int32Array, wordTokens: Uint32Array, tokens: Int32Array) */
  void define_pieces(const Napi::CallbackInfo& info);
  /** (places: Int32Array, vectors: Float32Array, row: number) => Int32Array */
  Napi::Value embed(const Napi::CallbackInfo& info);
  /** (keys: Float64Array) */
  void pack(const Napi::CallbackInfo& info);
  /** () => Uint8Array */
  Napi::Value take(const Napi::CallbackInfo& info);
  void drop(const Napi::CallbackInfo& info);

  TextPreparer preparer_;
  /** Keep the table of the model alive. */
  Napi::ObjectReference table_;
  Napi::ObjectReference scales_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_TEXT_PREPARER_H_
