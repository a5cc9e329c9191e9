#ifndef SEMANTIC_INDEX_BINDING_COLUMNS_COLUMNS_H_
#define SEMANTIC_INDEX_BINDING_COLUMNS_COLUMNS_H_

#include <napi.h>

#include <memory>
#include <mutex>

#include "columns/layers/layered_columns.h"

namespace semantic_index {

/** The columns of a part, shared with work on other threads. */
struct SharedColumns {
  explicit SharedColumns(ColumnsImagePointer mapped) : file(mapped), columns(std::move(mapped)) {}

  /** Null for columns without a file. */
  const ColumnsImagePointer file;
  LayeredColumns columns;
  /** One change at a time, and one compaction. */
  std::mutex changing;
  std::mutex compacting;
};
using ColumnsPointer = std::shared_ptr<SharedColumns>;

/** The native side of the columns of a part: a mapped file or nothing, and what changed since. */
class ColumnsObject : public Napi::ObjectWrap<ColumnsObject> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  /** (path: string | undefined): maps the file; checks its header and the bounds of its sections. */
  explicit ColumnsObject(const Napi::CallbackInfo& info);
  ~ColumnsObject() override;

  /** Throws CLOSED after `close`. */
  const ColumnsPointer& columns(Napi::Env env) const;
  /** Reports the memory of this object to the garbage collector. */
  void account(Napi::Env env);

 private:
  Napi::Value items(const Napi::CallbackInfo& info);
  Napi::Value memory(const Napi::CallbackInfo& info);
  Napi::Value layers(const Napi::CallbackInfo& info);
  Napi::Value is_due(const Napi::CallbackInfo& info);
  /** () => { columns, bytes, checksum, source, opaque, incomplete } | undefined */
  Napi::Value file(const Napi::CallbackInfo& info);
  Napi::Value has_changed(const Napi::CallbackInfo& info);
  /** (batch: Uint8Array, firstKey: number, keys: Float64Array | undefined) => number */
  Napi::Value append(const Napi::CallbackInfo& info);
  Napi::Value append_later(const Napi::CallbackInfo& info);
  /** (batch: Uint8Array, firstKey: number, keys: Float64Array, items: Int32Array) => number */
  Napi::Value replace(const Napi::CallbackInfo& info);
  Napi::Value replace_later(const Napi::CallbackInfo& info);
  /** (task: Task) => Promise<void> */
  Napi::Value compact(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  ColumnsPointer columns_;
  int64_t accounted_ = 0;
};

/** The native side of the metadata of a part at one point in time. */
class ColumnsSnapshotObject : public Napi::ObjectWrap<ColumnsSnapshotObject> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  /** (columns: Columns) */
  explicit ColumnsSnapshotObject(const Napi::CallbackInfo& info);

  /** Throws CLOSED after `close`. */
  const std::shared_ptr<const ColumnsSnapshot>& snapshot(Napi::Env env) const;

 private:
  Napi::Value items(const Napi::CallbackInfo& info);
  /** (program: Uint8Array) => FilteredItems */
  Napi::Value filter(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  std::shared_ptr<const ColumnsSnapshot> snapshot_;
};

/** (snapshots: ColumnsSnapshot[], program: Uint8Array, task: Task) => Promise<FilteredItems[]> */
Napi::Value filter_columns(const Napi::CallbackInfo& info);

/**
 * (path: string, structure: boolean, task: Task) => Promise<string | undefined>: what is wrong with the file. Reads all
 * of it; without `structure` it compares the checksums alone.
 */
Napi::Value validate_columns(const Napi::CallbackInfo& info);

/**
 * (path: string, snapshots: ColumnsSnapshot[], dead: (Uint32Array | undefined)[], source: number, threads: number,
 * task: Task) => Promise<{ items, columns, bytes, checksum }>
 */
Napi::Value write_columns(const Napi::CallbackInfo& info);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_COLUMNS_COLUMNS_H_
