#include "binding/files.h"

#include <string>
#include <vector>

#include "binding/base/arguments.h"
#include "binding/base/work.h"
#include "io/atomic_file.h"
#include "io/mapped_file.h"

namespace semantic_index {

namespace {

class WriteWork : public Work {
 public:
  std::string path;
  std::vector<uint8_t> bytes;

  Status run() override {
    const BytesView all{bytes.data(), static_cast<int64_t>(bytes.size())};
    return save_atomically(path, &all, 1, &task->cancelled);
  }
};

class SyncWork : public Work {
 public:
  std::string path;

  Status run() override { return sync_folder_of(path); }
};

}  // namespace

Napi::Value write_file(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const Numbers<uint8_t> bytes = arguments.bytes(1);
  auto work = std::make_unique<WriteWork>();
  work->path = arguments.string(0);
  work->bytes.assign(bytes.data, bytes.data + bytes.count);
  return Work::start(info.Env(), std::move(work));
}

Napi::Value sync_folder(const Napi::CallbackInfo& info) {
  auto work = std::make_unique<SyncWork>();
  work->path = Arguments(info).string(0);
  return Work::start(info.Env(), std::move(work));
}

Napi::Value names_file(const Napi::CallbackInfo& info) {
  bool is_lossless = false;
  const uint64_t device = info[1].As<Napi::BigInt>().Uint64Value(&is_lossless);
  const uint64_t inode = info[2].As<Napi::BigInt>().Uint64Value(&is_lossless);
  FileIdentity found;
  const Status status = file_identity(Arguments(info).string(0), &found);
  const bool is_same = status.ok() && found.device == device && found.inode == inode && found.size > 0;
  return Napi::Boolean::New(info.Env(), is_same);
}

}  // namespace semantic_index
