#include "exact/scan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>

#include "base/cancel.h"
#include "base/status.h"
#include "distance/distance.h"
#include "distance/query.h"

namespace semantic_index {

namespace {

/** Rows compared per pass: a batch of queries finds them in the second-level cache. */
constexpr int64_t kBlockBytes = 384 * 1024;
constexpr int64_t kLargestBlock = 512;

/** Rows, and queries, that are compared at a time. */
constexpr int64_t kGroup = 4;

/** From this many bytes on, rows come from memory faster one after the other than four at a time. */
constexpr size_t kLongRow = 128;

const float* as_floats(const uint8_t* bytes) { return reinterpret_cast<const float*>(bytes); }

/** The rows of a block that are neither holes nor left out, and the squared norm of each for angular. */
struct Block {
  int32_t rows[kLargestBlock];
  float squared_norms[kLargestBlock];
  int64_t count = 0;

  void add(const RowsView& view, int64_t row) {
    if (view.descendants != nullptr && read_int32(view.descendants + static_cast<size_t>(row) * view.stride) != 1) {
      return;
    }
    rows[count++] = static_cast<int32_t>(row);
  }

  void select(const RowsView& view, int64_t begin, int64_t end, int64_t first_item, const Allowed& allowed) {
    count = 0;
    for (int64_t row = begin; row < end; ++row) {
      const int64_t item = first_item + row;
      if (allowed.bits != nullptr && (item & 31) == 0 && row + 32 <= end) {
        // Skip 32 rows at once when none is allowed.
        if ((item >> 5) >= allowed.words || allowed.bits[item >> 5] == 0) {
          row += 31;
          continue;
        }
      }
      if (allowed.contains(item)) add(view, row);
    }
  }

  void find_norms(const DistanceTable& table, const RowsView& view, size_t elements) {
    for (int64_t index = 0; index < count; ++index) {
      const size_t row = static_cast<size_t>(rows[index]);
      float norm = view.squared_norms == nullptr ? 0.0f : read_float(view.squared_norms + row * view.norm_stride);
      if (!(norm > 0)) {
        const float* vector = as_floats(view.vectors + row * view.stride);
        norm = table.dot(vector, vector, elements);
      }
      squared_norms[index] = norm;
    }
  }
};

/**
 * Whether a product is too small for the angular distance to be below the limit. Cheaper than the square root that most
 * rows would otherwise need. Leaves room for rounding: never true for a row of the result.
 */
class AngularSieve {
 public:
  explicit AngularSieve(float squared_norm) : squared_norm_(squared_norm) {}

  void set_limit(float limit) {
    const float cosine = 1.0f - 0.5f * limit - 1e-5f;
    // Without a positive cosine to exceed, no row is rejected.
    factor_ = cosine > 0 ? cosine * cosine * squared_norm_ * (1.0f - 1e-5f) : -1.0f;
  }

  bool rejects(float product, float row_squared_norm) const {
    const float bound = factor_ * row_squared_norm;
    // Numbers near the smallest ones are too coarse to decide by.
    return bound > 1e-30f && (product <= 0 || product * product < bound);
  }

