#ifndef SEMANTIC_INDEX_BINDING_COLUMNS_READ_COLUMN_H_
#define SEMANTIC_INDEX_BINDING_COLUMNS_READ_COLUMN_H_

#include <napi.h>

namespace semantic_index {

/**
 * (snapshot: ColumnsSnapshot, path: Uint8Array, task: Task) =>
 *   Promise<{ ends, ids: Uint32Array, values: Uint8Array, valueCount: number, unknown?: Uint32Array }>
 */
Napi::Value read_column(const Napi::CallbackInfo& info);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_COLUMNS_READ_COLUMN_H_
