#include "text/text_pieces.h"

#include <cstring>

namespace semantic_index {

namespace {

/** Kinds of ASCII characters. Others, and control characters, make the run between white space a piece. */
enum Kind : uint8_t { kWhole, kSpace, kFree, kLetter, kSign, kStop };

struct Kinds {
  Kind of[256];

  Kinds() {
    for (int unit = 0; unit < 256; ++unit) of[unit] = kWhole;
    set("\t\n\v\f\r ", kSpace);
    set("\"'();<>?![]{}|^`", kFree);
    set("-/@&+#%$*=\\~_", kSign);
    set(".,:", kStop);
    set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", kLetter);
  }

  void set(const char* characters, Kind kind) {
    for (; *characters != '\0'; ++characters) of[static_cast<uint8_t>(*characters)] = kind;
  }
};

const Kinds kKinds;

/** A byte that UTF-8 never has, and a language. */
constexpr size_t kTagSize = 2;
constexpr char kTag = static_cast<char>(0xff);

/** The kind of a character; behind the end of the text is space. */
Kind kind_at(const char* text, size_t size, size_t at) {
  return at < size ? kKinds.of[static_cast<uint8_t>(text[at])] : kSpace;
}

}  // namespace

void TextPieces::begin(uint8_t language) {
  language_ = language;
  others_.clear();
  cut_.clear();
  found_.clear();
  added_.clear();
}

void TextPieces::clear() {
  begin();
  remembered_.clear();
  for (uint32_t& number : single_) number = kOther;
}

StringView TextPieces::piece(uint32_t number) const {
  if ((number & kOther) != 0) return others_[number & ~kOther];
  const StringView known = remembered_.at(number);
  const bool is_tagged = known.size >= kTagSize && known.bytes[0] == kTag;
  return is_tagged ? StringView{known.bytes + kTagSize, known.size - kTagSize} : known;
}

void TextPieces::scan(const char* text, size_t size) {
  for (size_t at = 0; at < size; ++at) {
    if (kind_at(text, size, at) != kSpace) at = scan_run(text, size, at);
  }
  number_cut();
}

/** Scans what is between white space; returns its end. */
size_t TextPieces::scan_run(const char* text, size_t size, size_t first) {
  size_t run_end = first;
  while (kind_at(text, size, run_end) > kSpace) ++run_end;
  if (kind_at(text, size, run_end) == kWhole) {
    while (kind_at(text, size, run_end) != kSpace) ++run_end;
    push(text, first, run_end);
    return run_end;
  }
  for (size_t at = first; at < run_end;) {
    if (kind_at(text, size, at) == kFree) {
      push(text, at, at + 1);
      ++at;
      continue;
    }
    // A word or name, and its end without the stops behind it, which are pieces of their own.
    const size_t start = at;
    size_t end = at;
    for (; kind_at(text, size, at) >= kLetter; ++at) {
      if (kind_at(text, size, at) != kStop) end = at + 1;
    }
    if (end > start) push(text, start, end);
    for (; end < at; ++end) push(text, end, end + 1);
  }
  return run_end;
}

void TextPieces::push(const char* text, size_t start, size_t end) {
  const char* bytes = text + start;
  const size_t size = end - start;
  CutPiece piece = {bytes, static_cast<uint32_t>(size), static_cast<uint32_t>(end), 0};
  if (size <= kMaxRemembered && single_of(bytes, size) == nullptr) {
    const StringView form = remembered_form(bytes, size);
    piece.hash = remembered_.hash_of(form.bytes, form.size);
    remembered_.prefetch(piece.hash);
  }
  cut_.push_back(piece);
  if (cut_.size() == kCutAhead) number_cut();
}

void TextPieces::number_cut() {
  for (const CutPiece& piece : cut_) found_.push_back({number_of(piece), piece.end});
  cut_.clear();
}

uint32_t TextPieces::number_of(const CutPiece& piece) {
  if (piece.size > kMaxRemembered) {
    const uint32_t number = kOther | static_cast<uint32_t>(others_.size());
    others_.push_back({piece.bytes, piece.size});
    added_.push_back(number);
    return number;
  }
  uint32_t* single = single_of(piece.bytes, piece.size);
  if (single != nullptr && *single != kOther) return *single;
  const uint32_t before = remembered_.size();
  const StringView form = remembered_form(piece.bytes, piece.size);
  const uint32_t number = single == nullptr ? remembered_.number_of(form.bytes, form.size, piece.hash)
                                            : remembered_.number_of(form.bytes, form.size);
  if (number == before) added_.push_back(number);
  if (single != nullptr) *single = number;
  return number;
}

uint32_t* TextPieces::single_of(const char* bytes, size_t size) {
  const bool is_single = language_ == 0 && size == 1 && static_cast<uint8_t>(*bytes) < 128;
  return is_single ? &single_[static_cast<uint8_t>(*bytes)] : nullptr;
}

StringView TextPieces::remembered_form(const char* bytes, size_t size) {
  if (language_ == 0) return {bytes, size};
  tagged_.assign({kTag, static_cast<char>(language_)});
  tagged_.insert(tagged_.end(), bytes, bytes + size);
  return {tagged_.data(), tagged_.size()};
}

}  // namespace semantic_index
