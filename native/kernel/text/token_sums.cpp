#include "text/token_sums.h"

#include <algorithm>
#include <cmath>

#include "base/prefetch.h"
#include "distance/distance.h"

namespace semantic_index {

namespace {

/** Scales a vector to length 1, in double precision; false where that is impossible. `unit` may be `vector`. */
bool scale_to_unit(const float* vector, size_t size, float* unit) {
  double squares = 0;
  for (size_t column = 0; column < size; ++column) {
    squares += static_cast<double>(vector[column]) * static_cast<double>(vector[column]);
  }
  if (!std::isfinite(squares) || squares == 0) return false;
  const double scale = 1 / std::sqrt(squares);
  for (size_t column = 0; column < size; ++column) {
    unit[column] = static_cast<float>(static_cast<double>(vector[column]) * scale);
  }
  return true;
}

}  // namespace

TokenSums::TokenSums(const TokenTable& table)
    : table_(table),
      sums_(table.dimensions()),
      ids_(kMaxRows),
      scales_(kMaxRows),
      occurrences_(table.saturation ? table.rows : 0) {}

void TokenSums::begin() {
  std::fill(sums_.begin(), sums_.end(), 0.0F);
  step_.clear();
  tokens_ = 0;
  for (const int32_t id : distinct_) occurrences_[id] = 0;
  distinct_.clear();
  known_ = 0;
}

void TokenSums::end_step() {
  const size_t count = std::min(step_.size(), table_.max_tokens - tokens_);
  tokens_ += count;
  for (size_t index = 0; index < count; ++index) {
    const int32_t id = step_[index];
    if (id == table_.unknown || table_.scales[id] == 0) continue;
    if (table_.saturation) {
      ++known_;
      if (++occurrences_[id] > 1) continue;
      distinct_.push_back(id);
      prefetch(table_.table + static_cast<size_t>(id) * table_.row_bytes, table_.row_bytes);
    } else {
      add_row(id, table_.scales[id]);
    }
  }
  add_pending_rows();
  step_.clear();
}

bool TokenSums::end(float* vector) {
  end_step();
  if (table_.saturation) add_counted_rows(*table_.saturation);
  // Twice, as a vector of a provider is: what is stored does not depend on where a text was embedded.
  return scale_to_unit(sums_.data(), sums_.size(), vector) && scale_to_unit(vector, sums_.size(), vector);
}

void TokenSums::add_counted_rows(const Saturation& saturation) {
  const double start = saturation.start(known_);
  // Most tokens occur once, and a division takes as long as much of the rest.
  const double once = saturated(1, start);
  for (const int32_t id : distinct_) {
    const double weight = occurrences_[id] == 1 ? once : saturated(occurrences_[id], start);
    add_row(id, static_cast<float>(static_cast<double>(table_.scales[id]) * weight));
  }
  add_pending_rows();
}

void TokenSums::add_row(int32_t id, float scale) {
  ids_[pending_] = id;
  scales_[pending_] = scale;
  if (++pending_ == kMaxRows) add_pending_rows();
}

void TokenSums::add_pending_rows() {
  if (pending_ == 0) return;
  const TableRows rows = {table_.table, table_.row_bytes, ids_.data(), scales_.data(), pending_};
  (table_.is_int4 ? distances().sum_int4_rows : distances().sum_int8_rows)(rows, sums_.data());
  pending_ = 0;
}

}  // namespace semantic_index
