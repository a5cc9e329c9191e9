#ifndef SEMANTIC_INDEX_BINDING_BASE_ARGUMENTS_H_
#define SEMANTIC_INDEX_BINDING_BASE_ARGUMENTS_H_

#include <napi.h>

#include <cstdint>
#include <string>
#include <vector>

#include "distance/metric.h"
#include "distance/neighbors.h"

namespace semantic_index {

/** The numbers of a typed array, valid while nothing of JavaScript runs. */
template <typename T>
struct Numbers {
  T* data = nullptr;
  size_t count = 0;
};

/** The arguments of a call, read one by one. The TypeScript side checks first; a mismatch here is a defect. */
class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) : info_(info) {}

  int32_t integer(size_t index) const;
  int64_t wide_integer(size_t index) const;
  double number(size_t index) const;
  bool boolean(size_t index) const;
  std::string string(size_t index) const;
  Numbers<float> floats(size_t index) const;
  Numbers<double> doubles(size_t index) const;
  Numbers<int32_t> integers(size_t index) const;
  Numbers<uint32_t> unsigned_integers(size_t index) const;
  Numbers<uint8_t> bytes(size_t index) const;
  /** The bitset, or everything allowed when the argument is undefined. */
  Allowed allowed(size_t index) const;

 private:
  void* typed_array(size_t index, napi_typedarray_type type, size_t* count) const;

  const Napi::CallbackInfo& info_;
};

/** The set of items in an array of 32-bit words; an empty one when it has none. */
Allowed allowed_of(const uint32_t* words, size_t count);

/** A bitset that owns its words, for work on other threads. */
class AllowedCopy {
 public:
  explicit AllowedCopy(const Allowed& allowed) : all_(allowed.bits == nullptr) {
    if (!all_) words_.assign(allowed.bits, allowed.bits + allowed.words);
  }

  Allowed view() const { return all_ ? Allowed() : allowed_of(words_.data(), words_.size()); }

 private:
  bool all_;
  std::vector<uint32_t> words_;
};

/** Throws INVALID_VECTOR for the first number that is NaN or infinite. `name` and `first` name the rows in the error.
 */
void check_finite(Napi::Env env, const Numbers<float>& rows, int32_t dimensions, const char* name, int64_t first);

/** Throws INVALID_VECTOR for the first row whose length overflows or vanishes when squared; see find_bad_length. */
void check_lengths(Napi::Env env, const Numbers<float>& rows, Metric metric, int32_t dimensions, const char* name,
                   int64_t first);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_BASE_ARGUMENTS_H_
