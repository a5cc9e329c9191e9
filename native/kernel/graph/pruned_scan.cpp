#include "graph/pruned_scan.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <vector>

#include "annoy/item_distance.h"
#include "distance/distance.h"
#include "distance/query.h"
#include "graph/graph_format.h"
#include "graph/quantized_query.h"
#include "graph/quantized_rows.h"

namespace semantic_index {

namespace {

/** Positions compared with every query before the next block is read. */
constexpr int32_t kBlock = 512;
/** How many rows ahead of the compared one are prefetched. */
constexpr size_t kAhead = 16;

double length_of(const float* vector, size_t size) {
  double square = 0;
  for (size_t i = 0; i < size; ++i) square += static_cast<double>(vector[i]) * vector[i];
  return std::sqrt(square);
}

/**
 * A lower bound of a row's internal distance: `base` + `own` * the squared length of the row - `factor` * the quantized
 * product - `reach` * the length of the row's quantization residual.
 */
struct Bound {
  QuantizedQuery query;
  float base = 0;
  /** Slightly below 1 to allow for rounding; 0 unless the metric is euclidean. */
  float own = 0;
  float factor = 0;
  float reach = 0;

  float minimum(float norm, int32_t product, float residual) const {
    return base + own * norm - factor * static_cast<float>(product) - reach * residual;
  }
};

class PrunedScan {
 public:
  PrunedScan(const GraphView& view, const ForestView& forest, ExactScan* scan, const Allowed& allowed)
      : view_(view),
        header_(view.header()),
        forest_(forest),
        layout_(forest.layout()),
        scan_(*scan),
        allowed_(allowed),
        table_(distances()),
        rows_(view),
        items_(view.section<int32_t>(GraphSection::items)),
        residuals_(view.section<RowResiduals>(GraphSection::residuals)) {
    if (layout_.metric == Metric::euclidean) norms_ = view.section<float>(GraphSection::norms);
    bounds_.resize(static_cast<size_t>(scan_.queries()));
    for (size_t query = 0; query < bounds_.size(); ++query) set_bound(query);
  }

  Status run(int32_t begin, int32_t end, const std::atomic<bool>* cancel) {
    for (int32_t start = begin; start < end; start += kBlock) {
      if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) return {StatusCode::cancelled, 0, {}};
      select(start, std::min(start + kBlock, end));
      for (size_t query = 0; query < bounds_.size() && !positions_.empty(); ++query) {
        const Status status = scan_block(query);
        if (!status.ok()) return status;
      }
    }
    return Status::success();
  }

 private:
  void set_bound(size_t index) {
    Bound& bound = bounds_[index];
    const float* centroid = view_.section<float>(GraphSection::centroid);
    const auto dimensions = static_cast<size_t>(layout_.dimensions);
    bound.query.set(layout_, view_.rotation(), layout_.metric == Metric::euclidean ? centroid : nullptr,
                    header_.row_bytes, scan_.query(static_cast<int64_t>(index)));
    const std::vector<float>& vector = bound.query.vector;
    std::vector<float> rest(dimensions);
    for (size_t i = 0; i < dimensions; ++i) {
      rest[i] = vector[i] - bound.query.scale * static_cast<float>(bound.query.row[i]);
    }
    const double length = length_of(vector.data(), dimensions);
    const double centroid_length = length_of(centroid, dimensions);
    const double longest = header_.longest;
    // Sums of n products in 16 lanes, rotations, and lengths are rounded, each by much less than this fraction of the
    // lengths involved (Higham, "Accuracy and Stability of Numerical Algorithms", 3.1).
    const double rounding = (static_cast<double>(dimensions) / 16.0 + 64.0) * 2.4e-7;
    const double error = length_of(rest.data(), dimensions) * longest + rounding * length * (longest + centroid_length);
    const double centroid_product = table_.dot(vector.data(), centroid, dimensions);
    const double unit = static_cast<double>(bound.query.scale) * header_.scale;
    double base = 0;
    double weight = 2;
    if (layout_.metric == Metric::angular) {
      base = 2.0 - 2.0 * (centroid_product + error + rounding);
    } else if (layout_.metric == Metric::euclidean) {
      base = length * length * (1.0 - rounding) - 2.0 * error;
      bound.own = static_cast<float>(1.0 - rounding);
    } else {
      weight = 1;
      base = -(centroid_product + error);
    }
    bound.base = static_cast<float>(base);
    bound.factor = static_cast<float>(weight * unit);
    bound.reach = static_cast<float>(weight * length * (1.0 + rounding));
  }

