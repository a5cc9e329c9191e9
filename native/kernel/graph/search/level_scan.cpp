#include "graph/search/level_scan.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "distance/distance.h"

namespace semantic_index {

namespace {

/**
 * The share of items with at least half of the greatest factor up to which levels are scanned, and up to which no walk
 * is needed: the k best have about half of the best similarity or more, so hardly any other item is among them.
 */
constexpr double kScannedShare = 0.5;
constexpr double kScannedAlone = 0.02;
/** How many standard deviations a sketch may differ more than expected. */
constexpr double kDeviationsBesideWalk = 0.75;
constexpr double kDeviationsAlone = 2;
/** More than what a bound loses as a float. */
constexpr double kFloatMargin = 1 + 1e-6;

}  // namespace

LevelScanUse LevelScan::prepare(const ItemFactors& factors) {
  order_ = nullptr;
  factors_.prepare(factors);
  const ItemFactor* const leveled = factors_.leveled();
  if (leveled == nullptr || leveled->order == nullptr) return LevelScanUse::none;
  order_ = leveled->order;
  for (size_t level = 0; level < kFactorLevels; ++level) {
    // Bounded factors may be too small for a float.
    bounds_[level] = std::max(1e-37f, static_cast<float>(kFloatMargin / factors_.least_scores()[level]));
  }
  float greatest = 0;
  for (const LevelChunk& chunk : order_->chunks()) greatest = std::max(greatest, bounds_[chunk.level]);
  size_t high = 0;
  for (const LevelChunk& chunk : order_->chunks()) high += bounds_[chunk.level] < greatest / 2 ? 0 : chunk.size;
  const double share = static_cast<double>(high) / static_cast<double>(std::max<size_t>(1, order_->size()));
  if (share > kScannedShare) return LevelScanUse::none;
  const bool is_alone = share <= kScannedAlone;
  deviations_ = is_alone ? kDeviationsAlone : kDeviationsBesideWalk;
  return is_alone ? LevelScanUse::in_place_of_walk : LevelScanUse::beside_walk;
}

const std::vector<LevelChunk>& LevelScan::choose(double product, double most) {
  chosen_.clear();
  for (const LevelChunk& chunk : order_->chunks()) {
    if (needed_score(chunk, product) <= most) chosen_.push_back(chunk);
  }
  std::stable_sort(chosen_.begin(), chosen_.end(), [this](const LevelChunk& left, const LevelChunk& right) {
    return bounds_[left.level] > bounds_[right.level];
  });
  return chosen_;
}

void LevelScan::compare(const LevelChunk& chunk, const uint64_t* sketch) {
  distances().hamming_columns(sketch, order_->sketches(chunk), kSketchWords, chunk.size, differences_);
}

int32_t LevelScan::limit_of(double query_square, double square) const {
  constexpr double kPi = 3.14159265358979323846;
  constexpr double kBits = 64.0 * kSketchWords;
  const double own = order_->mean_square();
  const double cosine = (query_square + own - square) / (2 * std::sqrt(std::max(1e-30, query_square * own)));
  // Each bit differs with this probability (Charikar 2002).
  const double share = std::acos(std::min(1.0, std::max(-1.0, cosine))) / kPi;
  return static_cast<int32_t>(kBits * share + deviations_ * std::sqrt(kBits * share * (1 - share)));
}

uint64_t LevelScan::near_of(size_t place, int32_t limit) const {
  constexpr uint64_t kEach = 0x0101010101010101;
  uint64_t differences;
  std::memcpy(&differences, differences_ + place, sizeof differences);
  // Halves, so that no byte borrows from the next one.
  const uint64_t halves = (differences >> 1) & (0x7f * kEach);
  return (0x80 * kEach + static_cast<uint64_t>(limit / 2) * kEach - halves) & (0x80 * kEach);
}

}  // namespace semantic_index
