#ifndef SEMANTIC_INDEX_BINDING_VECTORS_VECTOR_BUFFER_H_
#define SEMANTIC_INDEX_BINDING_VECTORS_VECTOR_BUFFER_H_

#include <napi.h>

#include <memory>

#include "exact/row_buffer.h"

namespace semantic_index {

/** The native side of the class VectorBuffer: rows in memory, searched exactly. */
class VectorBuffer : public Napi::ObjectWrap<VectorBuffer> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  /** (metric: number, dimensions: number) */
  explicit VectorBuffer(const Napi::CallbackInfo& info);
  ~VectorBuffer() override;

  /** The rows that there are now. Throws CLOSED after `close`. */
  const RowBuffer::Snapshot& snapshot(Napi::Env env) const { return buffer(env).snapshot(); }
  /** Replaces the rows, unless the buffer was closed meanwhile. */
  void adopt(Napi::Env env, std::unique_ptr<RowBuffer> rows);

 private:
  void append(const Napi::CallbackInfo& info);
  void row(const Napi::CallbackInfo& info);
  Napi::Value rows(const Napi::CallbackInfo& info);
  Napi::Value byte_length(const Napi::CallbackInfo& info);
  Napi::Value search(const Napi::CallbackInfo& info);
  /** (target: VectorBuffer, count: number): makes the target hold the rest. */
  void drop_into(const Napi::CallbackInfo& info);
  Napi::Value has_changed(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  RowBuffer& buffer(Napi::Env env) const;
  void account(Napi::Env env);

  std::unique_ptr<RowBuffer> buffer_;
  int64_t accounted_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_VECTORS_VECTOR_BUFFER_H_
