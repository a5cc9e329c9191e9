#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_BEAM_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_BEAM_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace semantic_index {

/**
 * A place of a beam: a position of a graph and its distance as one number, in the order of the distances and then of
 * the positions. The lowest bit tells whether the position's neighbours were looked at.
 */
class Candidate {
 public:
  Candidate() = default;
  Candidate(float distance, uint32_t position) {
    uint32_t bits;
    std::memcpy(&bits, &distance, sizeof bits);
    // Floats in the order of unsigned integers: of negative ones all bits are turned, of others the sign.
    bits ^= (bits >> 31) != 0 ? 0xffffffffu : 0x80000000u;
    code_ = static_cast<uint64_t>(bits) << 32 | static_cast<uint64_t>(position) << 1;
  }

  float distance() const {
    auto bits = static_cast<uint32_t>(code_ >> 32);
    bits ^= (bits >> 31) != 0 ? 0x80000000u : 0xffffffffu;
    float distance;
    std::memcpy(&distance, &bits, sizeof distance);
    return distance;
  }
  uint32_t position() const { return static_cast<uint32_t>(code_) >> 1; }
  bool is_expanded() const { return (code_ & 1) != 0; }
  void expand() { code_ |= 1; }
  bool is_before(const Candidate& other) const { return code_ < other.code_; }
  /** The same position at the same distance. */
  bool is_at(const Candidate& other) const { return (code_ | 1) == (other.code_ | 1); }

 private:
  uint64_t code_ = 0;
};

/** The nearest positions that a walk has met, in order, equal distances by position. */
class Beam {
 public:
  /** Empties it and sets how many it holds. May throw bad_alloc. */
  void reset(size_t capacity) {
    if (candidates_.size() < capacity + 1) candidates_.resize(capacity + 1);
    capacity_ = capacity;
    size_ = 0;
  }

  size_t size() const { return size_; }
  Candidate& operator[](size_t place) { return candidates_[place]; }

  /** True when a candidate of this distance cannot enter, whatever its position. */
  bool is_beyond(float distance) const {
    return size_ == capacity_ && !Candidate(distance, 0).is_before(candidates_[size_ - 1]);
  }

  /** Takes a candidate; returns its place, or the size when it is too far or held already. */
  size_t enter(const Candidate& candidate) {
    Candidate* candidates = candidates_.data();
    const bool is_full = size_ == capacity_;
    if (is_full && !candidate.is_before(candidates[size_ - 1])) return size_;
    // Halves without branches: which way a search goes cannot be foretold.
    size_t place = 0;
    for (size_t rest = size_; rest > 0;) {
      const size_t half = (rest + 1) / 2;
      place += candidates[place + half - 1].is_before(candidate) ? half : 0;
      rest -= half;
    }
    if (place < size_ && candidates[place].is_at(candidate)) return size_;
    if (!is_full) ++size_;
    std::memmove(candidates + place + 1, candidates + place, (size_ - 1 - place) * sizeof(Candidate));
    candidates[place] = candidate;
    return place;
  }

 private:
  std::vector<Candidate> candidates_;
  size_t capacity_ = 0;
  size_t size_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_BEAM_H_
