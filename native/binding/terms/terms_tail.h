#ifndef SEMANTIC_INDEX_BINDING_TERMS_TERMS_TAIL_H_
#define SEMANTIC_INDEX_BINDING_TERMS_TERMS_TAIL_H_

#include <napi.h>

#include <memory>
#include <mutex>

#include "terms/terms_tail.h"

namespace semantic_index {

/** A tail and the lock of those that append to it. */
struct SharedTermsTail {
  explicit SharedTermsTail(const HashKey& key) : tail(key) {}

  TermsTail tail;
  std::mutex appending;
};

using TermsTailPointer = std::shared_ptr<SharedTermsTail>;

/** The native side of an inverted index in memory. */
class TermsTailObject : public Napi::ObjectWrap<TermsTailObject> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  /** () */
  explicit TermsTailObject(const Napi::CallbackInfo& info);
  ~TermsTailObject() override;

  /** Throws CLOSED after `close`. */
  const TermsTailPointer& tail(Napi::Env env) const;
  /** Reports the memory of the tail to the garbage collector. */
  void account(Napi::Env env);

 private:
  Napi::Value items(const Napi::CallbackInfo& info);
  Napi::Value memory(const Napi::CallbackInfo& info);
  Napi::Value append(const Napi::CallbackInfo& info);
  Napi::Value append_later(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  TermsTailPointer tail_;
  int64_t accounted_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_TERMS_TERMS_TAIL_H_
