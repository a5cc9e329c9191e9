/** The addon: exports the kernel to JavaScript. Arguments in, typed arrays out; no arithmetic of its own. */
#include <napi.h>

#include <algorithm>
#include <functional>

#include "binding/base/addon_data.h"
#include "binding/base/arguments.h"
#include "binding/base/task.h"
#include "binding/columns/columns.h"
#include "binding/columns/read_column.h"
#include "binding/files.h"
#include "binding/search/search_part.h"
#include "binding/search/search_snapshot.h"
#include "binding/search/tail_image.h"
#include "binding/terms/keyed_postings.h"
#include "binding/terms/terms_file.h"
#include "binding/terms/terms_parts.h"
#include "binding/terms/terms_tail.h"
#include "binding/text/text_bytes.h"
#include "binding/text/text_preparer.h"
#include "binding/vectors/index.h"
#include "binding/vectors/vector_buffer.h"
#include "distance/distance.h"
#include "text/token_matches.h"

namespace semantic_index {

namespace {

/** (makeError: (code, message, systemError) => Error) */
void initialize(const Napi::CallbackInfo& info) {
  info.Env().GetInstanceData<AddonData>()->make_error = Napi::Persistent(info[0].As<Napi::Function>());
}

/** (limit: milliseconds). Cancels all native work of this environment for good, and waits for it. */
void stop_work(const Napi::CallbackInfo& info) {
  const auto limit = std::chrono::milliseconds(info[0].As<Napi::Number>().Int64Value());
  info.Env().GetInstanceData<AddonData>()->work->stop(limit);
}

Napi::Value instruction_set(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), distances().name); }

/** (numbers: Uint32Array) => boolean */
Napi::Value is_ascending(const Napi::CallbackInfo& info) {
  const Numbers<uint32_t> numbers = Arguments(info).unsigned_integers(0);
  uint32_t* const end = numbers.data + numbers.count;
  return Napi::Boolean::New(info.Env(), std::adjacent_find(numbers.data, end, std::greater_equal<>()) == end);
}

/**
 * (table: Uint8Array, ids: Int32Array, scales: Float32Array, count: number, isInt4: boolean, sums: Float32Array). Adds
 * the rows of the first `count` ids, each times its scale, to `sums`; see DistanceTable::sum_int8_rows.
 */
void sum_rows(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const Numbers<uint8_t> table = arguments.bytes(0);
  const Numbers<int32_t> ids = arguments.integers(1);
  const Numbers<float> scales = arguments.floats(2);
  const auto count = static_cast<size_t>(arguments.integer(3));
  const bool is_int4 = arguments.boolean(4);
  const Numbers<float> sums = arguments.floats(5);
  const size_t row_bytes = is_int4 ? sums.count / 2 : sums.count;
  bool fits = count <= ids.count && count <= scales.count && row_bytes > 0 && row_bytes % kRowBlock == 0 &&
              table.count % row_bytes == 0 && sums.count == (is_int4 ? 2 * row_bytes : row_bytes);
  const size_t rows_of_table = fits ? table.count / row_bytes : 0;
  for (size_t index = 0; fits && index < count; ++index) fits = static_cast<uint32_t>(ids.data[index]) < rows_of_table;
  if (!fits) throw make_error(info.Env(), "INTERNAL", "table, ids and sums do not fit together");
  const TableRows rows = {table.data, row_bytes, ids.data, scales.data, count};
  (is_int4 ? distances().sum_int4_rows : distances().sum_int8_rows)(rows, sums.data);
}

/**
 * (table: Uint8Array, scales: Float32Array, lengths: Float32Array, query: Int32Array, tokens: Int32Array, ends:
 * Uint32Array, similarities: Float32Array, closeness: Float32Array). See match_tokens.
 */
