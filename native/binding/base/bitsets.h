#ifndef SEMANTIC_INDEX_BINDING_BASE_BITSETS_H_
#define SEMANTIC_INDEX_BINDING_BASE_BITSETS_H_

#include <napi.h>

#include <vector>

#include "distance/neighbors.h"

namespace semantic_index {

/** Copies of the bitsets in an array, for work on other threads. */
class BitsetCopies {
 public:
  /** No array. */
  BitsetCopies() = default;
  /** (Uint32Array | undefined)[]; an element that is undefined allows everything. */
  BitsetCopies(Napi::Env env, const Napi::Value& value);
  BitsetCopies(BitsetCopies&&) = default;
  BitsetCopies& operator=(BitsetCopies&&) = default;

  size_t size() const { return words_.size(); }
  /** One set for each element; nullptr when there is no array. */
  const Allowed* sets() const { return words_.empty() ? nullptr : sets_.data(); }
  const Allowed& set(size_t index) const { return sets_[index]; }
  /** Moves the words of an element out: none for one that is undefined, at least one otherwise. */
  std::vector<uint32_t> take(size_t index) { return std::move(words_[index]); }

 private:
  std::vector<std::vector<uint32_t>> words_;
  std::vector<Allowed> sets_;
};

/** The words as a Uint32Array. */
Napi::Value words_of(Napi::Env env, const std::vector<uint32_t>& words);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_BASE_BITSETS_H_
