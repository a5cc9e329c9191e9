#ifndef SEMANTIC_INDEX_KERNEL_TEXT_TEXT_PREPARER_H_
#define SEMANTIC_INDEX_KERNEL_TEXT_TEXT_PREPARER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "text/term_packer.h"
#include "text/text_pieces.h"
#include "text/token_sums.h"

namespace semantic_index {

/** What the caller derived from a piece. */
struct PieceMeaning {
  /** Numbers of its terms, see `TermPacker::number_of`. */
  const uint32_t* terms;
  size_t term_count;
  /** Tokens of each of its words, of all words one after the other; `kDependent` words where they depend on the text.
   */
  size_t words;
  const uint32_t* word_tokens;
  const int32_t* tokens;
};

/**
 * Derives vectors and packed terms from texts. What a piece of text means is asked once and remembered: analysis and
 * tokenizer of the caller see each word once.
 *
 * Use: `scan` some texts, `define` the pieces in `added`, then `embed` and `pack` these texts; after the last ones
 * `take`.
 */
class TextPreparer {
 public:
  /** Number of words of a piece whose tokens depend on the text around it. */
  static constexpr size_t kDependent = static_cast<size_t>(-1);
  /** Limits of a step of the tokenizer (src/embed/bundled/word-tokenizer.ts), after which sums are rounded. */
  static constexpr size_t kWordsPerStep = 128;
  static constexpr size_t kCharactersPerStep = 4096;
  /** Pieces and terms that are remembered; then it starts again. What is derived does not depend on it. */
  static constexpr uint32_t kMaxPieces = 196'608;
  static constexpr uint32_t kMaxTerms = 262'144;

  explicit TextPreparer(const HashKey& key) : pieces_(key), packer_(key) {}

  void set_table(const TokenTable& table) { sums_.emplace(table); }
  /** Whether texts can be embedded here. */
  bool has_table() const { return sums_.has_value(); }
  const TokenTable& table() const { return sums_->table(); }

  /** Cuts texts of one language into pieces: text `i` ends where `ends[i]` says, and begins at the end of the one
   * before it, the first at `begin`. What a piece means depends on the language. */
  void scan(const char* texts, size_t begin, const uint32_t* ends, size_t count, uint8_t language = 0);
  /** Texts of the last scan. */
  size_t scanned() const { return text_ends_.size(); }
  /** Pieces that have no meaning yet. */
  const std::vector<uint32_t>& added() const { return pieces_.added(); }
  StringView piece(uint32_t number) const { return pieces_.piece(number); }
  /** Gives the next of these its meaning. */
  void define(const PieceMeaning& meaning);

  TermPacker& packer() { return packer_; }

  /** Writes the vector of a scanned text, and how many tokens it has. False where the caller has to embed it. */
  bool embed(size_t text, float* vector, size_t* tokens);
  /** Packs the terms of a scanned text. */
  void pack(size_t text, uint64_t key);
  /** Appends the packed terms of all texts since the last `take`. */
  void take(std::vector<uint8_t>* packed);
  /** Drops what was packed since the last `take`. */
  void drop();

 private:
  /** Where the terms, words and tokens of a piece end; they begin where those of the piece before it end. */
  struct Ends {
    uint32_t terms = 0;
    uint32_t words = 0;
    uint32_t tokens = 0;
    bool is_dependent = false;
  };
  /** The meanings of pieces, by number. */
  struct Meanings {
    std::vector<Ends> ends;
    std::vector<uint32_t> terms;
    std::vector<uint32_t> word_tokens;
    std::vector<int32_t> tokens;

    void add(const PieceMeaning& meaning);
    void clear();
    Ends begin_of(size_t index) const { return index == 0 ? Ends() : ends[index - 1]; }
  };

  const Meanings& meanings_of(uint32_t number) const {
    return (number & TextPieces::kOther) == 0 ? remembered_ : others_;
  }

  TextPieces pieces_;
  TermPacker packer_;
  std::optional<TokenSums> sums_;
  Meanings remembered_;
  Meanings others_;
  /** Of each scanned text, where its pieces end. */
  std::vector<size_t> text_ends_;
  /** How many of `added` are defined. */
  size_t defined_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TEXT_TEXT_PREPARER_H_
