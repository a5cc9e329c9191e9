#include "text/token_matches.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "distance/distance.h"

namespace semantic_index {

namespace {

/** Vectors that are compared in one call of the arithmetic. */
constexpr size_t kGroup = 4;
/** Each element is stored plus this. */
constexpr int32_t kOffset = 8;

/** Elements of a row as `dot_int4_four` reads them: first those of the low nibbles, then those of the high ones. */
int32_t expand(const uint8_t* row, size_t row_bytes, int8_t* elements) {
  int32_t sum = 0;
  for (size_t byte = 0; byte < row_bytes; ++byte) {
    elements[byte] = static_cast<int8_t>((row[byte] & 15) - kOffset);
    elements[row_bytes + byte] = static_cast<int8_t>((row[byte] >> 4) - kOffset);
    sum += elements[byte] + elements[row_bytes + byte];
  }
  return sum;
}

float length_of(const uint8_t* row, size_t row_bytes) {
  int32_t squares = 0;
  for (size_t byte = 0; byte < row_bytes; ++byte) {
    const int32_t low = (row[byte] & 15) - kOffset;
    const int32_t high = (row[byte] >> 4) - kOffset;
    squares += low * low + high * high;
  }
  return std::sqrt(static_cast<float>(squares));
}

/** Least distances of neighboring query tokens in one passage, as closeness. */
class Neighborhood {
 public:
  explicit Neighborhood(const TokenLists& lists) : lists_(lists), last_(lists.query_count) {}

  void read(size_t begin, size_t end, float* closeness) {
    std::fill(last_.begin(), last_.end(), 0);
    std::fill(closeness, closeness + lists_.query_count, 0.0F);
    for (size_t place = begin; place < end; ++place) {
      for (size_t query = 0; query < lists_.query_count; ++query) {
        if (lists_.tokens[place] != lists_.query[query]) continue;
        last_[query] = place + 1;
        if (query > 0) meet(query - 1, query, closeness + query);
        if (query + 1 < lists_.query_count) meet(query + 1, query, closeness + query + 1);
      }
    }
  }

 private:
  /** `other` occurred before or at the same place as `now`, which has just been seen. */
  void meet(size_t other, size_t now, float* closeness) {
    if (last_[other] == 0 || last_[other] == last_[now]) return;
    *closeness = std::max(*closeness, 1.0F / static_cast<float>(last_[now] - last_[other]));
  }

  const TokenLists& lists_;
  /** Place behind the last occurrence of each query token; 0 for none. */
  std::vector<size_t> last_;
};

}  // namespace

void match_tokens(const TokenDirections& directions, const TokenLists& lists, float* similarities, float* closeness) {
  const size_t width = 2 * directions.row_bytes;
  const size_t total = lists.passages == 0 ? 0 : lists.ends[lists.passages - 1];
  // Each distinct token is compared once.
  std::vector<uint32_t> slots(directions.rows, 0);
  std::vector<int32_t> distinct;
  for (size_t place = 0; place < total; ++place) {
    uint32_t& slot = slots[lists.tokens[place]];
    if (slot != 0) continue;
    distinct.push_back(lists.tokens[place]);
    slot = static_cast<uint32_t>(distinct.size());
  }
  const auto row_of = [&](int32_t token) { return directions.table + token * directions.row_bytes; };
  const auto length = [&](int32_t token) {
    float& known = directions.lengths[token];
    const float scale = directions.scales[token];
    if (known == 0 && scale != 0) known = std::copysign(length_of(row_of(token), directions.row_bytes), scale);
    return known;
  };
  const size_t stride = (distinct.size() + kGroup - 1) / kGroup * kGroup;
  std::vector<float> cosines(lists.query_count * stride);
  std::vector<int8_t> elements(width);
  for (size_t query = 0; query < lists.query_count; ++query) {
    const int32_t correction = kOffset * expand(row_of(lists.query[query]), directions.row_bytes, elements.data());
    const float own = length(lists.query[query]);
    for (size_t first = 0; first < distinct.size(); first += kGroup) {
      const uint8_t* rows[kGroup];
      for (size_t place = 0; place < kGroup; ++place) {
        rows[place] = row_of(distinct[std::min(first + place, distinct.size() - 1)]);
      }
      int32_t products[kGroup];
      distances().dot_int4_four(elements.data(), rows, width, products);
      for (size_t place = 0; place < kGroup && first + place < distinct.size(); ++place) {
        const float lengths = own * length(distinct[first + place]);
        const auto product = static_cast<float>(products[place] - correction);
        cosines[query * stride + first + place] = lengths == 0 ? 0 : product / lengths;
      }
    }
  }
  Neighborhood neighborhood(lists);
  size_t begin = 0;
  for (size_t passage = 0; passage < lists.passages; ++passage) {
    const size_t end = lists.ends[passage];
    float* const best = similarities + passage * lists.query_count;
    std::fill(best, best + lists.query_count, 0.0F);
    for (size_t query = 0; query < lists.query_count; ++query) {
      const float* const row = cosines.data() + query * stride;
      float highest = 0;
      for (size_t place = begin; place < end; ++place) {
        highest = std::max(highest, row[slots[lists.tokens[place]] - 1]);
      }
      best[query] = highest;
    }
    neighborhood.read(begin, end, closeness + passage * lists.query_count);
    begin = end;
  }
}

}  // namespace semantic_index
