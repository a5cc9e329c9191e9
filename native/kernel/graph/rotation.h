#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_ROTATION_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_ROTATION_H_

#include <cstddef>
#include <vector>

namespace semantic_index {

/**
 * A fixed pseudo-random rotation that spreads vectors evenly over the coordinates, so that coarse quantization loses
 * little: random signs, then a Hadamard transform of the first 2^p numbers and one of the last 2^p, the largest power
 * that fits (after Ailon, Chazelle: "Approximate nearest neighbors and the fast Johnson-Lindenstrauss transform",
 * 2006). Preserves lengths and products up to rounding. The same vector gives the same bits on every machine: each
 * number is a fixed tree of additions.
 */
class Rotation {
 public:
  /** For vectors of `dimensions` numbers. May throw bad_alloc. */
  explicit Rotation(size_t dimensions);

  /** Rotates a vector in place. */
  void apply(float* vector) const;

 private:
  std::vector<float> signs_;
  size_t block_ = 1;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_ROTATION_H_
