#include "terms/postings/impacts.h"

#include <algorithm>

namespace semantic_index {

namespace {

constexpr uint32_t kAnyFrequency = 0xffff;
/** Lengths below this are exact. */
constexpr uint32_t kExactLengths = 4096;

uint32_t encode_length(uint32_t length) {
  if (length < kExactLengths) return length;
  uint32_t shift = 1;
  while ((length >> shift) >= kExactLengths) ++shift;
  const uint32_t half = kExactLengths / 2;
  return kExactLengths + (shift - 1) * half + ((length >> shift) - half);
}

/** The least length that has this code; hostile codes give some length. */
uint32_t decode_length(uint32_t code) {
  if (code < kExactLengths) return code;
  const uint32_t half = kExactLengths / 2;
  const uint32_t shift = std::min((code - kExactLengths) / half + 1, 20u);
  return ((code - kExactLengths) % half + half) << shift;
}

}  // namespace

void ImpactSet::add(uint32_t frequency, uint32_t length) {
  // Frequencies and lengths ascend together: the pairs that the new one dominates are right before its place.
  auto place = std::lower_bound(pairs_.begin(), pairs_.end(), frequency,
                                [](const Impact& pair, uint32_t value) { return pair.frequency < value; });
  if (place != pairs_.end() && place->length <= length) return;
  if (place != pairs_.end() && place->frequency == frequency) ++place;
  auto first = place;
  while (first != pairs_.begin() && (first - 1)->length >= length) --first;
  if (first != place) {
    *first = {frequency, length};
    pairs_.erase(first + 1, place);
  } else {
    pairs_.insert(place, {frequency, length});
  }
}

void ImpactSet::append(size_t count, std::vector<uint8_t>* bytes) const {
  std::vector<Impact> left = pairs_;
  // Two neighbours become the pair that dominates both, first those where it claims least: integers, so that the bytes
  // are the same everywhere.
  while (left.size() > count) {
    size_t best = 0;
    uint64_t least = UINT64_MAX;
    for (size_t index = 0; index + 1 < left.size(); ++index) {
      const uint64_t claim = static_cast<uint64_t>(left[index + 1].frequency - left[index].frequency) *
                             (left[index + 1].length - left[index].length);
      if (claim < least) {
        least = claim;
        best = index;
      }
    }
    left[best + 1].length = left[best].length;
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(best));
  }
  left.resize(count, {0, 0});
  for (const Impact& pair : left) {
    const uint32_t frequency = std::min(pair.frequency, kAnyFrequency);
    const uint32_t length = encode_length(pair.length);
    for (uint32_t value : {frequency & 0xff, frequency >> 8, length & 0xff, length >> 8}) {
      bytes->push_back(static_cast<uint8_t>(value));
    }
  }
}

Impact read_impact(const uint8_t* bytes) {
  const uint32_t frequency = bytes[0] | static_cast<uint32_t>(bytes[1]) << 8;
  const uint32_t length = bytes[2] | static_cast<uint32_t>(bytes[3]) << 8;
  return {frequency == kAnyFrequency ? UINT32_MAX : frequency, decode_length(length)};
}

}  // namespace semantic_index
