#ifndef SEMANTIC_INDEX_KERNEL_GRAPH_QUANTIZED_ROWS_H_
#define SEMANTIC_INDEX_KERNEL_GRAPH_QUANTIZED_ROWS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/prefetch.h"
#include "distance/distance.h"
#include "graph/graph_view.h"
#include "graph/quantized_query.h"

namespace semantic_index {

/** The rows of an accelerator: integers in halves of four bits, which are compared four rows at a time. */
class QuantizedRows {
 public:
  explicit QuantizedRows(const GraphView& view)
      : table_(distances()),
        high_(view.section<uint8_t>(GraphSection::high_nibbles)),
        low_(view.section<uint8_t>(GraphSection::low_nibbles)),
        row_bytes_(view.header().row_bytes) {}

  void prefetch_high(size_t position) const { prefetch(half(high_, position), row_bytes_ / 2); }
  void prefetch_low(size_t position) const { prefetch(half(low_, position), row_bytes_ / 2); }

  /**
   * Calls take(index, sum) for each index below `count`, in order: the sum of products of the query with the upper half
   * of the row at position_of(index). QuantizedQuery tells what such sums stand for.
   */
  template <typename PositionOf, typename Take>
  void sum_high(const QuantizedQuery& query, size_t count, const PositionOf& position_of, const Take& take) const {
    sum(high_, query, count, position_of, take);
  }

  template <typename PositionOf, typename Take>
  void sum_low(const QuantizedQuery& query, size_t count, const PositionOf& position_of, const Take& take) const {
    sum(low_, query, count, position_of, take);
  }

 private:
  const uint8_t* half(const uint8_t* halves, size_t position) const { return halves + position * (row_bytes_ / 2); }

  template <typename PositionOf, typename Take>
  void sum(const uint8_t* halves, const QuantizedQuery& query, size_t count, const PositionOf& position_of,
           const Take& take) const {
    for (size_t start = 0; start < count; start += 4) {
      const uint8_t* rows[4];
      for (size_t lane = 0; lane < 4; ++lane) {
        rows[lane] = half(halves, static_cast<size_t>(position_of(std::min(start + lane, count - 1))));
      }
      int32_t sums[4];
      table_.dot_int4_four(query.row.data(), rows, row_bytes_, sums);
      for (size_t lane = 0; lane < 4 && start + lane < count; ++lane) take(start + lane, sums[lane]);
    }
  }

  const DistanceTable& table_;
  const uint8_t* high_;
  const uint8_t* low_;
  const size_t row_bytes_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_QUANTIZED_ROWS_H_
