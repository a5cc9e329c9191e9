#include "binding/terms/terms_parts.h"

#include "binding/base/addon_data.h"
#include "binding/base/arguments.h"
#include "binding/base/write_file_work.h"
#include "terms/build/terms_merge.h"

namespace semantic_index {

namespace {

class WriteTermsWork : public WriteFileWork<TermsHeader> {
 public:
  explicit WriteTermsWork(OwnedTermsParts owned) : parts(std::move(owned)) {}

  OwnedTermsParts parts;
  TermsMergeOptions options;

 protected:
  Status make(MemoryBlock* file) override {
    options.cancel = &task->cancelled;
    return merge_terms(parts.parts().data(), parts.parts().size(), options, file);
  }
};

}  // namespace

OwnedTermsParts::OwnedTermsParts(const Napi::CallbackInfo& info, size_t index) {
  Napi::Env env = info.Env();
  const Napi::Array sources = info[index].As<Napi::Array>();
  const Napi::Array items = info[index + 1].As<Napi::Array>();
  dead_ = BitsetCopies(env, info[index + 2]);
  const Napi::Function file_class = env.GetInstanceData<AddonData>()->terms_file_class.Value();
  if (items.Length() != sources.Length() || dead_.size() != sources.Length()) {
    throw make_error(env, "INTERNAL", "sources, items and dead do not fit together");
  }
  for (uint32_t part = 0; part < sources.Length(); ++part) {
    const Napi::Object source = sources.Get(part).As<Napi::Object>();
    const int32_t count = items.Get(part).ToNumber().Int32Value();
    const ItemBits dead = {dead_.set(part).bits, dead_.set(part).words};
    if (source.InstanceOf(file_class)) {
      files_.push_back(TermsFileObject::Unwrap(source)->file(env));
      parts_.push_back(TermsPart::of(files_.back()->view, dead));
      if (count != files_.back()->view.items()) throw make_error(env, "INTERNAL", "a terms file has other items");
      continue;
    }
    tails_.push_back(TermsTailObject::Unwrap(source)->tail(env));
    parts_.push_back(TermsPart::of(tails_.back()->tail, dead));
    if (count < 0 || count > parts_.back().items) throw make_error(env, "INTERNAL", "a tail has fewer items");
    parts_.back().items = count;
  }
}

Napi::Value write_terms(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  auto work = std::make_unique<WriteTermsWork>(OwnedTermsParts(info, 1));
  work->path = arguments.string(0);
  work->options.source = static_cast<uint64_t>(arguments.wide_integer(4));
  work->options.threads = arguments.integer(5);
  work->task = Task::state_of(info[6]);
  return Work::start(info.Env(), std::move(work));
}

}  // namespace semantic_index
