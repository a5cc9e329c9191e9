#ifndef SEMANTIC_INDEX_KERNEL_SEARCH_SEARCH_SNAPSHOT_H_
#define SEMANTIC_INDEX_KERNEL_SEARCH_SEARCH_SNAPSHOT_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "search/search_part.h"
#include "terms/query/terms_snapshot.h"

namespace semantic_index {

/** A part, and which of its documents exist. */
struct PartState {
  SearchPartPointer part;
  /** Empty: all exist. */
  std::vector<uint32_t> alive;
};

/** A place in a snapshot; part -1: there is none. */
struct PartItem {
  int32_t part = -1;
  int32_t item = -1;
};

/**
 * The documents of an index at one point in time. Immutable: any number of threads may search it at once. Vectors and
 * terms of a document may be in different parts, which are found by its key.
 */
class SearchSnapshot {
 public:
  /**
   * Parts with vectors come by ascending keys, and so do parts with terms. invalid_argument when they do not, or when a
   * part does not fit, out_of_memory.
   */
  static Status create(const NodeLayout& layout, std::vector<PartState> parts,
                       std::shared_ptr<const SearchSnapshot>* snapshot);

  SearchSnapshot(const SearchSnapshot&) = delete;
  SearchSnapshot& operator=(const SearchSnapshot&) = delete;

  const NodeLayout& layout() const { return layout_; }
  size_t size() const { return parts_.size(); }
  const SearchPart& part(size_t number) const { return *parts_[number].part; }
  /** Items of a part whose document exists. */
  Allowed alive(size_t number) const;
  int64_t living(size_t number) const { return living_[number]; }

  /** The parts with terms, in the order of `with_terms`. */
  const TermsSnapshot& terms() const { return terms_; }
  const std::vector<int32_t>& with_terms() const { return with_terms_; }
  /** The place of a part in `with_terms`, -1 for one without terms. */
  int32_t terms_place(size_t number) const { return terms_places_[number]; }

  /** Where the vector, or the terms, of the document with this key are. */
  PartItem find_vector(int64_t key) const;
  PartItem find_terms(int64_t key) const;

 private:
  SearchSnapshot() = default;

  Status add(PartState state);
  PartItem find(const std::vector<int32_t>& parts, int64_t key) const;

  NodeLayout layout_;
  std::vector<PartState> parts_;
  std::vector<int64_t> living_;
  /** The complement of `alive` for the terms. */
  std::vector<std::vector<uint32_t>> dead_;
  std::vector<int32_t> with_vectors_;
  std::vector<int32_t> with_terms_;
  std::vector<int32_t> terms_places_;
  TermsSnapshot terms_;
};

using SearchSnapshotPointer = std::shared_ptr<const SearchSnapshot>;

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_SEARCH_SEARCH_SNAPSHOT_H_
