#ifndef SEMANTIC_INDEX_BINDING_INDEX_H_
#define SEMANTIC_INDEX_BINDING_INDEX_H_

#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "accelerator.h"
#include "forest.h"

namespace semantic_index {

/**
 * The native side of the class AnnoyIndex: items that grow, or a finished forest, or neither. The order in which things
 * may happen is checked by the TypeScript side; here a wrong order is an error too, but a plain one.
 */
class Index : public Napi::ObjectWrap<Index> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  /** (metric: number, f: number) */
  explicit Index(const Napi::CallbackInfo& info);
  ~Index() override;

  /** Puts a finished forest in place, unless the index was closed meanwhile. */
  void adopt(Napi::Env env, ForestPointer forest);
  /** Puts items in place, after a build that failed or an unbuild, unless the index was closed meanwhile. */
  void restore(Napi::Env env, std::shared_ptr<NodeStorage> storage);
  /** Searches with `accelerator` from now on, unless `forest` is not the one in place any more. */
  void attach(Napi::Env env, const ForestPointer& forest, AcceleratorPointer accelerator);

 private:
  // index.cpp: items and what is known about them
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
  // index_accelerator.cpp
  Napi::Value accelerate(const Napi::CallbackInfo& info);
  Napi::Value save_accelerator(const Napi::CallbackInfo& info);
  Napi::Value load_accelerator(const Napi::CallbackInfo& info);
  Napi::Value verify_accelerator(const Napi::CallbackInfo& info);
  // index_work.cpp: what takes long
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

  /** The items so far. Throws when there is a forest, or the items are busy in a build. */
  NodeStorage& storage(Napi::Env env);
  const ForestPointer& forest(Napi::Env env) const;
  /** The finished forest, or the items so far. */
  ForestView view() const;
  int64_t heap_bytes() const;
  void remove_disk();
  /** Tells the garbage collector how much memory hangs on this object. */
  void account(Napi::Env env);
  Napi::Value run_search(Napi::Env env, const float* query, const Napi::CallbackInfo& info, size_t first_option);

  Metric metric_ = Metric::angular;
  int32_t dimensions_ = 0;
  NodeLayout layout_;
  std::shared_ptr<NodeStorage> storage_;
  ForestPointer forest_;
  /** Of `forest_`; nothing where that is searched as Annoy does. */
  AcceleratorPointer accelerator_;
  /** The temporary file of an on-disk build, removed unless it was released. */
  std::string disk_path_;
  bool closed_ = false;
  int64_t accounted_ = 0;
  SearchMemory memory_;
  std::vector<float> vector_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_INDEX_H_
