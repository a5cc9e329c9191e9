#include "graph/pruned_scan.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <new>
#include <vector>

#include "annoy/item_distance.h"
#include "base/cancel.h"
#include "base/prefetch.h"
#include "base/status.h"
#include "distance/distance.h"
#include "distance/query.h"
#include "graph/graph_format.h"
#include "graph/quantized_query.h"
#include "graph/quantized_rows.h"

namespace semantic_index {

namespace {

/** Positions compared with every query before the next block is read; for one query, which reads each row once. */
constexpr int32_t kBlock = 512;
constexpr int32_t kLargeBlock = 8192;
/** Rows that are compared before the others of a block, beyond twice the number of neighbors. */
constexpr size_t kPromising = 32;
/** Rows by whose bounds these are chosen, about. */
constexpr size_t kSample = 512;
/** How many vectors ahead of the compared one are prefetched. */
constexpr size_t kNodesAhead = 3;
/** How many rows ahead of the compared one are prefetched. */
constexpr size_t kAhead = 16;

Status missing_item() { return Status::failure(StatusCode::corrupt, "an item of the graph index does not exist"); }

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
    const int32_t block = block_size();
    for (int32_t start = begin; start < end; start += block) {
      Status status = select(start, std::min(start + block, end));
      if (status.ok()) status = scan_selected(cancel);
      if (!status.ok()) return status;
    }
    return Status::success();
  }

  /** Selects the allowed items among begin..end-1 by their bits. */
  Status run_items(const std::vector<uint32_t>& positions, int32_t begin, int32_t end,
                   const std::atomic<bool>* cancel) {
    positions_.clear();
    const int64_t words = std::min<int64_t>(allowed_.words, (int64_t{end} + 31) / 32);
    for (int64_t word = begin / 32; word < words; ++word) {
      int32_t item = static_cast<int32_t>(word * 32);
      for (uint32_t rest = allowed_.bits[word]; rest != 0; rest >>= 1, ++item) {
        // Words with few items are common; most of their bits are skipped at once.
        while ((rest & 0xffu) == 0) {
          rest >>= 8;
          item += 8;
        }
        if ((rest & 1u) == 0 || item < begin || item >= end) continue;
        const uint32_t position = positions[static_cast<size_t>(item)];
        if (position != kNoPosition) positions_.push_back(static_cast<int32_t>(position));
      }
      if (positions_.size() < static_cast<size_t>(block_size())) continue;
      const Status status = scan_selected(cancel);
      if (!status.ok()) return status;
      positions_.clear();
    }
    return scan_selected(cancel);
  }

 private:
  int32_t block_size() const { return bounds_.size() == 1 ? kLargeBlock : kBlock; }

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

  Status scan_selected(const std::atomic<bool>* cancel) {
    if (is_raised(cancel)) return cancelled();
    for (size_t query = 0; query < bounds_.size() && !positions_.empty(); ++query) {
      const Status status = scan_block(query);
      if (!status.ok()) return status;
    }
    return Status::success();
  }

  Status select(int32_t begin, int32_t end) {
    positions_.clear();
    for (int32_t position = begin; position < end; ++position) {
      const int32_t item = items_[position];
      if (item < 0 || item >= forest_.items()) return missing_item();
      if (allowed_.contains(item)) positions_.push_back(position);
    }
    return Status::success();
  }

  /** A row that was not ruled out yet, and a lower bound of its distance; NaN counts as the least of all. */
  struct Remaining {
    float minimum;
    int32_t position;
    int32_t high_sum;

    static bool is_less(const Remaining& left, const Remaining& right) { return left.minimum < right.minimum; }
  };

  static float least_of(float minimum) {
    return std::isnan(minimum) ? -std::numeric_limits<float>::infinity() : minimum;
  }

  /** Compares the most promising rows first: they rule out most of the others. */
  Status scan_block(size_t query) {
    const Bound& bound = bounds_[query];
    const auto number = static_cast<int64_t>(query);
    const float limit = scan_.limit(number);
    remaining_.clear();
    remaining_.reserve(positions_.size());
    const auto position_of = [this](size_t index) { return positions_[index]; };
    rows_.sum(Nibbles::high, bound.query, positions_.size(), position_of, [&](size_t index, int32_t sum) {
      if (index + kAhead < positions_.size()) {
        const int32_t next = positions_[index + kAhead];
        rows_.prefetch_row(Nibbles::high, static_cast<size_t>(next));
        prefetch(residuals_ + next, sizeof(RowResiduals));
      }
      const int32_t position = positions_[index];
      const int32_t product = bound.query.high_product(sum);
      const float minimum = least_of(bound.minimum(norm_of(position), product, residuals_[position].high));
      if (minimum <= limit) remaining_.push_back({minimum, position, sum});
      return true;
    });
    const size_t promising = 2 * static_cast<size_t>(scan_.k()) + kPromising;
    if (remaining_.size() > promising) {
      const size_t first = put_promising_first(promising);
      const Status status = scan_remaining(query, 0, first);
      if (!status.ok()) return status;
      const float nearer = scan_.limit(number);
      const auto is_ruled_out = [nearer](const Remaining& row) { return row.minimum > nearer; };
      remaining_.erase(remaining_.begin(), remaining_.begin() + static_cast<std::ptrdiff_t>(first));
      remaining_.erase(std::remove_if(remaining_.begin(), remaining_.end(), is_ruled_out), remaining_.end());
    }
    return scan_remaining(query, 0, remaining_.size());
  }

