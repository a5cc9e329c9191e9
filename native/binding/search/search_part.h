#ifndef SEMANTIC_INDEX_BINDING_SEARCH_SEARCH_PART_H_
#define SEMANTIC_INDEX_BINDING_SEARCH_SEARCH_PART_H_

#include <napi.h>

#include "search/search_part.h"

namespace semantic_index {

/** The native side of a part of an index: owns keys, and shares the vectors and terms that it was made of. */
class SearchPartObject : public Napi::ObjectWrap<SearchPartObject> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  /**
   * (vectors: Index | VectorBuffer | undefined, terms: TermsFile | TermsTail | undefined, first: number,
   * offsets: Uint32Array | Float64Array)
   */
  explicit SearchPartObject(const Napi::CallbackInfo& info);
  ~SearchPartObject() override;

  /** Throws CLOSED after `close`. */
  const SearchPartPointer& part(Napi::Env env) const;

 private:
  void close(const Napi::CallbackInfo& info);
  void account(Napi::Env env);

  SearchPartPointer part_;
  int64_t accounted_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_SEARCH_SEARCH_PART_H_
