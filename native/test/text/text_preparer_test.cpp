// Texts are cut into pieces, numbered, packed, and embedded as one word after the other would be.

#include "text/text_preparer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <string>

#include "base/random.h"
#include "distance/distance.h"
#include "support/check.h"
#include "terms/packed_terms.h"
#include "text/token_sums.h"

using namespace semantic_index;

namespace {

std::string text_of(StringView view) { return std::string(view.bytes, view.size); }

/** The pieces of a text, separated by spaces. */
std::string pieces_of(TextPieces* pieces, const std::string& text) {
  pieces->begin();
  pieces->scan(text.data(), text.size());
  std::string found;
  for (const FoundPiece& piece : pieces->found()) {
    if (!found.empty()) found += ' ';
    const std::string own = text_of(pieces->piece(piece.number));
    found += own;
    CHECK(text.compare(piece.end - own.size(), own.size(), own) == 0);
  }
  return found;
}

/** Defines what is new: a piece is its own term, and a word of one token, its size; one with a `?` depends on the text.
 */
void define_all(TextPreparer* preparer) {
  const std::vector<uint32_t> added = preparer->added();
  for (const uint32_t number : added) {
    const std::string piece = text_of(preparer->piece(number));
    const uint32_t term = preparer->packer().number_of(piece.data(), piece.size());
    const uint32_t count = 1;
    const auto token = static_cast<int32_t>(piece.size() % 50);
    const size_t words = piece == "?" ? TextPreparer::kDependent : 1;
    preparer->define({&term, 1, words, &count, &token});
  }
}

std::string random_text(Random* random) {
  static const char kCharacters[] = "aaabbcdeABz019 \t\n.,:-+#'\"()\xc3\xa9\x01";
  std::string text;
  for (uint64_t left = random->below(200); left > 0; --left) text += kCharacters[random->below(sizeof kCharacters - 1)];
  return text;
}

/** A table of int8 rows of 16 columns. */
struct Table {
  std::vector<uint8_t> bytes;
  std::vector<float> scales;
  TokenTable table;

  explicit Table(size_t rows) {
    for (size_t row = 0; row < rows; ++row) {
      for (size_t column = 0; column < 16; ++column) bytes.push_back(static_cast<uint8_t>(row * 7 + column * row % 11));
      scales.push_back(row == 3 ? 0.0F : 0.01F + static_cast<float>(row) / 100);
    }
    table.table = bytes.data();
    table.row_bytes = 16;
    table.scales = scales.data();
    table.rows = rows;
    table.unknown = 5;
    table.max_tokens = 300;
  }
};

}  // namespace

TEST(texts_are_cut_into_pieces) {
  TextPieces pieces({1, 2});
  const std::pair<const char*, const char*> cases[] = {
      {"\tThe pear,\r\nthe  pear", "The pear , the pear"},
      {"(\"Pears\", don't)", "( \" Pears \" , don ' t )"},
      {"C++ .NET 10.0.0.1:80. $100,", "C++ .NET 10.0.0.1:80 . $100 ,"},
      {"... -- a_b/c", ". . . -- a_b/c"},
      {"(a.b.)", "( a.b . )"},
      {"(caf\xc3\xa9), x\xc2\xa0y \x01"
       "a",
       "(caf\xc3\xa9), x\xc2\xa0y \x01"
       "a"},
      {"", ""},
      {" \n", ""},
  };
  for (int round = 0; round < 2; ++round) {
    for (const auto& [text, expected] : cases) CHECK_EQUAL(pieces_of(&pieces, text), std::string(expected));
    CHECK_EQUAL(pieces.added().size(), size_t{0});
  }
}

TEST(only_short_pieces_are_remembered) {
  TextPieces pieces({1, 2});
  const std::string longest(TextPieces::kMaxRemembered, 'x');
  const std::string text = longest + " " + longest + "y " + longest + "y";
  pieces_of(&pieces, text);
  CHECK_EQUAL(pieces.added().size(), size_t{3});
  pieces_of(&pieces, text);
  CHECK_EQUAL(pieces.added().size(), size_t{2});
  CHECK_EQUAL(pieces.remembered(), 1U);
}

