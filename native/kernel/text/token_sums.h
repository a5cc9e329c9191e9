#ifndef SEMANTIC_INDEX_KERNEL_TEXT_TOKEN_SUMS_H_
#define SEMANTIC_INDEX_KERNEL_TEXT_TOKEN_SUMS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace semantic_index {

/** A table with a row of small integers and a scale for each token: a static embedding model. Owned by the caller. */
struct TokenTable {
  const uint8_t* table = nullptr;
  /** A multiple of kRowBlock. */
  size_t row_bytes = 0;
  const float* scales = nullptr;
  size_t rows = 0;
  bool is_int4 = false;
  /** The token that has no meaning; -1 for none. */
  int32_t unknown = -1;
  /** Tokens of a text after these are ignored. */
  size_t max_tokens = 0;

  size_t dimensions() const { return is_int4 ? 2 * row_bytes : row_bytes; }
};

/** Sums the rows of the tokens of a text, as src/embed/bundled does, to the bit. */
class TokenSums {
 public:
  /** Rows that are summed before they are added to the sum so far: part of the definition of a sum. */
  static constexpr size_t kMaxRows = 1024;

  explicit TokenSums(const TokenTable& table) : table_(table), sums_(table.dimensions()) {}

  /** Begins a text. */
  void begin();
  void add(int32_t token) { step_.push_back(token); }
  /** Adds the tokens since the last step to the sum. */
  void end_step();
  /** Tokens of the text so far that count. */
  size_t tokens() const { return tokens_; }
  /** Whether further tokens are ignored. */
  bool is_full() const { return tokens_ == table_.max_tokens; }

  /** Writes the sum, scaled to length 1. False where it has no direction or is not finite. */
  bool unit(float* vector) const;

  const TokenTable& table() const { return table_; }

 private:
  void add_rows(const int32_t* ids, size_t count);

  const TokenTable table_;
  std::vector<float> sums_;
  std::vector<int32_t> step_;
  std::vector<int32_t> known_;
  size_t tokens_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TEXT_TOKEN_SUMS_H_
