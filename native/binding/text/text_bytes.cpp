#include "binding/text/text_bytes.h"

#include <cstring>
#include <limits>
#include <vector>

#include "base/sha256.h"
#include "binding/base/addon_data.h"

namespace semantic_index {

namespace {

/** Bytes of a content hash. */
constexpr size_t kHashBytes = 16;
/** Code units read without asking for their number first. */
constexpr size_t kShort = 4096;

/** Appends the UTF-8 of a string. */
void append_text(Napi::Env env, Napi::Value text, std::vector<char>* bytes) {
  const size_t before = bytes->size();
  // Room for the terminator that is always written.
  bytes->resize(before + kShort + 1);
  size_t size = 0;
  napi_status status = napi_get_value_string_utf8(env, text, bytes->data() + before, kShort + 1, &size);
  // A character that did not fit leaves up to three bytes free.
  if (status == napi_ok && size + 4 > kShort) {
    status = napi_get_value_string_utf8(env, text, nullptr, 0, &size);
    if (status == napi_ok) {
      bytes->resize(before + size + 1);
      status = napi_get_value_string_utf8(env, text, bytes->data() + before, size + 1, &size);
    }
  }
  if (status != napi_ok) throw make_error(env, "INTERNAL", "expected strings");
  bytes->resize(before + size);
}

Napi::Value base64url(Napi::Env env, const uint8_t* bytes) {
  static const char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  char text[(8 * kHashBytes + 5) / 6];
  uint32_t bits = 0;
  int count = 0;
  size_t place = 0;
  for (size_t at = 0; at < kHashBytes; ++at) {
    bits = bits << 8 | bytes[at];
    for (count += 8; count >= 6; count -= 6) text[place++] = kDigits[bits >> (count - 6) & 63];
  }
  text[place++] = kDigits[bits << (6 - count) & 63];
  napi_value result = nullptr;
  napi_create_string_latin1(env, text, place, &result);
  return {env, result};
}

}  // namespace

Napi::Value content_hashes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Array texts = info[0].As<Napi::Array>();
  const uint32_t count = texts.Length();
  Napi::Array hashes = Napi::Array::New(env, count);
  std::vector<char> bytes;
  for (uint32_t index = 0; index < count; ++index) {
    const Napi::HandleScope scope(env);
    bytes.clear();
    append_text(env, texts.Get(index), &bytes);
    Sha256 sha;
    sha.update(bytes.data(), bytes.size());
    uint8_t digest[32];
    sha.finish(digest);
    hashes.Set(index, base64url(env, digest));
  }
  return hashes;
}

Napi::Value encode_texts(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Array texts = info[0].As<Napi::Array>();
  const uint32_t count = texts.Length();
  Napi::Uint32Array ends = Napi::Uint32Array::New(env, count);
  std::vector<char> bytes;
  for (uint32_t index = 0; index < count; ++index) {
    const Napi::HandleScope scope(env);
    append_text(env, texts.Get(index), &bytes);
    if (bytes.size() > std::numeric_limits<uint32_t>::max()) {
      throw make_error(env, "OUT_OF_MEMORY", "the texts of a batch have more than 4 GiB");
    }
    ends[index] = static_cast<uint32_t>(bytes.size());
  }
  Napi::Uint8Array copy = Napi::Uint8Array::New(env, bytes.size());
  if (!bytes.empty()) std::memcpy(copy.Data(), bytes.data(), bytes.size());
  Napi::Object encoded = Napi::Object::New(env);
  encoded.Set("bytes", copy);
  encoded.Set("ends", ends);
  return encoded;
}

}  // namespace semantic_index
