#ifndef SEMANTIC_INDEX_KERNEL_TEXT_TEXT_PIECES_H_
#define SEMANTIC_INDEX_KERNEL_TEXT_TEXT_PIECES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "text/string_numbers.h"

namespace semantic_index {

/** A piece of a scanned text. */
struct FoundPiece {
  uint32_t number;
  /** Where it ends in its text. */
  uint32_t end;
};

/**
 * Cuts texts (UTF-8) into pieces whose terms, and whose tokens, do not depend on the text around them, and numbers the
 * pieces: words, names with their signs, and single characters of punctuation; of a run with other characters than
 * ASCII, all that is between white space. What was derived from a piece can be remembered by its number.
 */
class TextPieces {
 public:
  /** Longer pieces are rarely repeated: each occurrence has a number of its own, until the next `begin`. */
  static constexpr size_t kMaxRemembered = 64;
  /** This bit marks the numbers of pieces that are not remembered. */
  static constexpr uint32_t kOther = 0x80000000;

  explicit TextPieces(const HashKey& key) : remembered_(key) { clear(); }

  /**
   * Begins a batch of texts in one language, a number below 256; the last one is forgotten, except its remembered
   * pieces. The same piece has different numbers in different languages.
   */
  void begin(uint8_t language = 0);
  /** Appends the pieces of a text to `found`. The bytes must live until the next `begin`. */
  void scan(const char* text, size_t size);

  /** The pieces of all texts since `begin`. */
  const std::vector<FoundPiece>& found() const { return found_; }
  /** The numbers of pieces that occurred for the first time since `begin`; those that are remembered ascend. */
  const std::vector<uint32_t>& added() const { return added_; }
  StringView piece(uint32_t number) const;
  /** Number of remembered pieces. */
  uint32_t remembered() const { return remembered_.size(); }
  /** Forgets all pieces. */
  void clear();

 private:
  /** Pieces that are cut before the first of them is looked up. */
  static constexpr size_t kCutAhead = 64;

  /** A piece without a number. */
  struct CutPiece {
    const char* bytes;
    uint32_t size;
    /** Where it ends in its text. */
    uint32_t end;
    /** 0 for one that is not looked up by it. */
    uint32_t hash;
  };

  size_t scan_run(const char* text, size_t size, size_t first);
  void push(const char* text, size_t start, size_t end);
  void number_cut();
  uint32_t number_of(const CutPiece& piece);
  uint32_t* single_of(const char* bytes, size_t size);
  /** What a piece is remembered as: of other languages than 0 with its tag. Valid until the next call. */
  StringView remembered_form(const char* bytes, size_t size);

  /** Those of other languages than 0 begin with kTagSize bytes that no UTF-8 has, and the language. */
  StringNumbers remembered_;
  uint8_t language_ = 0;
  std::vector<char> tagged_;
  /** Numbers of pieces of one character, by character; `kOther` for those that have none. */
  uint32_t single_[128];
  std::vector<StringView> others_;
  std::vector<CutPiece> cut_;
  std::vector<FoundPiece> found_;
  std::vector<uint32_t> added_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TEXT_TEXT_PIECES_H_
