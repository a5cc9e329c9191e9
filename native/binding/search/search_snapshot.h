#ifndef SEMANTIC_INDEX_BINDING_SEARCH_SEARCH_SNAPSHOT_H_
#define SEMANTIC_INDEX_BINDING_SEARCH_SEARCH_SNAPSHOT_H_

#include <napi.h>

#include "search/search_snapshot.h"

namespace semantic_index {

class SnapshotSearchWork;

/** The native side of the documents of an index at one point in time. */
class SearchSnapshotObject : public Napi::ObjectWrap<SearchSnapshotObject> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  /** (metric: number, dimensions: number, parts: SearchPart[], alive: (Uint32Array | undefined)[]) */
  explicit SearchSnapshotObject(const Napi::CallbackInfo& info);

 private:
  /**
   * (vectors: (Float32Array | undefined)[], terms: (Uint8Array | undefined)[], k, depth, exact, searchK, vectorWeight,
   * allowed: (Uint32Array | undefined)[] | undefined, threads, boosts, skipsMissing,
   * statistics: Float64Array[] | undefined, task) => Promise<NativeSearchResult>
   */
  Napi::Value search(const Napi::CallbackInfo& info);
  /** The same in the calling thread => NativeSearchResult */
  Napi::Value search_here(const Napi::CallbackInfo& info);
  /** (boosts) => Promise<void>, or undefined if searches have all that they read for them */
  Napi::Value order_levels(const Napi::CallbackInfo& info);
  /**
   * (terms: Uint8Array, distances: Uint32Array | undefined, sameFirst, limit, sample, allowed, task)
   * => Promise<NativeTermLookUp>; without distances, the terms are prefixes
   */
  Napi::Value look_up_terms(const Napi::CallbackInfo& info);
  /** (terms: Uint8Array, task) => Promise<NativeTermsReading<number>>: documents, length, and a number for each term */
  Napi::Value count_terms(const Napi::CallbackInfo& info);
  /** (required: Uint8Array, excluded: Uint8Array, allowed, task) => Promise<NativeTermsFilter> */
  Napi::Value filter_by_terms(const Napi::CallbackInfo& info);
  std::unique_ptr<SnapshotSearchWork> work_of(const Napi::CallbackInfo& info) const;
  void close(const Napi::CallbackInfo& info);

  SearchSnapshotPointer snapshot_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_SEARCH_SEARCH_SNAPSHOT_H_
