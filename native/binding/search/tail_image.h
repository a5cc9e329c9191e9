#ifndef SEMANTIC_INDEX_BINDING_SEARCH_TAIL_IMAGE_H_
#define SEMANTIC_INDEX_BINDING_SEARCH_TAIL_IMAGE_H_

#include <napi.h>

namespace semantic_index {

/**
 * (path: string, vectors: VectorBuffer, terms: TermsTail, keys: Float64Array, alive: Uint32Array | undefined, task).
 * Writes the first documents of both; resolves to { items, bytes, checksum }.
 */
Napi::Value write_tail_image(const Napi::CallbackInfo& info);

/**
 * (path: string, vectors: VectorBuffer, terms: TermsTail, threads: number, task). Fills both, which must be empty;
 * resolves to { checksum, keys: Float64Array, alive: Uint32Array | undefined }. Throws INVALID_FILE, IO.
 */
Napi::Value read_tail_image(const Napi::CallbackInfo& info);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_SEARCH_TAIL_IMAGE_H_
