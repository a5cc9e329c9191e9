#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_BEAM_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_BEAM_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace semantic_index {

/**
 * A position of the graph and its distance, packed into one integer that orders by distance, then by position. The
 * lowest bit is set once the neighbors of the position were visited.
 */
class Candidate {
 public:
  Candidate() = default;
  Candidate(float distance, uint32_t position) {
    uint32_t bits;
    std::memcpy(&bits, &distance, sizeof bits);
    // Maps floats to unsigned integers of the same order: inverts all bits of negative ones, the sign of others.
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

/** The nearest candidates of a walk, nearest first, ties by position. */
class Beam {
 public:
  /** Clears the beam and sets its capacity. May throw bad_alloc. */
  void reset(size_t capacity) {
    if (candidates_.size() < capacity + 1) candidates_.resize(capacity + 1);
    capacity_ = capacity;
    size_ = 0;
  }

  size_t size() const { return size_; }
  Candidate& operator[](size_t slot) { return candidates_[slot]; }

  /** True when a candidate of this distance cannot enter, whatever its position. */
  bool is_beyond(float distance) const {
    return size_ == capacity_ && !Candidate(distance, 0).is_before(candidates_[size_ - 1]);
  }

  /** Inserts a candidate. Returns its slot, or the size when it is too far or already present. */
  size_t enter(const Candidate& candidate) {
    Candidate* candidates = candidates_.data();
    const bool is_full = size_ == capacity_;
    if (is_full && !candidate.is_before(candidates[size_ - 1])) return size_;
    // Branchless binary search: the comparisons are unpredictable.
    size_t slot = 0;
    for (size_t rest = size_; rest > 0;) {
      const size_t half = (rest + 1) / 2;
      slot += candidates[slot + half - 1].is_before(candidate) ? half : 0;
      rest -= half;
    }
    if (slot < size_ && candidates[slot].is_at(candidate)) return size_;
    if (!is_full) ++size_;
    std::memmove(candidates + slot + 1, candidates + slot, (size_ - 1 - slot) * sizeof(Candidate));
    candidates[slot] = candidate;
    return slot;
  }

 private:
  std::vector<Candidate> candidates_;
  size_t capacity_ = 0;
  size_t size_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_BEAM_H_
