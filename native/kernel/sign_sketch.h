#ifndef SEMANTIC_INDEX_KERNEL_SIGN_SKETCH_H_
#define SEMANTIC_INDEX_KERNEL_SIGN_SKETCH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace semantic_index {

/**
 * Bits whose differences grow with the angle between vectors (Charikar: "Similarity estimation techniques from rounding
 * algorithms", 2002): the signs of a random rotation, made of random signs and a fast Hadamard transform (Ailon,
 * Chazelle: "Approximate nearest neighbors and the fast Johnson-Lindenstrauss transform", 2006). The same vector gives
 * the same bits on every machine: each number is a fixed tree of additions.
 */
class SignSketch {
 public:
  /** 64-bit words of a sketch of vectors of so many numbers; 0 where the vector itself is hardly longer. */
  static size_t words_for(size_t dimensions);

  /** For vectors of `dimensions` numbers. May throw bad_alloc. */
  explicit SignSketch(size_t dimensions);

  size_t words() const { return words_; }
  /** Floats of working memory that `make` needs. */
  size_t room() const { return padded_; }

  /** Writes `words()` words for the vector. `room` has room() floats. */
  void make(const float* vector, float* room, uint64_t* sketch) const;

 private:
  size_t dimensions_;
  size_t padded_;
  size_t words_;
  std::vector<float> signs_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_SIGN_SKETCH_H_
