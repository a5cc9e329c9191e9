#ifndef SEMANTIC_INDEX_BINDING_FILES_H_
#define SEMANTIC_INDEX_BINDING_FILES_H_

#include <napi.h>

namespace semantic_index {

/** (path: string, bytes: Uint8Array) => Promise<void>: the file is the old one or the new one, whatever happens. */
Napi::Value write_file(const Napi::CallbackInfo& info);

/** (path: string) => Promise<void>: syncs the directory of `path`, so that its names survive a power cut. */
Napi::Value sync_folder(const Napi::CallbackInfo& info);

/** (path: string, device: bigint, inode: bigint) => boolean: whether the path names that file, and it is not empty. */
Napi::Value names_file(const Napi::CallbackInfo& info);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_FILES_H_
