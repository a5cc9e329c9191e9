#include "text/text_preparer.h"

namespace semantic_index {

void TextPreparer::Meanings::add(const PieceMeaning& meaning) {
  terms.insert(terms.end(), meaning.terms, meaning.terms + meaning.term_count);
  const bool is_dependent = meaning.words == kDependent;
  if (!is_dependent) {
    size_t count = 0;
    for (size_t word = 0; word < meaning.words; ++word) count += meaning.word_tokens[word];
    word_tokens.insert(word_tokens.end(), meaning.word_tokens, meaning.word_tokens + meaning.words);
    tokens.insert(tokens.end(), meaning.tokens, meaning.tokens + count);
  }
  ends.push_back({static_cast<uint32_t>(terms.size()), static_cast<uint32_t>(word_tokens.size()),
                  static_cast<uint32_t>(tokens.size()), is_dependent});
}

void TextPreparer::Meanings::clear() {
  ends.clear();
  terms.clear();
  word_tokens.clear();
  tokens.clear();
}

void TextPreparer::scan(const char* texts, size_t begin, const uint32_t* ends, size_t count, uint8_t language) {
  // What was scanned and not defined has no meaning: it is forgotten with the rest.
  if (pieces_.remembered() > kMaxPieces || defined_ < pieces_.added().size()) {
    pieces_.clear();
    remembered_.clear();
  }
  pieces_.begin(language);
  others_.clear();
  text_ends_.clear();
  defined_ = 0;
  for (size_t text = 0; text < count; ++text) {
    pieces_.scan(texts + begin, ends[text] - begin);
    text_ends_.push_back(pieces_.found().size());
    begin = ends[text];
  }
}

void TextPreparer::define(const PieceMeaning& meaning) {
  const uint32_t number = pieces_.added()[defined_++];
  ((number & TextPieces::kOther) == 0 ? remembered_ : others_).add(meaning);
}

bool TextPreparer::embed(size_t text, float* vector, size_t* tokens) {
  const size_t first = text == 0 ? 0 : text_ends_[text - 1];
  const size_t last = text_ends_[text];
  // Also behind the last token that counts: the tokenizer decides by the whole text.
  for (size_t at = first; at < last; ++at) {
    const uint32_t number = pieces_.found()[at].number;
    if (meanings_of(number).ends[number & ~TextPieces::kOther].is_dependent) return false;
  }
  TokenSums& sums = *sums_;
  sums.begin();
  size_t words = 0;
  // The step began here, or later.
  size_t step_begin = 0;
  size_t piece_begin = 0;
  for (size_t at = first; at < last && !sums.is_full(); ++at) {
    const FoundPiece& found = pieces_.found()[at];
    const Meanings& meanings = meanings_of(found.number);
    const size_t index = found.number & ~TextPieces::kOther;
    const Ends& end = meanings.ends[index];
    const Ends begin = meanings.begin_of(index);
    const int32_t* token = meanings.tokens.data() + begin.tokens;
    for (uint32_t word = begin.words; word < end.words; ++word) {
      if (words == kWordsPerStep) {
        sums.end_step();
        if (sums.is_full()) break;
        words = 0;
        step_begin = piece_begin;
      }
      ++words;
      // Bytes, of which there are at least as many as characters.
      if (found.end - step_begin > kCharactersPerStep) return false;
      for (uint32_t left = meanings.word_tokens[word]; left > 0; --left) sums.add(*token++);
    }
    piece_begin = found.end;
  }
  const bool has_direction = sums.end(vector);
  *tokens = sums.tokens();
  return has_direction;
}

void TextPreparer::pack(size_t text, uint64_t key) {
  for (size_t at = text == 0 ? 0 : text_ends_[text - 1]; at < text_ends_[text]; ++at) {
    const uint32_t number = pieces_.found()[at].number;
    const Meanings& meanings = meanings_of(number);
    const size_t index = number & ~TextPieces::kOther;
    for (uint32_t term = meanings.begin_of(index).terms; term < meanings.ends[index].terms; ++term) {
      packer_.count(meanings.terms[term]);
    }
  }
  packer_.end_document(key);
}

void TextPreparer::take(std::vector<uint8_t>* packed) {
  packer_.take(packed);
  if (packer_.terms() <= kMaxTerms) return;
  packer_.forget_terms();
  pieces_.clear();
  remembered_.clear();
  text_ends_.clear();
  defined_ = 0;
}

void TextPreparer::drop() { packer_.drop(); }

}  // namespace semantic_index
