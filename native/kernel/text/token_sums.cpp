#include "text/token_sums.h"

#include <algorithm>
#include <cmath>

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

void TokenSums::begin() {
  std::fill(sums_.begin(), sums_.end(), 0.0F);
  step_.clear();
  tokens_ = 0;
}

void TokenSums::end_step() {
  const size_t count = std::min(step_.size(), table_.max_tokens - tokens_);
  tokens_ += count;
  known_.clear();
  for (size_t index = 0; index < count; ++index) {
    const int32_t id = step_[index];
    if (id == table_.unknown || table_.scales[id] == 0) continue;
    known_.push_back(id);
    if (known_.size() < kMaxRows) continue;
    add_rows(known_.data(), known_.size());
    known_.clear();
  }
  if (!known_.empty()) add_rows(known_.data(), known_.size());
  step_.clear();
}

void TokenSums::add_rows(const int32_t* ids, size_t count) {
  const TableRows rows = {table_.table, table_.row_bytes, table_.scales, ids, count};
  (table_.is_int4 ? distances().sum_int4_rows : distances().sum_int8_rows)(rows, sums_.data());
}

bool TokenSums::unit(float* vector) const {
  // Twice, as a vector of a provider is: what is stored does not depend on where a text was embedded.
  return scale_to_unit(sums_.data(), sums_.size(), vector) && scale_to_unit(vector, sums_.size(), vector);
}

}  // namespace semantic_index
