#ifndef SEMANTIC_INDEX_KERNEL_TERMS_QUERY_EDIT_DISTANCE_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_QUERY_EDIT_DISTANCE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace semantic_index {

/** Decodes UTF-8. False when the bytes are not UTF-8. May throw bad_alloc. */
bool decode_utf8(const uint8_t* bytes, size_t size, std::vector<uint32_t>* characters);

/**
 * Distances of many words to one, by optimal string alignment (Damerau 1964, Boytsov 2011): insertion, deletion,
 * substitution and transposition of adjacent characters cost 1, and no character is edited twice. Rows of the table are
 * kept for the characters that a word shares with the one before, so sorted words take little time, and none are
 * computed behind a begin from which no word within the bound can follow.
 */
class EditDistances {
 public:
  EditDistances(std::vector<uint32_t> word, uint32_t max_distance);

  /** The distance to a word, `max_distance` + 1 when it is more than that. */
  uint32_t to(const uint32_t* other, size_t size);

 private:
  uint32_t at(size_t row, size_t column) const { return rows_[row * (word_.size() + 1) + column]; }
  /** Computes the rows of a word that are not those of the last one; returns the rows behind which all are dead. */
  size_t advance(const uint32_t* other, size_t size);

  std::vector<uint32_t> word_;
  uint32_t max_distance_;
  /** The last word as far as there are rows of it. */
  std::vector<uint32_t> known_;
  std::vector<uint32_t> rows_;
  /** The smallest number of each row. */
  std::vector<uint32_t> least_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_QUERY_EDIT_DISTANCE_H_
