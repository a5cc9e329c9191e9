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

/** Which four bits of each quantized component: the high ones order rows coarsely, both give the whole int8. */
enum class Nibbles { high, low };

/** The quantized rows of a graph index. High and low nibbles lie apart; four rows are compared at a time. */
class QuantizedRows {
 public:
  explicit QuantizedRows(const GraphView& view)
      : table_(distances()),
        high_(view.section<uint8_t>(GraphSection::high_nibbles)),
        low_(view.section<uint8_t>(GraphSection::low_nibbles)),
        row_bytes_(view.header().row_bytes) {}

  void prefetch_row(Nibbles nibbles, size_t position) const { prefetch(row(nibbles, position), row_bytes_ / 2); }

  /**
   * Calls take(index, sum) for each index below `count`, in order, until it returns false. `sum` is the dot product of
   * the quantized query with the nibbles of the row at position_of(index); QuantizedQuery turns sums into products.
   */
  template <typename PositionOf, typename Take>
  void sum(Nibbles nibbles, const QuantizedQuery& query, size_t count, const PositionOf& position_of,
           const Take& take) const {
    for (size_t start = 0; start < count; start += 4) {
      const uint8_t* rows[4];
      for (size_t lane = 0; lane < 4; ++lane) {
        rows[lane] = row(nibbles, static_cast<size_t>(position_of(std::min(start + lane, count - 1))));
      }
      int32_t sums[4];
      table_.dot_int4_four(query.row.data(), rows, row_bytes_, sums);
      for (size_t lane = 0; lane < 4 && start + lane < count; ++lane) {
        if (!take(start + lane, sums[lane])) return;
      }
    }
  }

 private:
  const uint8_t* row(Nibbles nibbles, size_t position) const {
    return (nibbles == Nibbles::high ? high_ : low_) + position * (row_bytes_ / 2);
  }

  const DistanceTable& table_;
  const uint8_t* high_;
  const uint8_t* low_;
  const size_t row_bytes_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_GRAPH_QUANTIZED_ROWS_H_
