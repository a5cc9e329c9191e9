#ifndef SEMANTIC_INDEX_KERNEL_ANNOY_SPLIT_H_
#define SEMANTIC_INDEX_KERNEL_ANNOY_SPLIT_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "base/random.h"
#include "distance/metric.h"

namespace semantic_index {

/** The items of a build: nodes 0..count-1, read only. */
struct ItemNodes {
  const NodeLayout* layout = nullptr;
  const uint8_t* bytes = nullptr;
  int32_t count = 0;

  const uint8_t* node(int32_t item) const { return bytes + static_cast<size_t>(item) * layout->node_bytes; }
  const float* vector(int32_t item) const { return reinterpret_cast<const float*>(node(item) + layout->vector_offset); }
  const uint64_t* words(int32_t item) const {
    return reinterpret_cast<const uint64_t*>(node(item) + layout->vector_offset);
  }
  /** The extra coordinate of the dot metric; 0 for others. */
  float dot_factor(int32_t item) const {
    return layout->metric == Metric::dot ? read_float(node(item) + kDotFactorOffset) : 0.0f;
  }
};

class QuantizedItems;
struct QuantizedPlane;

/**
 * Splits sets of items by a plane, the way Annoy does. One per thread: it holds working memory. All arithmetic goes
 * through the distance table or is plain and unfused, so planes do not depend on the machine.
 */
class Splitter {
 public:
  /** `quantized` may be nullptr; it affects only speed. May throw bad_alloc, as may all methods. */
  explicit Splitter(const ItemNodes& items, const QuantizedItems* quantized = nullptr);
  ~Splitter();
  Splitter(const Splitter&) = delete;
  Splitter& operator=(const Splitter&) = delete;

  /**
   * Cuts `count` >= 2 items. Writes 0 or 1 for each into `sides` and returns how many are 1. `node` gets the plane, as
   * Spotify's search reads it: vector and constant, the number of a bit for hamming; zeros when no plane was found and
   * sides are random. Neither side is empty.
   */
  int32_t split(const int32_t* items, int32_t count, Random* random, uint8_t* sides, uint8_t* node);

 private:
  void find_plane(const int32_t* items, int32_t count, Random* random);
  void find_angular_plane(const int32_t* items, int32_t count, Random* random);
  void find_minkowski_plane(const int32_t* items, int32_t count, Random* random);
  bool find_varying_bits(const int32_t* items, int32_t count);
  void find_bit(Random* random);
  int32_t assign(const int32_t* items, int32_t count, Random* random, uint8_t* sides);
  int32_t assign_bits(const int32_t* items, int32_t count, uint8_t* sides) const;
  int32_t assign_quantized(const int32_t* items, const int32_t* places, int32_t count, bool with_fine, uint8_t* sides);
  int32_t assign_places(const int32_t* items, const int32_t* places, int32_t count, Random* random, uint8_t* sides);
  float margin_rest(int32_t item) const;
  void write_plane(uint8_t* node) const;

  ItemNodes items_;
  size_t elements_;
  const QuantizedItems* quantized_;
  std::unique_ptr<QuantizedPlane> quantized_plane_;
  /** Indexes of the items whose side only the floats determine. */
  std::vector<int32_t> undecided_;
  /** The two means, and the plane that keeps them apart. */
  std::vector<float> first_;
  std::vector<float> second_;
  std::vector<float> plane_;
  float plane_constant_ = 0;
  float plane_dot_factor_ = 0;
  /** Hamming: bits in which the items differ, as numbers. */
  std::vector<uint64_t> varying_;
  std::vector<int32_t> varying_bits_;
  int32_t bit_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_ANNOY_SPLIT_H_