 private:
  float squared_norm_;
  float factor_ = -1.0f;
};

}  // namespace

RowsView item_rows(const ForestView& view) {
  RowsView rows;
  const NodeLayout& layout = view.layout();
  if (view.items() == 0) return rows;
  rows.vectors = view.node(0) + layout.vector_offset;
  rows.stride = layout.node_bytes;
  rows.count = view.items();
  rows.descendants = view.node(0) + kDescendantsOffset;
  if (layout.metric == Metric::angular) {
    rows.squared_norms = view.node(0) + kAngularNormOffset;
    rows.norm_stride = layout.node_bytes;
  }
  return rows;
}

RowsView matrix_rows(const NodeLayout& layout, const void* matrix, int64_t count) {
  RowsView rows;
  rows.vectors = static_cast<const uint8_t*>(matrix);
  rows.stride = layout.vector_bytes;
  rows.count = count;
  return rows;
}

Status ExactScan::prepare(const NodeLayout& layout, const float* queries, int64_t count, int32_t k) try {
  if (k < 1) return Status::failure(StatusCode::invalid_argument, "k must be at least 1");
  layout_ = layout;
  k_ = k;
  count_ = count;
  const size_t dimensions = static_cast<size_t>(layout.dimensions);
  const size_t elements = static_cast<size_t>(layout.elements);
  if (layout.metric == Metric::hamming) {
    bits_.assign(static_cast<size_t>(count) * elements, 0);
    for (int64_t query = 0; query < count; ++query) {
      pack_bits(queries + static_cast<size_t>(query) * dimensions, layout.dimensions,
                bits_.data() + static_cast<size_t>(query) * elements);
    }
  } else {
    queries_.assign(queries, queries + static_cast<size_t>(count) * elements);
  }
  squared_norms_.assign(static_cast<size_t>(count), 0.0f);
  if (layout.metric == Metric::angular) {
    for (size_t query = 0; query < static_cast<size_t>(count); ++query) {
      const float* vector = queries_.data() + query * elements;
      squared_norms_[query] = distances().dot(vector, vector, elements);
    }
  }
  nearest_.resize(static_cast<size_t>(count));
  for (NearestHeap& heap : nearest_) heap.reset(k);
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

void ExactScan::offer_values(const int32_t* rows, const float* norms, int64_t count, int32_t first_item, int64_t query,
                             const float* values) {
  NearestHeap& heap = nearest_[static_cast<size_t>(query)];
  if (layout_.metric == Metric::angular) {
    const float query_norm = squared_norms_[static_cast<size_t>(query)];
    AngularSieve sieve(query_norm);
    float limit = heap.limit();
    sieve.set_limit(limit);
    for (int64_t index = 0; index < count; ++index) {
      const float product = values[index];
      if (sieve.rejects(product, norms[index])) continue;
      heap.offer(angular_distance(product, query_norm, norms[index]), first_item + rows[index]);
      if (heap.limit() != limit) {
        limit = heap.limit();
        sieve.set_limit(limit);
      }
    }
    return;
  }
  const float sign = layout_.metric == Metric::dot ? -1.0f : 1.0f;
  for (int64_t index = 0; index < count; ++index) {
    const float distance = sign * values[index];
    if (distance <= heap.limit()) heap.offer(distance, first_item + rows[index]);
  }
}

namespace {

/** The functions of the table that compare floats by one metric. */
struct Comparison {
  float (*one)(const float*, const float*, size_t);
  void (*four)(const float*, const float* const*, size_t, float*);
  /** nullptr if the metric has none. */
  void (*block)(const float* const*, const float* const*, size_t, float*);
};

Comparison comparison_of(const DistanceTable& table, Metric metric) {
  switch (metric) {
    case Metric::euclidean:
      return {table.squared_euclidean, table.squared_euclidean_four, table.squared_euclidean_block};
    case Metric::manhattan:
      return {table.manhattan, table.manhattan_four, nullptr};
    default:
      return {table.dot, table.dot_four, table.dot_block};
  }
}

}  // namespace

Status ExactScan::scan(const RowsView& rows, int32_t first_item, const Allowed& allowed,
                       const std::atomic<bool>* cancel) try {
  const DistanceTable& table = distances();
  const Comparison compare = comparison_of(table, layout_.metric);
  const size_t elements = static_cast<size_t>(layout_.elements);
  const int64_t block_rows =
      std::clamp<int64_t>(kBlockBytes / static_cast<int64_t>(std::max<size_t>(rows.stride, 1)), 16, kLargestBlock);
  Block block;
  float values[kGroup * (kLargestBlock + kGroup)];

  for (int64_t begin = 0; begin < rows.count; begin += block_rows) {
    if (is_raised(cancel)) return cancelled();
    block.select(rows, begin, std::min(begin + block_rows, rows.count), first_item, allowed);
    if (block.count == 0) continue;
    if (layout_.metric == Metric::angular) block.find_norms(table, rows, elements);
    const auto bytes_at = [&](int64_t index) {
      return rows.vectors + static_cast<size_t>(block.rows[index]) * rows.stride;
    };
    const auto query_at = [&](int64_t query) { return queries_.data() + static_cast<size_t>(query) * elements; };
    if (layout_.metric == Metric::hamming) {
      for (int64_t query = 0; query < count_; ++query) {
        const uint64_t* bits = bits_.data() + static_cast<size_t>(query) * elements;
        for (int64_t index = 0; index < block.count; ++index) {
          values[index] =
              static_cast<float>(table.hamming(bits, reinterpret_cast<const uint64_t*>(bytes_at(index)), elements));
        }
        offer_values(block.rows, nullptr, block.count, first_item, query, values);
      }
      continue;
    }
    // Four rows at a time; the last group is filled up with its last row.
    const int64_t groups = (block.count + kGroup - 1) / kGroup;
    const float* vectors[kLargestBlock + kGroup];
    for (int64_t index = 0; index < groups * kGroup; ++index) {
      vectors[index] = as_floats(bytes_at(std::min(index, block.count - 1)));
    }
    int64_t query = 0;
    for (; compare.block != nullptr && query + kGroup <= count_; query += kGroup) {
      const float* queries[kGroup];
      for (int64_t member = 0; member < kGroup; ++member) queries[member] = query_at(query + member);
      for (int64_t group = 0; group < groups; ++group) {
        float products[kGroup * kGroup];
        compare.block(queries, vectors + group * kGroup, elements, products);
        for (int64_t member = 0; member < kGroup; ++member) {
          std::copy_n(products + member * kGroup, kGroup, values + member * (kLargestBlock + kGroup) + group * kGroup);
        }
      }
      for (int64_t member = 0; member < kGroup; ++member) {
        offer_values(block.rows, block.squared_norms, block.count, first_item, query + member,
                     values + member * (kLargestBlock + kGroup));
      }
    }
    for (; query < count_; ++query) {
      if (query == 0 && layout_.vector_bytes >= kLongRow) {
        for (int64_t index = 0; index < block.count; ++index) {
          values[index] = compare.one(query_at(query), vectors[index], elements);
        }
      } else {
        for (int64_t group = 0; group < groups; ++group) {
          compare.four(query_at(query), vectors + group * kGroup, elements, values + group * kGroup);
        }
      }
      offer_values(block.rows, block.squared_norms, block.count, first_item, query, values);
    }
  }
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

void ExactScan::absorb(ExactScan* other) {
  for (size_t query = 0; query < nearest_.size(); ++query) {
    for (const Neighbor& neighbor : other->nearest_[query].sorted()) {
      nearest_[query].offer(neighbor.distance, neighbor.item);
    }
  }
}

void ExactScan::finish(int32_t* items, float* distances_out) {
  for (int64_t query = 0; query < count_; ++query) {
    const std::vector<Neighbor>& sorted = nearest_[static_cast<size_t>(query)].sorted();
    for (int64_t rank = 0; rank < k_; ++rank) {
      const bool exists = rank < static_cast<int64_t>(sorted.size());
      const size_t place = static_cast<size_t>(query * k_ + rank);
      items[place] = exists ? sorted[static_cast<size_t>(rank)].item : -1;
      if (distances_out != nullptr) {
        distances_out[place] = exists ? public_distance(layout_.metric, sorted[static_cast<size_t>(rank)].distance)
                                      : std::numeric_limits<float>::quiet_NaN();
      }
    }
  }
}

}  // namespace semantic_index