TEST(strings_keep_their_numbers_while_the_table_grows) {
  StringNumbers numbers({3, 4});
  for (uint32_t round = 0; round < 2; ++round) {
    for (uint32_t n = 0; n < 20'000; ++n) {
      const std::string text = n == 0 ? "" : "word " + std::to_string(n);
      CHECK_EQUAL(numbers.number_of(text.data(), text.size()), n);
    }
  }
  CHECK_EQUAL(text_of(numbers.at(0)), std::string());
  CHECK_EQUAL(text_of(numbers.at(12'345)), std::string("word 12345"));
  numbers.clear();
  CHECK_EQUAL(numbers.size(), 0U);
  CHECK_EQUAL(numbers.number_of("a", 1), 0U);
}

TEST(what_is_packed_is_what_occurs) {
  Random random(7);
  TextPreparer preparer({5, 6});
  for (int round = 0; round < 300; ++round) {
    std::string texts;
    std::vector<uint32_t> ends;
    std::vector<std::map<std::string, uint32_t>> expected;
    TextPieces pieces({1, 2});
    for (uint64_t left = random.below(5); left > 0; --left) {
      const std::string text = random_text(&random);
      pieces.begin();
      pieces.scan(text.data(), text.size());
      expected.emplace_back();
      for (const FoundPiece& piece : pieces.found()) ++expected.back()[text_of(pieces.piece(piece.number))];
      texts += text;
      ends.push_back(static_cast<uint32_t>(texts.size()));
    }
    // Of exactly this size, so that a step beyond is seen.
    const std::unique_ptr<char[]> bytes(new char[texts.size()]);
    std::memcpy(bytes.get(), texts.data(), texts.size());
    preparer.scan(bytes.get(), 0, ends.data(), ends.size());
    define_all(&preparer);
    for (size_t text = 0; text < ends.size(); ++text) preparer.pack(text, 10 + 3 * text);
    if (round % 7 == 6) {
      preparer.drop();
      expected.clear();
    }
    std::vector<uint8_t> packed;
    preparer.take(&packed);
    PackedTerms decoded;
    CHECK_OK(PackedTerms::decode(packed.data(), packed.size(), &decoded));
    CHECK_EQUAL(decoded.documents().size(), expected.size());
    for (size_t place = 0; place < expected.size(); ++place) {
      const PackedDocument& document = decoded.documents()[place];
      CHECK_EQUAL(document.key, uint64_t{3 * place});
      std::map<std::string, uint32_t> found;
      uint32_t length = 0;
      for (uint32_t entry = 0; entry < document.count; ++entry) {
        const PackedTerm& term = decoded.terms_of(document)[entry];
        const TermBytes& own = decoded.terms()[term.number];
        found[std::string(static_cast<const char*>(own.bytes), own.size)] = term.frequency;
        length += term.frequency;
      }
      CHECK(found == expected[place]);
      CHECK_EQUAL(document.length, length);
    }
  }
}

TEST(tokens_are_summed_step_by_step) {
  const Table table(50);
  TextPreparer preparer({5, 6});
  preparer.set_table(table.table);
  for (const size_t words : {1, 2, 127, 128, 129, 256, 299, 300, 301, 500}) {
    std::string text;
    std::vector<int32_t> ids;
    for (size_t word = 0; word < words; ++word) {
      const size_t size = 1 + word * word % 6;
      text += std::string(size, static_cast<char>('a' + word % 3)) + " ";
      ids.push_back(static_cast<int32_t>(size));
    }
    ids.resize(std::min<size_t>(ids.size(), 300));
    std::vector<float> sums(16, 0.0F);
    for (size_t first = 0; first < ids.size(); first += 128) {
      std::vector<int32_t> known;
      for (size_t at = first; at < std::min(ids.size(), first + 128); ++at) {
        if (ids[at] != 5 && ids[at] != 3) known.push_back(ids[at]);
      }
      std::vector<float> scales;
      for (const int32_t id : known) scales.push_back(table.scales[id]);
      distances().sum_int8_rows({table.bytes.data(), 16, known.data(), scales.data(), known.size()}, sums.data());
    }
    double squares = 0;
    for (const float sum : sums) squares += static_cast<double>(sum) * static_cast<double>(sum);
    const auto end = static_cast<uint32_t>(text.size());
    preparer.scan(text.data(), 0, &end, 1);
    define_all(&preparer);
    std::vector<float> vector(16);
    size_t tokens = 0;
    CHECK(preparer.embed(0, vector.data(), &tokens));
    CHECK_EQUAL(tokens, ids.size());
    for (size_t column = 0; column < 16; ++column) {
      CHECK(std::fabs(static_cast<double>(vector[column]) - static_cast<double>(sums[column]) / std::sqrt(squares)) <
            1e-6);
    }
  }
}

TEST(repeated_tokens_saturate) {
  // Rows 3 and 5 do not count: one is empty, one unknown.
  constexpr size_t kRows = 1'500;
  Table table(kRows);
  table.table.max_tokens = 2'000;
  table.table.saturation = {2, 0.75, 100};
  TokenSums sums(table.table);
  Random random(11);
  // The same text again: nothing is left of those between.
  std::vector<std::vector<int32_t>> texts = {{7}, {7, 8, 7, 7}, {3, 5, 7}, {7, 8, 7, 7}};
  for (const size_t size : {100, 1'990, 2'000, 3'000}) {
    texts.emplace_back();
    for (size_t at = 0; at < size; ++at) texts.back().push_back(static_cast<int32_t>(random.below(kRows)));
  }
  for (const std::vector<int32_t>& text : texts) {
    std::map<int32_t, double> occurrences;
    double known = 0;
    for (size_t at = 0; at < std::min<size_t>(text.size(), 2'000); ++at) {
      if (text[at] == 3 || text[at] == 5) continue;
      ++occurrences[text[at]];
      ++known;
    }
    std::vector<double> expected(16);
    for (const auto& [id, count] : occurrences) {
      const double weight = count / (count + 2 * (0.25 + 0.75 * known / 100));
      for (size_t column = 0; column < 16; ++column) {
        const auto value = static_cast<int8_t>(table.bytes[static_cast<size_t>(id) * 16 + column]);
        expected[column] += weight * static_cast<double>(table.scales[id]) * value;
      }
    }
    double squares = 0;
    for (const double sum : expected) squares += sum * sum;
    std::vector<float> first(16);
    for (const size_t words_per_step : {size_t{1}, size_t{7}, size_t{128}, text.size()}) {
      sums.begin();
      for (size_t at = 0; at < text.size(); ++at) {
        sums.add(text[at]);
        if ((at + 1) % words_per_step == 0) sums.end_step();
      }
      std::vector<float> vector(16);
      CHECK(sums.end(vector.data()));
      CHECK_EQUAL(sums.tokens(), std::min<size_t>(text.size(), 2'000));
      for (size_t column = 0; column < 16; ++column) {
        CHECK(std::fabs(static_cast<double>(vector[column]) - expected[column] / std::sqrt(squares)) < 1e-5);
      }
      if (words_per_step == 1) first = vector;
      CHECK(vector == first);
    }
  }
}

TEST(texts_that_the_tokenizer_must_see_are_left_to_it) {
  const Table table(50);
  TextPreparer preparer({5, 6});
  preparer.set_table(table.table);
  const auto is_embedded = [&preparer](const std::string& text) {
    const auto end = static_cast<uint32_t>(text.size());
    preparer.scan(text.data(), 0, &end, 1);
    define_all(&preparer);
    std::vector<float> vector(16);
    size_t tokens = 0;
    return preparer.embed(0, vector.data(), &tokens);
  };
  CHECK(is_embedded("pear quince"));
  CHECK(!is_embedded("pear ? quince"));
  std::string many;
  for (int word = 0; word < 400; ++word) many += "pear ";
  CHECK(is_embedded(many));
  CHECK(!is_embedded(many + "?"));
  // No token has a direction: two are unknown, one has an empty row.
  CHECK(!is_embedded("xxxxx yyyyy zzz"));
  CHECK(!is_embedded(""));
  // A step has at most 4,096 characters.
  CHECK(is_embedded("pear" + std::string(4086, ' ') + "quince"));
  CHECK(!is_embedded("pear" + std::string(4087, ' ') + "quince"));
}

TEST(pieces_without_a_meaning_are_asked_for_again) {
  TextPreparer preparer({5, 6});
  const std::string text = "pear quince";
  const auto end = static_cast<uint32_t>(text.size());
  preparer.scan(text.data(), 0, &end, 1);
  CHECK_EQUAL(preparer.added().size(), size_t{2});
  preparer.scan(text.data(), 0, &end, 1);
  CHECK_EQUAL(preparer.added().size(), size_t{2});
  define_all(&preparer);
  preparer.scan(text.data(), 0, &end, 1);
  CHECK_EQUAL(preparer.added().size(), size_t{0});
}

TEST(pieces_have_a_number_of_their_own_in_each_language) {
  TextPieces pieces(HashKey{1, 2});
  const std::string text = "a word, \xc3\xa9t\xc3\xa9 a";
  std::vector<std::vector<uint32_t>> numbers;
  for (const uint8_t language : {uint8_t{0}, uint8_t{1}, uint8_t{255}, uint8_t{0}, uint8_t{1}}) {
    pieces.begin(language);
    pieces.scan(text.data(), text.size());
    CHECK_EQUAL(pieces.added().size(), numbers.size() < 3 ? size_t{4} : size_t{0});
    numbers.emplace_back();
    std::string found;
    for (const FoundPiece& piece : pieces.found()) {
      numbers.back().push_back(piece.number);
      found += text_of(pieces.piece(piece.number)) + " ";
    }
    CHECK_EQUAL(found, std::string("a word , \xc3\xa9t\xc3\xa9 a "));
  }
  CHECK(numbers[0] == numbers[3]);
  CHECK(numbers[1] == numbers[4]);
  CHECK(numbers[0] != numbers[1] && numbers[1] != numbers[2]);
}

TEST(an_empty_string_has_one_number) {
  StringNumbers numbers(HashKey{1, 2});
  CHECK_EQUAL(numbers.number_of(nullptr, 0), uint32_t{0});
  CHECK_EQUAL(numbers.number_of("", 0), uint32_t{0});
  CHECK_EQUAL(numbers.number_of("a", 1), uint32_t{1});
  CHECK_EQUAL(numbers.at(0).size, size_t{0});
}
