#ifndef SEMANTIC_INDEX_KERNEL_TEXT_TOKEN_SUMS_H_
#define SEMANTIC_INDEX_KERNEL_TEXT_TOKEN_SUMS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "text/saturation.h"

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
  /** How much repeated tokens count; without it, each time as much as the first time. */
  std::optional<Saturation> saturation;

  size_t dimensions() const { return is_int4 ? 2 * row_bytes : row_bytes; }
};

/** Sums the rows of the tokens of a text, as src/embed/bundled does, to the bit. */
class TokenSums {
 public:
  /** Rows that are summed before they are added to the sum so far: part of the definition of a sum. */
  static constexpr size_t kMaxRows = 1024;

  explicit TokenSums(const TokenTable& table);

  /** Begins a text. */
  void begin();
  void add(int32_t token) { step_.push_back(token); }
  /** Adds the tokens since the last step to the sum, or counts them where repeated tokens saturate. */
  void end_step();
  /** Tokens of the text so far that count. */
  size_t tokens() const { return tokens_; }
  /** Whether further tokens are ignored. */
  bool is_full() const { return tokens_ == table_.max_tokens; }

  /** Ends the text and writes its sum, scaled to length 1. False where it has no direction or is not finite. */
  bool end(float* vector);

  const TokenTable& table() const { return table_; }

 private:
  /** Has a row added to the sum, times `scale`. */
  void add_row(int32_t id, float scale);
  void add_pending_rows();
  void add_counted_rows(const Saturation& saturation);

  const TokenTable table_;
  std::vector<float> sums_;
  std::vector<int32_t> step_;
  /** Rows that are not in the sum yet, at most kMaxRows. */
  std::vector<int32_t> ids_;
  std::vector<float> scales_;
  size_t pending_ = 0;
  size_t tokens_ = 0;
  /** Where repeated tokens saturate: occurrences of each token in the text, its distinct tokens in the order in which
   * they occur first, and how many tokens with a row it has. */
  std::vector<uint32_t> occurrences_;
  std::vector<int32_t> distinct_;
  size_t known_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TEXT_TOKEN_SUMS_H_
