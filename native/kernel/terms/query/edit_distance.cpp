#include "terms/query/edit_distance.h"

#include <algorithm>
#include <utility>

#include "terms/term_signature.h"

namespace semantic_index {

bool decode_utf8(const uint8_t* bytes, size_t size, std::vector<uint32_t>* characters) {
  characters->clear();
  for (size_t at = 0; at < size;) {
    uint32_t character = 0;
    const size_t length = next_character(bytes + at, size - at, &character);
    if (length == 0) return false;
    characters->push_back(character);
    at += length;
  }
  return true;
}

EditDistances::EditDistances(std::vector<uint32_t> word, uint32_t max_distance)
    : word_(std::move(word)), max_distance_(max_distance) {
  for (size_t column = 0; column <= word_.size(); ++column) rows_.push_back(static_cast<uint32_t>(column));
  least_.push_back(0);
}

size_t EditDistances::advance(const uint32_t* other, size_t size) {
  size_t shared = 0;
  while (shared < known_.size() && shared < size && known_[shared] == other[shared]) ++shared;
  known_.resize(shared);
  const size_t width = word_.size() + 1;
  rows_.resize((shared + 1) * width);
  least_.resize(shared + 1);
  for (size_t row = shared + 1; row <= size; ++row) {
    // A transposition reaches back over a row.
    const bool is_dead = least_[row - 1] > max_distance_ && (row < 2 || least_[row - 2] + 1 > max_distance_);
    if (is_dead) return row - 1;
    const uint32_t character = other[row - 1];
    rows_.push_back(static_cast<uint32_t>(row));
    uint32_t least = static_cast<uint32_t>(row);
    for (size_t column = 1; column < width; ++column) {
      uint32_t best = std::min(at(row - 1, column), at(row, column - 1)) + 1;
      best = std::min(best, at(row - 1, column - 1) + (word_[column - 1] == character ? 0 : 1));
      if (row > 1 && column > 1 && word_[column - 2] == character && word_[column - 1] == other[row - 2]) {
        best = std::min(best, at(row - 2, column - 2) + 1);
      }
      rows_.push_back(best);
      least = std::min(least, best);
    }
    least_.push_back(least);
    known_.push_back(character);
  }
  const bool is_dead = least_[size] > max_distance_ && (size < 1 || least_[size - 1] + 1 > max_distance_);
  return is_dead ? size : SIZE_MAX;
}

uint32_t EditDistances::to(const uint32_t* other, size_t size) {
  if (advance(other, size) < size) return max_distance_ + 1;
  return std::min(at(size, word_.size()), max_distance_ + 1);
}

}  // namespace semantic_index
