#ifndef SEMANTIC_INDEX_BINDING_BASE_WRITE_FILE_WORK_H_
#define SEMANTIC_INDEX_BINDING_BASE_WRITE_FILE_WORK_H_

#include <cstring>
#include <string>

#include "base/checksum.h"
#include "base/memory_block.h"
#include "binding/base/work.h"
#include "io/atomic_file.h"

namespace semantic_index {

/** Makes a file that begins with a `Header`, saves it and returns { items, bytes, checksum }. */
template <typename Header>
class WriteFileWork : public Work {
 public:
  std::string path;

  Status run() final {
    MemoryBlock file;
    Status status = make(&file);
    if (status.ok()) status = save_atomically(path, file, &task->cancelled);
    if (!status.ok()) return status;
    std::memcpy(&header_, file.data(), sizeof header_);
    bytes_ = file.size();
    return status;
  }

  Napi::Value finish(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    result.Set("items", header_.items);
    result.Set("bytes", static_cast<double>(bytes_));
    result.Set("checksum", checksum_text(header_.header_checksum));
    return result;
  }

 protected:
  virtual Status make(MemoryBlock* file) = 0;
  const Header& header() const { return header_; }

 private:
  Header header_ = {};
  size_t bytes_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_BASE_WRITE_FILE_WORK_H_
