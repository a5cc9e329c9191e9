// What all items have at a path, read from columns that grow and change, against the documents themselves.

#include "columns/layers/column_rows.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "columns/layers/layered_columns.h"
#include "support/check.h"
#include "support/metadata.h"

using namespace semantic_index_test;

namespace {

/** A value without its elements, in a form that can be compared. */
std::string text_of(const Value& value) {
  std::string text(1, static_cast<char>(value.kind));
  if (value.kind == ValueKind::number) put_number(value.number, &text);
  if (value.kind == ValueKind::string) text += value.string;
  return text;
}

std::vector<std::string> values_of(const ColumnRows& rows) {
  std::vector<std::string> values;
  const uint8_t* at = rows.values.data();
  const uint8_t* const end = at + rows.values.size();
  while (at < end) {
    std::string text(1, static_cast<char>(*at));
    const auto kind = static_cast<ValueKind>(*at++);
    uint32_t size = kind == ValueKind::number ? sizeof(double) : 0;
    if (kind == ValueKind::string) {
      CHECK(end - at >= 4);
      std::memcpy(&size, at, sizeof size);
      at += sizeof size;
    }
    CHECK(static_cast<size_t>(end - at) >= size);
    text.append(reinterpret_cast<const char*>(at), size);
    at += size;
    values.push_back(text);
  }
  CHECK_EQUAL(values.size(), size_t{rows.value_count});
  return values;
}

void check_rows(const LayeredColumns& columns, const Documents& documents, const std::string& path, size_t* known) {
  const auto snapshot = columns.snapshot();
  ColumnRows rows;
  CHECK_OK(read_column_rows(*snapshot, path, &rows));
  CHECK_EQUAL(rows.ends.size(), documents.size());
  const std::vector<std::string> values = values_of(rows);
  uint32_t begin = 0;
  for (size_t item = 0; item < documents.size(); ++item) {
    const uint32_t end = rows.ends[item];
    CHECK(begin <= end && end <= rows.ids.size());
    const bool is_unknown = !rows.unknown.empty() && (rows.unknown[item / 32] >> (item % 32) & 1u) != 0;
    const Metadata& document = documents[item];
    std::set<std::string> found;
    for (uint32_t place = begin; place < end; ++place) {
      CHECK(rows.ids[place] < values.size());
      found.insert(values[rows.ids[place]]);
    }
    begin = end;
    if (document.is_opaque) CHECK(is_unknown);
    if (is_unknown) {
      CHECK(document.is_opaque || document.is_incomplete);
      continue;
    }
    std::set<std::string> expected;
    const auto value = document.values.find(path);
    if (value != document.values.end()) {
      expected.insert(text_of(value->second));
      for (const Value& element : value->second.elements) expected.insert(text_of(element));
    }
    // A column may hold what documents had in common only; then incomplete ones are unknown, and others are whole.
    CHECK(found == expected);
    *known += found.size();
  }
}

}  // namespace

TEST(rows_are_what_documents_have) {
  const std::vector<std::string> paths = {path_of({"lang"}),  path_of({"year"}),         path_of({"id"}),
                                          path_of({"tags"}),  path_of({"rare", "flag"}), path_of({"mixed"}),
                                          path_of({"absent"})};
  size_t known = 0;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    Random random(seed);
    LayeredColumns columns;
    Documents documents;
    for (int step = 0; step < 30; ++step) {
      const Documents some = random_documents(1 + random.below(random.below(4) == 0 ? 200 : 4), &random);
      const Batch batch(some);
      std::vector<uint32_t> places(some.size());
      if (documents.empty() || random.below(3) != 0) {
        for (uint32_t position = 0; position < some.size(); ++position) places[position] = position;
        CHECK_OK(columns.append(batch.packed, places.data(), places.size()));
        documents.insert(documents.end(), some.begin(), some.end());
      } else {
        std::fill(places.begin(), places.end(), kNoItem);
        for (size_t position = 0; position < some.size(); ++position) {
          const uint32_t item = random.below(static_cast<uint32_t>(documents.size()));
          if (std::find(places.begin(), places.end(), item) != places.end()) continue;
          places[position] = item;
          documents[item] = some[position];
        }
        CHECK_OK(columns.replace(batch.packed, places.data(), places.size()));
      }
      if (random.below(4) == 0) CHECK_OK(columns.compact());
      if (step % 5 == 0) {
        for (const std::string& path : paths) check_rows(columns, documents, path, &known);
      }
    }
  }
  CHECK(known > 10000);
}

TEST(reading_rows_can_be_cancelled) {
  Random random(3);
  LayeredColumns columns;
  const Documents documents = random_documents(400, &random);
  const Batch batch(documents);
  std::vector<uint32_t> places(documents.size());
  for (uint32_t position = 0; position < places.size(); ++position) places[position] = position;
  CHECK_OK(columns.append(batch.packed, places.data(), places.size()));
  const std::atomic<bool> cancel{true};
  ColumnRows rows;
  CHECK(read_column_rows(*columns.snapshot(), path_of({"lang"}), &rows, &cancel).code == StatusCode::cancelled);
}