  /** Moves about so many rows with the least bounds to the front, and returns how many they are. */
  size_t put_promising_first(size_t wanted) {
    // A sample is enough, and to select exactly so many among thousands takes longer than to compare a few more.
    const size_t step = std::max<size_t>(1, remaining_.size() / kSample);
    sample_.clear();
    for (size_t row = 0; row < remaining_.size(); row += step) sample_.push_back(remaining_[row].minimum);
    const size_t place = wanted * sample_.size() / remaining_.size();
    std::nth_element(sample_.begin(), sample_.begin() + static_cast<std::ptrdiff_t>(place), sample_.end());
    const float most = sample_[place];
    const auto end = std::partition(remaining_.begin(), remaining_.end(),
                                    [most](const Remaining& row) { return row.minimum <= most; });
    return static_cast<size_t>(end - remaining_.begin());
  }

  /** Compares rows by both nibbles, then those that are left by their floats, from the nearest on. */
  Status scan_remaining(size_t index, size_t begin, size_t end) {
    const Bound& bound = bounds_[index];
    const auto number = static_cast<int64_t>(index);
    const float limit = scan_.limit(number);
    const Remaining* const rows = remaining_.data() + begin;
    close_.clear();
    const auto position_of = [rows](size_t row) { return rows[row].position; };
    rows_.sum(Nibbles::low, bound.query, end - begin, position_of, [&](size_t row, int32_t sum) {
      if (row + kAhead < end - begin) {
        rows_.prefetch_row(Nibbles::low, static_cast<size_t>(rows[row + kAhead].position));
      }
      const auto [_, position, high_sum] = rows[row];
      const int32_t product = bound.query.whole_product(high_sum, sum);
      const float minimum = least_of(bound.minimum(norm_of(position), product, residuals_[position].whole));
      if (minimum <= limit) close_.push_back({minimum, position, 0});
      return true;
    });
    std::sort(close_.begin(), close_.end(), Remaining::is_less);
    const Query query = Query::of_floats(layout_, scan_.query(number));
    for (size_t place = 0; place < close_.size() && close_[place].minimum <= scan_.limit(number); ++place) {
      if (place + kNodesAhead < close_.size()) {
        prefetch(forest_.node(items_[close_[place + kNodesAhead].position]), layout_.node_bytes);
      }
      const int32_t item = items_[close_[place].position];
      if (!forest_.has_item(item)) return missing_item();
      scan_.offer(number, item_distance(query, table_, layout_, forest_.node(item)), item);
    }
    return Status::success();
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
  std::vector<Remaining> close_;
  std::vector<float> sample_;
};

Status status_of_files(const GraphView& view, const ForestView& forest) {
  const Status own = view.check_unchanged();
  return own.ok() ? forest.check_unchanged() : own;
}

}  // namespace

Status scan_pruned(const GraphView& view, const ForestView& forest, ExactScan* scan, int32_t begin, int32_t end,
                   const Allowed& allowed, const std::atomic<bool>* cancel) try {
  const Status status = PrunedScan(view, forest, scan, allowed).run(begin, end, cancel);
  const Status files = status_of_files(view, forest);
  return files.ok() ? status : files;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status find_positions(const GraphView& view, int32_t items, std::vector<uint32_t>* positions) try {
  positions->assign(static_cast<size_t>(items), kNoPosition);
  const auto* const numbers = reinterpret_cast<const uint8_t*>(view.section<int32_t>(GraphSection::items));
  for (int32_t position = 0; position < view.header().positions; ++position) {
    const int32_t item = read_int32(numbers + size_t{4} * static_cast<size_t>(position));
    if (item < 0 || item >= items) return missing_item();
    (*positions)[static_cast<size_t>(item)] = static_cast<uint32_t>(position);
  }
  return view.check_unchanged();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status scan_pruned_items(const GraphView& view, const ForestView& forest, const std::vector<uint32_t>& positions,
                         ExactScan* scan, int32_t begin, int32_t end, const Allowed& allowed,
                         const std::atomic<bool>* cancel) try {
  const Status status = PrunedScan(view, forest, scan, allowed).run_items(positions, begin, end, cancel);
  const Status files = status_of_files(view, forest);
  return files.ok() ? status : files;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