  float norm_of(int32_t position) const { return norms_ == nullptr ? 0.0f : norms_[position]; }

  void select(int32_t begin, int32_t end) {
    positions_.clear();
    for (int32_t position = begin; position < end; ++position) {
      // Damaged bytes may hold any number; as unsigned, a negative one exceeds every allowed item.
      if (allowed_.contains(static_cast<uint32_t>(items_[position]))) positions_.push_back(position);
    }
  }

  /** A row that its high nibbles could not rule out. */
  struct Remaining {
    int32_t position;
    int32_t high_sum;
  };

  Status scan_block(size_t query) {
    const Bound& bound = bounds_[query];
    const float limit = scan_.limit(static_cast<int64_t>(query));
    remaining_.clear();
    const auto position_of = [this](size_t index) { return positions_[index]; };
    rows_.sum(Nibbles::high, bound.query, positions_.size(), position_of, [&](size_t index, int32_t sum) {
      if (index + kAhead < positions_.size()) {
        rows_.prefetch_row(Nibbles::high, static_cast<size_t>(positions_[index + kAhead]));
      }
      const int32_t position = positions_[index];
      const int32_t product = bound.query.high_product(sum);
      // Comparisons with NaN are false: the row stays.
      if (bound.minimum(norm_of(position), product, residuals_[position].high) > limit) return true;
      remaining_.push_back({position, sum});
      return true;
    });
    return scan_remaining(query);
  }

  Status scan_remaining(size_t index) {
    const Bound& bound = bounds_[index];
    const auto number = static_cast<int64_t>(index);
    const Query query = Query::of_floats(layout_, scan_.query(number));
    Status status = Status::success();
    const auto position_of = [this](size_t row) { return remaining_[row].position; };
    rows_.sum(Nibbles::low, bound.query, remaining_.size(), position_of, [&](size_t row, int32_t sum) {
      const auto [position, high_sum] = remaining_[row];
      const int32_t product = bound.query.whole_product(high_sum, sum);
      if (bound.minimum(norm_of(position), product, residuals_[position].whole) > scan_.limit(number)) return true;
      const int32_t item = read_int32(reinterpret_cast<const uint8_t*>(items_ + position));
      if (item < 0 || item >= forest_.items() || !forest_.has_item(item)) {
        status = Status::failure(StatusCode::corrupt, "an item of the graph index does not exist");
        return false;
      }
      scan_.offer(number, item_distance(query, table_, layout_, forest_.node(item)), item);
      return true;
    });
    return status;
  }

  const GraphView& view_;
  const GraphHeader& header_;
  const ForestView& forest_;
  const NodeLayout& layout_;
  ExactScan& scan_;
  const Allowed& allowed_;
  const DistanceTable& table_;
  const QuantizedRows rows_;
  const int32_t* items_;
  const RowResiduals* residuals_;
  const float* norms_ = nullptr;
  std::vector<Bound> bounds_;
  std::vector<int32_t> positions_;
  std::vector<Remaining> remaining_;
};

}  // namespace

Status scan_pruned(const GraphView& view, const ForestView& forest, ExactScan* scan, int32_t begin, int32_t end,
                   const Allowed& allowed, const std::atomic<bool>* cancel) try {
  const Status status = PrunedScan(view, forest, scan, allowed).run(begin, end, cancel);
  const Status own = view.check_unchanged();
  if (!own.ok()) return own;
  const Status unchanged = forest.check_unchanged();
  return unchanged.ok() ? status : unchanged;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
