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
 * A copy of all items in a quarter of the bytes, from which most sides of a plane can be told: with a bound on the
 * error, so that what is told is always what the floats would say. What a build does is bound by memory, and this is
 * what most of it needs to read. It costs a quarter of the items' memory while a forest is built.
 */
class QuantizedItems {
 public:
  /** Items below this many dimensions have no copy: it would not be smaller. */
  static constexpr int32_t kMinDimensions = 64;

  /** Makes room. False when there is none, or when a copy would not help; builds then go without. */
  bool prepare(const ItemNodes& items);

  /** Fills in items begin..end-1. Different threads may fill different items. */
  void fill(int32_t begin, int32_t end);

  /**
   * Four products of the plane's vector with items: `products[j]` is within `bounds[j]` of what DistanceTable::dot
   * gives for item j. A bound is infinity or NaN where nothing can be told. `with_fine` takes twice the time for a
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
    /** Length of what quantization left out, plus what rounding may add to a product with a plane of length 1. */
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
