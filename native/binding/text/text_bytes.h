#ifndef SEMANTIC_INDEX_BINDING_TEXT_BYTES_H_
#define SEMANTIC_INDEX_BINDING_TEXT_BYTES_H_

#include <napi.h>

namespace semantic_index {

/** (texts: string[]) => string[]: of each the first 128 bits of the SHA-256 of its UTF-8, as base64url. */
Napi::Value content_hashes(const Napi::CallbackInfo& info);

/** (texts: string[]) => { bytes: Uint8Array, ends: Uint32Array }: their UTF-8, one after the other. */
Napi::Value encode_texts(const Napi::CallbackInfo& info);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_TEXT_BYTES_H_
