#ifndef SEMANTIC_INDEX_BINDING_VECTORS_INDEX_H_
#define SEMANTIC_INDEX_BINDING_VECTORS_INDEX_H_

#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "segment/segment_search.h"

namespace semantic_index {

/**
 * The native side of the class AnnoyIndex: growing items, or a finished forest, or neither. The TypeScript side checks
 * the order of calls and reports violations in full; here they are plain errors.
 */
class Index : public Napi::ObjectWrap<Index> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  /** (metric: number, f: number) */
  explicit Index(const Napi::CallbackInfo& info);
  ~Index() override;

  /** Replaces the contents with a finished forest, unless the index was closed meanwhile. */
  void adopt(Napi::Env env, ForestPointer forest);
  /** Replaces the contents with items, after a failed build or an unbuild, unless the index was closed meanwhile. */
  void restore(Napi::Env env, std::shared_ptr<NodeStorage> storage);
  /** Searches with `graph` from now on, unless another forest has replaced `forest` meanwhile. */
  void attach(Napi::Env env, const ForestPointer& forest, GraphPointer graph);

  /** The finished forest with its graph. Throws NOT_BUILT or CLOSED. */
  const Segment& segment(Napi::Env env) const {
    forest(env);
    return segment_;
  }

 private:
  // index.cpp: items and facts
  void start_on_disk(const Napi::CallbackInfo& info);
  void release_disk(const Napi::CallbackInfo& info);
  void own_disk(const Napi::CallbackInfo& info);
  void add_items(const Napi::CallbackInfo& info);
  void item_vector(const Napi::CallbackInfo& info);
  void item_vectors(const Napi::CallbackInfo& info);
  Napi::Value distance(const Napi::CallbackInfo& info);
  Napi::Value facts(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);
  void unload(const Napi::CallbackInfo& info);
  void share_into(const Napi::CallbackInfo& info);
  // index_search.cpp
  Napi::Value search(const Napi::CallbackInfo& info);
  Napi::Value search_item(const Napi::CallbackInfo& info);
  Napi::Value search_many(const Napi::CallbackInfo& info);
  // index_graph.cpp
  Napi::Value build_graph(const Napi::CallbackInfo& info);
  Napi::Value save_graph(const Napi::CallbackInfo& info);
  Napi::Value load_graph(const Napi::CallbackInfo& info);
  Napi::Value verify_graph(const Napi::CallbackInfo& info);
  // index_work.cpp: long operations on pool threads
  Napi::Value build(const Napi::CallbackInfo& info);
  Napi::Value unbuild(const Napi::CallbackInfo& info);
  void load(const Napi::CallbackInfo& info);
  Napi::Value load_later(const Napi::CallbackInfo& info);
  Napi::Value from_bytes(const Napi::CallbackInfo& info);
  Napi::Value to_bytes(const Napi::CallbackInfo& info);
  Napi::Value save(const Napi::CallbackInfo& info);
  Napi::Value digest(const Napi::CallbackInfo& info);
  Napi::Value content(const Napi::CallbackInfo& info);
  Napi::Value equals(const Napi::CallbackInfo& info);
  Napi::Value validate(const Napi::CallbackInfo& info);
  Napi::Value prefault(const Napi::CallbackInfo& info);

  /** The items so far. Throws when there is a forest, or a build holds the items. */
  NodeStorage& storage(Napi::Env env);
  const ForestPointer& forest(Napi::Env env) const;
  /** The finished forest, or the items so far. */
  ForestView view() const;
  int64_t heap_bytes() const;
  void remove_disk();
  /** Reports the memory of this object to the garbage collector. */
  void account(Napi::Env env);
  Napi::Value run_search(Napi::Env env, const float* query, const Napi::CallbackInfo& info, size_t first_option);

  Metric metric_ = Metric::angular;
  int32_t dimensions_ = 0;
  NodeLayout layout_;
  std::shared_ptr<NodeStorage> storage_;
  Segment segment_;
  /** The temporary file of an on-disk build; removed with the index unless released. */
  std::string disk_path_;
  bool closed_ = false;
  int64_t accounted_ = 0;
  SegmentScratch scratch_;
  std::vector<float> vector_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_VECTORS_INDEX_H_
