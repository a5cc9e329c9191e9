#ifndef SEMANTIC_INDEX_KERNEL_ANNOY_QUANTIZED_ITEMS_H_
#define SEMANTIC_INDEX_KERNEL_ANNOY_QUANTIZED_ITEMS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "annoy/split.h"
#include "base/memory_block.h"
#include "distance/distance.h"

namespace semantic_index {

/**
 * A plane as bytes: its vector is about coarse_scale * coarse, `coarse_residual` away from it, and still nearer to that
 * plus fine_scale * fine.
 */
struct QuantizedPlane {
  std::vector<int8_t> coarse;
  std::vector<int8_t> fine;
  double coarse_scale = 0;
  double fine_scale = 0;
  double norm = 0;
  double coarse_residual = 0;
  double fine_residual = 0;

  void set(const float* plane, size_t elements);
};

/**
 * An int8 copy of all items that decides most sides of a plane. It bounds the error, so each decision is the one that
 * the floats give; undecided items are left to the floats. Builds are bound by memory bandwidth, and this copy has a
 * quarter of the bytes. It takes a quarter of the items' memory during a build.
 */
class QuantizedItems {
 public:
  /** Items with fewer dimensions have no copy: it would not be smaller. */
  static constexpr int32_t kMinDimensions = 64;

  /** Allocates the copy. False when out of memory, or when a copy would not help; the build then does without. */
  bool prepare(const ItemNodes& items);

  /** Fills in items begin..end-1. Different threads may fill different items. */
  void fill(int32_t begin, int32_t end);

  /**
   * Four products of the plane's vector with items: `products[j]` is within `bounds[j]` of what DistanceTable::dot
   * gives for item j. A bound is infinity or NaN if it is unknown. `with_fine` takes twice the time for a
   * bound about half as large.
   */
  void products(const DistanceTable& table, const QuantizedPlane& plane, bool with_fine, const int32_t* items,
                double* products, double* bounds) const;

  const int8_t* row(int32_t item) const {
    return reinterpret_cast<const int8_t*>(rows_.data()) + static_cast<size_t>(item) * stride_;
  }
  size_t stride() const { return stride_; }

 private:
  struct Row {
    float scale;
    /**
     * The length of the quantization residual, plus the maximum rounding error of a product with a plane of length 1.
     */
    float residual_norm;
    /** Length of the quantized vector. */
    float quantized_norm;
  };

  void fill_row(int32_t item, float* restored);

  ItemNodes items_;
  size_t elements_ = 0;
  size_t stride_ = 0;
  MemoryBlock rows_;
  std::unique_ptr<Row[]> facts_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_ANNOY_QUANTIZED_ITEMS_H_
