#include "binding/search/level_orders.h"

#include <utility>
#include <vector>

#include "binding/base/addon_data.h"
#include "binding/base/work.h"

namespace semantic_index {

namespace {

class LevelOrdersWork : public Work {
 public:
  struct Missing {
    GraphPointer graph;
    ItemLevels levels;
    Napi::ObjectReference numbers;
    std::shared_ptr<const LevelOrder> order;
  };

  std::vector<Missing> missing;

  Status run() override {
    for (Missing& one : missing) {
      const Status status = LevelOrder::build(one.graph->view, one.levels, &task->cancelled, &one.order);
      if (status.ok()) continue;
      // A search finds out itself that a graph is damaged.
      one.order.reset();
      if (status.code != StatusCode::corrupt && status.code != StatusCode::file_changed) return status;
    }
    return Status::success();
  }

  Napi::Value finish(Napi::Env env) override {
    for (Missing& one : missing) *kept_level_order(one.numbers.Value()) = {one.graph, std::move(one.order)};
    return env.Undefined();
  }
};

}  // namespace

KeptLevelOrder* kept_level_order(const Napi::Object& numbers) {
  Napi::Env env = numbers.Env();
  void* kept = nullptr;
  if (napi_unwrap(env, numbers, &kept) == napi_ok) return static_cast<KeptLevelOrder*>(kept);
  auto made = std::make_unique<KeptLevelOrder>();
  const napi_finalize finalize = [](napi_env, void* data, void*) { delete static_cast<KeptLevelOrder*>(data); };
  if (napi_wrap(env, numbers, made.get(), finalize, nullptr, nullptr) != napi_ok) {
    throw make_error(env, "INTERNAL", "nothing can be kept with these numbers");
  }
  return made.release();
}

Napi::Value order_levels(Napi::Env env, const SearchSnapshot& snapshot, const Napi::Value& boosts) {
  auto work = std::make_unique<LevelOrdersWork>();
  const auto all = boosts.As<Napi::Array>().Get(uint32_t{0}).As<Napi::Array>();
  for (uint32_t number = 0; number < all.Length(); ++number) {
    const auto of_parts = all.Get(number).As<Napi::Array>().Get(uint32_t{3}).As<Napi::Array>();
    for (uint32_t part = 0; part < of_parts.Length() && part < snapshot.size(); ++part) {
      const GraphPointer& graph = snapshot.part(part).segment.graph;
      const Napi::Value numbers = of_parts.Get(part);
      if (graph == nullptr || !numbers.IsArray()) continue;
      const auto own = numbers.As<Napi::Object>();
      const Napi::Value levels = own.Get(uint32_t{1});
      if (levels.IsUndefined() || kept_level_order(own)->is_of(graph)) continue;
      const auto bytes = levels.As<Napi::Uint8Array>();
      if (bytes.TypedArrayType() != napi_uint8_array) throw make_error(env, "INTERNAL", "expected levels of items");
      work->missing.push_back({graph, {bytes.Data(), bytes.ElementLength()}, Napi::Persistent(own), nullptr});
    }
  }
  if (work->missing.empty()) return env.Undefined();
  return Work::start(env, std::move(work));
}

}  // namespace semantic_index