void match_tokens_of(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const Numbers<uint8_t> table = arguments.bytes(0);
  const Numbers<float> scales = arguments.floats(1);
  const Numbers<float> lengths = arguments.floats(2);
  const Numbers<int32_t> query = arguments.integers(3);
  const Numbers<int32_t> tokens = arguments.integers(4);
  const Numbers<uint32_t> ends = arguments.unsigned_integers(5);
  const Numbers<float> similarities = arguments.floats(6);
  const Numbers<float> closeness = arguments.floats(7);
  const size_t rows = lengths.count;
  const size_t row_bytes = rows == 0 ? 0 : table.count / rows;
  const size_t pairs = ends.count * query.count;
  bool fits = row_bytes > 0 && scales.count == rows && table.count == rows * row_bytes &&
              2 * row_bytes % kInt8Block == 0 && 2 * row_bytes <= kMaxInt8 && similarities.count == pairs &&
              closeness.count == pairs;
  for (size_t index = 0; fits && index < query.count; ++index) fits = static_cast<uint32_t>(query.data[index]) < rows;
  for (size_t index = 0; fits && index < tokens.count; ++index) fits = static_cast<uint32_t>(tokens.data[index]) < rows;
  uint32_t before = 0;
  for (size_t index = 0; fits && index < ends.count; ++index) {
    fits = ends.data[index] >= before && ends.data[index] <= tokens.count;
    before = ends.data[index];
  }
  if (!fits) throw make_error(info.Env(), "INTERNAL", "table, tokens and results do not fit together");
  match_tokens({table.data, row_bytes, scales.data, rows, lengths.data},
               {query.data, query.count, tokens.data, ends.data, ends.count}, similarities.data, closeness.data);
}

Napi::Value instruction_sets(const Napi::CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env());
  uint32_t count = 0;
  for (const DistanceTable* const* table = available_instruction_sets(); *table != nullptr; table++) {
    names.Set(count++, (*table)->name);
  }
  return names;
}

}  // namespace

/** Runs once for each environment that loads the addon. */
static Napi::Object define_exports(Napi::Env env, Napi::Object exports) {
  auto data = std::make_unique<AddonData>();
  data->work = WorkQueue::create(env);
  env.SetInstanceData(data.release());
  Task::define(env, exports);
  Index::define(env, exports);
  VectorBuffer::define(env, exports);
  TermsFileObject::define(env, exports);
  TermsTailObject::define(env, exports);
  ColumnsObject::define(env, exports);
  ColumnsSnapshotObject::define(env, exports);
  SearchPartObject::define(env, exports);
  SearchSnapshotObject::define(env, exports);
  TextPreparerObject::define(env, exports);
  exports.Set("contentHashes", Napi::Function::New<content_hashes>(env, "contentHashes"));
  exports.Set("encodeTexts", Napi::Function::New<encode_texts>(env, "encodeTexts"));
  exports.Set("initialize", Napi::Function::New<initialize>(env, "initialize"));
  exports.Set("stopWork", Napi::Function::New<stop_work>(env, "stopWork"));
  exports.Set("writeFile", Napi::Function::New<write_file>(env, "writeFile"));
  exports.Set("namesFile", Napi::Function::New<names_file>(env, "namesFile"));
  exports.Set("syncFolder", Napi::Function::New<sync_folder>(env, "syncFolder"));
  exports.Set("validateTerms", Napi::Function::New<validate_terms>(env, "validateTerms"));
  exports.Set("writeTerms", Napi::Function::New<write_terms>(env, "writeTerms"));
  exports.Set("rankPostings", Napi::Function::New<rank_postings>(env, "rankPostings"));
  exports.Set("rankPostingsLater", Napi::Function::New<rank_postings_later>(env, "rankPostingsLater"));
  exports.Set("scorePostings", Napi::Function::New<score_postings>(env, "scorePostings"));
  exports.Set("writeTailImage", Napi::Function::New<write_tail_image>(env, "writeTailImage"));
  exports.Set("readTailImage", Napi::Function::New<read_tail_image>(env, "readTailImage"));
  exports.Set("validateColumns", Napi::Function::New<validate_columns>(env, "validateColumns"));
  exports.Set("writeColumns", Napi::Function::New<write_columns>(env, "writeColumns"));
  exports.Set("filterColumns", Napi::Function::New<filter_columns>(env, "filterColumns"));
  exports.Set("readColumn", Napi::Function::New<read_column>(env, "readColumn"));
  exports.Set("sumRows", Napi::Function::New<sum_rows>(env, "sumRows"));
  exports.Set("isAscending", Napi::Function::New<is_ascending>(env, "isAscending"));
  exports.Set("matchTokens", Napi::Function::New<match_tokens_of>(env, "matchTokens"));
  exports.Set("instructionSet", Napi::Function::New<instruction_set>(env, "instructionSet"));
  exports.Set("instructionSets", Napi::Function::New<instruction_sets>(env, "instructionSets"));
  return exports;
}

}  // namespace semantic_index

static Napi::Object define_exports(Napi::Env env, Napi::Object exports) {
  return semantic_index::define_exports(env, exports);
}

NODE_API_MODULE(semantic_index, define_exports)
