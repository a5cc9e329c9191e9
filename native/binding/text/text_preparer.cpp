#include "binding/text/text_preparer.h"

#include <cstring>
#include <new>
#include <vector>

#include "binding/base/addon_data.h"
#include "binding/base/arguments.h"
#include "binding/base/random_key.h"
#include "distance/distance.h"

namespace semantic_index {

namespace {

[[noreturn]] void mismatch(Napi::Env env) {
  throw make_error(env, "INTERNAL", "the arguments of the text preparer do not fit together");
}

/** Runs work of the kernel that throws where memory is missing. */
template <typename Call>
auto with_memory(Napi::Env env, Call call) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    throw_unless_ok(env, Status::no_memory());
    throw;
  }
}

}  // namespace

void TextPreparerObject::define(Napi::Env env, Napi::Object exports) {
  exports.Set("TextPreparer", DefineClass(env, "TextPreparer",
                                          {
                                              InstanceMethod<&TextPreparerObject::scan>("scan"),
                                              InstanceMethod<&TextPreparerObject::define_pieces>("define"),
                                              InstanceMethod<&TextPreparerObject::embed>("embed"),
                                              InstanceMethod<&TextPreparerObject::pack>("pack"),
                                              InstanceMethod<&TextPreparerObject::take>("take"),
                                              InstanceMethod<&TextPreparerObject::drop>("drop"),
                                          }));
}

TextPreparerObject::TextPreparerObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<TextPreparerObject>(info), preparer_(random_key()) {
  if (info[0].IsUndefined()) return;
  const Arguments arguments(info);
  const Numbers<uint8_t> rows = arguments.bytes(0);
  const Numbers<float> scales = arguments.floats(1);
  TokenTable table;
  table.table = rows.data;
  table.scales = scales.data;
  table.rows = scales.count;
  table.row_bytes = scales.count == 0 ? 0 : rows.count / scales.count;
  table.is_int4 = arguments.boolean(2);
  table.unknown = arguments.integer(3);
  table.max_tokens = static_cast<size_t>(arguments.wide_integer(4));
  if (!info[5].IsUndefined()) {
    const Numbers<double> saturation = arguments.doubles(5);
    if (saturation.count != 3) mismatch(info.Env());
    table.saturation = {saturation.data[0], saturation.data[1], saturation.data[2]};
  }
  if (table.row_bytes == 0 || table.row_bytes % kRowBlock != 0 || rows.count != scales.count * table.row_bytes) {
    mismatch(info.Env());
  }
  table_ = Napi::Persistent(info[0].As<Napi::Object>());
  scales_ = Napi::Persistent(info[1].As<Napi::Object>());
  preparer_.set_table(table);
}

Napi::Value TextPreparerObject::scan(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Arguments arguments(info);
  const Numbers<uint8_t> texts = arguments.bytes(0);
  const auto begin = static_cast<size_t>(arguments.wide_integer(1));
  const Numbers<uint32_t> ends = arguments.unsigned_integers(2);
  const int32_t language = arguments.integer(3);
  if (language < 0 || language > 255) mismatch(env);
  size_t previous = begin;
  for (size_t index = 0; index < ends.count; ++index) {
    if (ends.data[index] < previous || ends.data[index] > texts.count) mismatch(env);
    previous = ends.data[index];
  }
  // Without texts there may be no memory either.
  static const char kNone = 0;
  const char* bytes = texts.count == 0 ? &kNone : reinterpret_cast<const char*>(texts.data);
  with_memory(env, [&] { preparer_.scan(bytes, begin, ends.data, ends.count, static_cast<uint8_t>(language)); });
  const std::vector<uint32_t>& added = preparer_.added();
  Napi::Array pieces = Napi::Array::New(env, added.size());
  for (size_t index = 0; index < added.size(); ++index) {
    const Napi::HandleScope scope(env);
    const StringView piece = preparer_.piece(added[index]);
    pieces.Set(static_cast<uint32_t>(index), Napi::String::New(env, piece.bytes, piece.size));
  }
  return pieces;
}

