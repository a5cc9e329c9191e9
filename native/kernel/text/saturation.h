#ifndef SEMANTIC_INDEX_KERNEL_TEXT_SATURATION_H_
#define SEMANTIC_INDEX_KERNEL_TEXT_SATURATION_H_

#include <cstddef>
#include <cstdint>

namespace semantic_index {

/**
 * How much a token counts that a text repeats: BM25's saturation (Robertson and Zaragoza 2009), with a fixed number of
 * tokens instead of the mean length of a collection. Double precision in this order, as in
 * src/embed/bundled/saturation.ts: the same bits everywhere.
 */
struct Saturation {
  double k1;
  double b;
  double average_tokens;

  /** What is added to the occurrences of a token in the denominator, for a text of so many tokens. */
  double start(size_t tokens) const { return k1 * (1 - b + b * static_cast<double>(tokens) / average_tokens); }
};

/** The weight of a token that occurs so often, between 0 and 1. */
inline double saturated(uint32_t occurrences, double start) {
  const double count = occurrences;
  return count / (count + start);
}

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TEXT_SATURATION_H_
