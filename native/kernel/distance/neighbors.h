#ifndef SEMANTIC_INDEX_KERNEL_DISTANCE_NEIGHBORS_H_
#define SEMANTIC_INDEX_KERNEL_DISTANCE_NEIGHBORS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace semantic_index {

/** An item and its distance, internal or public as the place says. */
struct Neighbor {
  float distance;
  int32_t item;
};

/** The order of all results: nearest first, equal distances by item. */
static inline bool is_nearer(const Neighbor& left, const Neighbor& right) {
  return left.distance < right.distance || (left.distance == right.distance && left.item < right.item);
}

/** Items that may be found: item i is allowed when bit i % 32 of word i / 32 is set; beyond `words` nothing is. */
struct Allowed {
  /** nullptr allows everything. */
  const uint32_t* bits = nullptr;
  int64_t words = 0;

  bool contains(int64_t item) const {
    return bits == nullptr || ((item >> 5) < words && ((bits[item >> 5] >> (item & 31)) & 1u) != 0);
  }
};

/** The k nearest of what was offered so far: a heap whose first element is the farthest kept. */
class NearestHeap {
 public:
  /** Empties it and sets how many to keep. May throw bad_alloc. */
  void reset(int64_t k);

  /** A distance above this cannot enter; infinity until k are kept. */
  float limit() const { return limit_; }

  /** Keeps (distance, item) if it is among the k nearest. A NaN distance is never kept. */
  void offer(float distance, int32_t item);

  /** Puts what was kept into the order of `is_nearer` and returns it; valid until the next `reset`. */
  const std::vector<Neighbor>& sorted();

 private:
  std::vector<Neighbor> heap_;
  size_t capacity_ = 0;
  float limit_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_DISTANCE_NEIGHBORS_H_