void TextPreparerObject::define_pieces(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Arguments arguments(info);
  const Numbers<uint32_t> term_counts = arguments.unsigned_integers(0);
  const Napi::Array terms = info[1].As<Napi::Array>();
  const Numbers<int32_t> word_counts = arguments.integers(2);
  const Numbers<uint32_t> word_tokens = arguments.unsigned_integers(3);
  const Numbers<int32_t> tokens = arguments.integers(4);
  if (term_counts.count != preparer_.added().size() || word_counts.count != term_counts.count) mismatch(env);
  const size_t rows = preparer_.has_table() ? preparer_.table().rows : 0;
  for (size_t index = 0; index < tokens.count; ++index) {
    const int32_t token = tokens.data[index];
    const bool has_row = token >= 0 && static_cast<size_t>(token) < rows;
    if (!has_row && (rows == 0 || token != preparer_.table().unknown)) mismatch(env);
  }
  size_t term = 0;
  size_t word = 0;
  size_t token = 0;
  std::vector<uint32_t> numbers;
  for (size_t piece = 0; piece < term_counts.count; ++piece) {
    if (term_counts.data[piece] > terms.Length() - term) mismatch(env);
    numbers.clear();
    for (uint32_t left = term_counts.data[piece]; left > 0; --left) {
      const Napi::HandleScope scope(env);
      const std::string text = terms.Get(static_cast<uint32_t>(term++)).ToString().Utf8Value();
      numbers.push_back(with_memory(env, [&] { return preparer_.packer().number_of(text.data(), text.size()); }));
    }
    PieceMeaning meaning = {};
    meaning.terms = numbers.data();
    meaning.term_count = numbers.size();
    meaning.words = TextPreparer::kDependent;
    if (word_counts.data[piece] >= 0) {
      meaning.words = static_cast<size_t>(word_counts.data[piece]);
      meaning.word_tokens = word_tokens.data + word;
      meaning.tokens = tokens.data + token;
      if (meaning.words > word_tokens.count - word) mismatch(env);
      for (size_t left = meaning.words; left > 0; --left) {
        if (word_tokens.data[word] > tokens.count - token) mismatch(env);
        token += word_tokens.data[word++];
      }
    }
    with_memory(env, [&] { preparer_.define(meaning); });
  }
}

Napi::Value TextPreparerObject::embed(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Arguments arguments(info);
  const Numbers<int32_t> places = arguments.integers(0);
  const Numbers<float> vectors = arguments.floats(1);
  auto row = static_cast<size_t>(arguments.wide_integer(2));
  if (!preparer_.has_table()) mismatch(env);
  const size_t dimensions = preparer_.table().dimensions();
  if ((row + places.count) * dimensions > vectors.count) mismatch(env);
  Napi::Int32Array counts = Napi::Int32Array::New(env, places.count);
  for (size_t index = 0; index < places.count; ++index, ++row) {
    const int32_t place = places.data[index];
    if (place < 0 || static_cast<size_t>(place) >= preparer_.scanned()) mismatch(env);
    size_t tokens = 0;
    float* vector = vectors.data + row * dimensions;
    const bool is_embedded =
        with_memory(env, [&] { return preparer_.embed(static_cast<size_t>(place), vector, &tokens); });
    counts[index] = is_embedded ? static_cast<int32_t>(tokens) : -1;
  }
  return counts;
}

void TextPreparerObject::pack(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const Numbers<double> keys = arguments.doubles(0);
  if (keys.count != preparer_.scanned()) mismatch(info.Env());
  with_memory(info.Env(), [&] {
    for (size_t text = 0; text < keys.count; ++text) preparer_.pack(text, static_cast<uint64_t>(keys.data[text]));
  });
}

Napi::Value TextPreparerObject::take(const Napi::CallbackInfo& info) {
  std::vector<uint8_t> packed;
  with_memory(info.Env(), [&] { preparer_.take(&packed); });
  Napi::Uint8Array copy = Napi::Uint8Array::New(info.Env(), packed.size());
  std::memcpy(copy.Data(), packed.data(), packed.size());
  return copy;
}

void TextPreparerObject::drop(const Napi::CallbackInfo&) { preparer_.drop(); }

}  // namespace semantic_index
