#ifndef SEMANTIC_INDEX_BINDING_TERMS_KEYED_POSTINGS_H_
#define SEMANTIC_INDEX_BINDING_TERMS_KEYED_POSTINGS_H_

#include <napi.h>

namespace semantic_index {

/**
 * (postings: { keys: Float64Array, frequencies, lengths: Uint32Array }[], weights, sizes, without: Float64Array, limit:
 * number)
 *   => Float64Array of keys and scores in turns. `sizes` has the number of documents, the sum of their lengths, and
 * that of all weights of the query; `limit` below 0 stands for all, in the order of keys.
 */
Napi::Value rank_postings(const Napi::CallbackInfo& info);

/** The same on the thread pool, with a Task as the last argument. */
Napi::Value rank_postings_later(const Napi::CallbackInfo& info);

/** (postings, weights, sizes as above, keys: Float64Array) => Float64Array of the score of each key, 0 without a term
 */
Napi::Value score_postings(const Napi::CallbackInfo& info);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_TERMS_KEYED_POSTINGS_H_
