#include "distance/neighbors.h"

#include <algorithm>
#include <limits>

namespace semantic_index {

void NearestHeap::reset(int64_t k) {
  heap_.clear();
  capacity_ = static_cast<size_t>(k);
  heap_.reserve(std::min<size_t>(capacity_, 1024));
  limit_ = std::numeric_limits<float>::infinity();
}

void NearestHeap::offer(float distance, int32_t item) {
  const Neighbor neighbor{distance, item};
  if (heap_.size() < capacity_) {
    if (distance != distance) return;
    heap_.push_back(neighbor);
    std::push_heap(heap_.begin(), heap_.end(), is_nearer);
    if (heap_.size() == capacity_) limit_ = heap_.front().distance;
    return;
  }
  if (capacity_ == 0 || !is_nearer(neighbor, heap_.front())) return;
  std::pop_heap(heap_.begin(), heap_.end(), is_nearer);
  heap_.back() = neighbor;
  std::push_heap(heap_.begin(), heap_.end(), is_nearer);
  limit_ = heap_.front().distance;
}

const std::vector<Neighbor>& NearestHeap::sorted() {
  std::sort(heap_.begin(), heap_.end(), is_nearer);
  return heap_;
}

}  // namespace semantic_index
