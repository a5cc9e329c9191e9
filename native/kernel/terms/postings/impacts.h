#ifndef SEMANTIC_INDEX_KERNEL_TERMS_POSTINGS_IMPACTS_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_POSTINGS_IMPACTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace semantic_index {

/**
 * A term frequency and a document length. BM25 grows with the first and falls with the second, whatever the average
 * length is: a set of pairs such that each posting has a pair with at least its frequency and at most its length bounds
 * the scores of all of them, also when the average length changes.
 */
struct Impact {
  uint32_t frequency;
  uint32_t length;
};

/**
 * Pairs for a block of postings, and for a whole list. One for a block is enough: two spare 2 % of the decoded blocks
 * of measure_terms and four 4 %, for 1.6 and 4.7 bytes a document more.
 */
constexpr size_t kBlockImpacts = 1;
constexpr size_t kListImpacts = 4;
/** Bytes of a pair: frequency, at most 65535 for "any", and the length rounded down to twelve significant bits. */
constexpr size_t kImpactBytes = 4;

/** The pairs that no other one of the set dominates; grows by `add`. */
class ImpactSet {
 public:
  void clear() { pairs_.clear(); }
  void add(uint32_t frequency, uint32_t length);
  /** By ascending frequency, and so by ascending length. */
  const std::vector<Impact>& pairs() const { return pairs_; }
  /** Appends exactly `count` encoded pairs that bound the set; fewer pairs are followed by pairs of frequency 0. */
  void append(size_t count, std::vector<uint8_t>* bytes) const;

 private:
  std::vector<Impact> pairs_;
};

/** Decodes a pair. */
Impact read_impact(const uint8_t* bytes);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_POSTINGS_IMPACTS_H_
