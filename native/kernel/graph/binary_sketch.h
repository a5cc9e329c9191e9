#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_BINARY_SKETCH_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_BINARY_SKETCH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "graph/graph_format.h"

namespace semantic_index {

/**
 * A binary sketch (SimHash) of a vector: the Hamming distance of two sketches grows with the angle between the vectors
 * (Charikar: "Similarity estimation techniques from rounding algorithms", 2002). Each word holds the signs of 64
 * numbers of a random rotation, made of random signs and a fast Hadamard transform (Ailon, Chazelle: "Approximate
 * nearest neighbors and the fast Johnson-Lindenstrauss transform", 2006). The same vector gives the same bits on every
 * machine: each number is a fixed tree of additions.
 */
class BinarySketch {
 public:
  /** For vectors of `dimensions` numbers. May throw bad_alloc. */
  explicit BinarySketch(size_t dimensions);

  /** Writes kSketchWords words. */
  void write(const float* vector, uint64_t* words) const;

 private:
  uint64_t word(const float* vector, const float* signs) const;

  size_t dimensions_;
  /** For each word, a sign for each dimension. */
  std::vector<float> signs_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_BINARY_SKETCH_H_
