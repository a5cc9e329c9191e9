#ifndef SEMANTIC_INDEX_KERNEL_BEAM_H_
#define SEMANTIC_INDEX_KERNEL_BEAM_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace semantic_index {

/** A place of a beam: a position of a graph and its distance, marked once its neighbours were looked at. */
struct Spot {
  static constexpr uint32_t kExpanded = 0x80000000u;

  float distance;
  uint32_t position;

  uint32_t number() const { return position & ~kExpanded; }
  bool is_expanded() const { return (position & kExpanded) != 0; }
  void expand() { position |= kExpanded; }

  bool is_before(const Spot& other) const {
    return distance < other.distance || (distance == other.distance && number() < other.number());
  }
};

/** The nearest positions that a walk has met, in order, equal distances by position. */
class Beam {
 public:
  /** Empties it and sets how many it holds. May throw bad_alloc. */
  void reset(size_t capacity) {
    if (spots_.size() < capacity + 1) spots_.resize(capacity + 1);
    capacity_ = capacity;
    size_ = 0;
  }

  size_t size() const { return size_; }
  Spot& operator[](size_t place) { return spots_[place]; }

  /** Takes a position that it does not hold; returns its place, or the size when it is too far. */
  size_t enter(const Spot& spot) {
    Spot* spots = spots_.data();
    if (size_ < capacity_) {
      ++size_;
    } else if (!spot.is_before(spots[size_ - 1])) {
      return size_;
    }
    size_t low = 0;
    size_t high = size_ - 1;
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (spots[middle].is_before(spot)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    std::memmove(spots + low + 1, spots + low, (size_ - 1 - low) * sizeof(Spot));
    spots[low] = spot;
    return low;
  }

 private:
  std::vector<Spot> spots_;
  size_t capacity_ = 0;
  size_t size_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_BEAM_H_
