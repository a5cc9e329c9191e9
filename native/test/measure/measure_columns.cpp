// The time of filters on columns, at selectivities from one document to all, and the bytes of a document.
//
//   measure_columns [documents]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <numeric>

#include "columns/layers/layered_columns.h"
#include "support/check.h"
#include "support/metadata.h"

using namespace semantic_index_test;

namespace {

constexpr uint32_t kBatch = 1024;

double seconds(const std::function<void()>& body) {
  const auto begin = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string address_of(uint32_t document) {
  char text[64];
  std::snprintf(text, sizeof text, "https://example.org/articles/%08x", document * 2654435761u);
  return text;
}

/** Ten fields, as a collection of articles has them. */
Metadata article(uint32_t document, uint32_t documents, Random* random) {
  Metadata metadata;
  auto& values = metadata.values;
  values[path_of({"url"})] = Value::of(address_of(document));
  values[path_of({"lang"})] = Value::of("lang-" + std::to_string(random->below(8)));
  values[path_of({"source"})] = Value::of("source-" + std::to_string(random->below(20)));
  values[path_of({"author"})] = Value::of("author " + std::to_string(random->below(documents / 10 + 1)));
  values[path_of({"year"})] = Value::of(1990.0 + random->below(36));
  values[path_of({"score"})] = Value::of(static_cast<double>(random->below(documents)) / documents);
  values[path_of({"published"})] = Value::of("2024-" + std::to_string(10 + random->below(3)) + "-" +
                                             std::to_string(10 + random->below(18)) + "T08:00:00.000Z");
  values[path_of({"draft"})] = Value::of(random->below(10) == 0 ? ValueKind::yes : ValueKind::no);
  values[path_of({"place"})] = Value::of(ValueKind::object);
  values[path_of({"place", "section"})] = Value::of("section " + std::to_string(random->below(50)));
  std::vector<Value> tags;
  for (uint32_t left = random->below(5); left > 0; --left) {
    tags.push_back(Value::of("tag-" + std::to_string(random->below(200))));
  }
  values[path_of({"tags"})] = Value::list(std::move(tags));
  return metadata;
}

/** The median time of a filter in microseconds, and its matches. */
void measure(const char* name, const ColumnsSnapshot& snapshot, const std::string& bytes) {
  FilterEvaluation evaluation;
  FilteredItems found;
  std::vector<double> times;
  double total = 0;
  while (times.size() < 5 || (total < 0.3 && times.size() < 400)) {
    times.push_back(seconds([&]() {
      FilterProgram program;
      CHECK_OK(FilterProgram::decode(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &program));
      CHECK_OK(snapshot.filter(program, &evaluation, &found));
    }));
    total += times.back();
  }
  std::sort(times.begin(), times.end());
  uint64_t matches = 0;
  for (const uint32_t word : found.certain) matches += static_cast<uint64_t>(__builtin_popcount(word));
  std::printf("  %-34s %9.1f us  %8llu of %u\n", name, times[times.size() / 2] * 1e6,
              static_cast<unsigned long long>(matches), snapshot.items);
}

ConditionProgram strings_of(const std::string& path, const std::vector<std::string>& members) {
  std::string operands;
  put_varint(members.size(), &operands);
  for (const std::string& member : members) put_string(member, &operands);
  ConditionProgram program;
  program.values(path, true).single(ValueOperation::strings, operands);
  return program;
}

void measure_filters(const ColumnsSnapshot& snapshot) {
  const std::string score = path_of({"score"});
  for (const double share : {1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.5, 0.9, 1.0}) {
    char name[64];
    std::snprintf(name, sizeof name, "score < %g", share);
    measure(name, snapshot,
            ConditionProgram()
                .values(score, false)
                .single(ValueOperation::number, compare_number(Comparison::below, share))
                .bytes());
  }
  const auto equal = [](ConditionProgram* program, const char* path, const std::string& value) {
    program->values(path_of({path}), true).single(ValueOperation::string, compare_string(Comparison::equal, value));
  };
  ConditionProgram one;
  equal(&one, "url", address_of(17));
  measure("url = one", snapshot, one.bytes());
  ConditionProgram lang;
  equal(&lang, "lang", "lang-3");
  measure("lang = one of 8", snapshot, lang.bytes());
  measure("lang != one of 8", snapshot, ConditionProgram(lang).operation(FilterOperation::negate).bytes());
  ConditionProgram tag;
  equal(&tag, "tags", "tag-7");
  measure("tags has one of 200", snapshot, tag.bytes());
  measure("tags exists", snapshot,
          ConditionProgram().values(path_of({"tags"}), false).single(ValueOperation::everything).bytes());
  measure("lang and source and year >= 2010", snapshot,
          strings_of(path_of({"lang"}), {"lang-1", "lang-2"})
              .values(path_of({"source"}), true)
              .single(ValueOperation::string, compare_string(Comparison::equal, "source-4"))
              .operation(FilterOperation::both)
              .values(path_of({"year"}), false)
              .single(ValueOperation::number, compare_number(Comparison::at_least, 2010))
              .operation(FilterOperation::both)
              .bytes());
  measure("author contains 77", snapshot,
          ConditionProgram()
              .values(path_of({"author"}), true)
              .single(ValueOperation::part,
                      "\x02"
                      "77")
              .bytes());
  measure("url contains beef", snapshot,
          ConditionProgram()
              .values(path_of({"url"}), true)
              .single(ValueOperation::part,
                      "\x04"
                      "beef")
              .bytes());
  for (const uint32_t count : {10u, 1000u, 100000u}) {
    std::vector<std::string> members;
    for (uint32_t member = 0; member < count; ++member) members.push_back(address_of(member * 3));
    char name[64];
    std::snprintf(name, sizeof name, "url in %u", count);
    measure(name, snapshot, strings_of(path_of({"url"}), members).bytes());
  }
}

}  // namespace

int main(int count, char** arguments) {
  const auto documents = static_cast<uint32_t>(count > 1 ? std::atoi(arguments[1]) : 100000);
  Random random(1);
  LayeredColumns columns;
  double decoding = 0;
  double appending = 0;
  double compacting = 0;
  size_t packed = 0;
  std::vector<uint32_t> all(kBatch);
  std::iota(all.begin(), all.end(), 0u);
  for (uint32_t first = 0; first < documents; first += kBatch) {
    Documents some;
    for (uint32_t document = first; document < std::min(documents, first + kBatch); ++document) {
      some.push_back(article(document, documents, &random));
    }
    const std::string bytes = pack(some);
    packed += bytes.size();
    PackedMetadata batch;
    decoding += seconds([&]() {
      CHECK_OK(PackedMetadata::decode(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &batch));
    });
    appending += seconds([&]() { CHECK_OK(columns.append(batch, all.data(), some.size())); });
    compacting += seconds([&]() { CHECK_OK(columns.compact()); });
  }
  const std::shared_ptr<const ColumnsSnapshot> tail = columns.snapshot();
  std::printf("%u documents: packed %.1f B, decoded in %.2f us, appended in %.2f us, compacted in %.2f us each\n",
              documents, static_cast<double>(packed) / documents, decoding / documents * 1e6,
              appending / documents * 1e6, compacting / documents * 1e6);
  std::printf("in memory: %.1f B each, %zu layers\n", static_cast<double>(tail->memory()) / documents,
              tail->layers.size());
  measure_filters(*tail);

  auto image = std::make_shared<ColumnsImage>();
  for (const int threads : {1, 2}) {
    ColumnsMergeOptions options;
    options.threads = threads;
    const double time = seconds([&]() { CHECK_OK(merge_parts({{tail.get(), {}}}, options, &image->memory)); });
    std::printf("merged into a file by %d threads in %.2f s\n", threads, time);
  }
  CHECK_OK(ColumnsView::open(image->memory.data(), static_cast<int64_t>(image->memory.size()), &image->view));
  const double checking = seconds([&]() { CHECK_OK(image->view.validate()); });
  std::printf("file: %.1f B each, validated in %.2f s\n", static_cast<double>(image->memory.size()) / documents,
              checking);
  for (uint32_t number = 0; number < image->view.columns(); ++number) {
    ColumnView column;
    CHECK_OK(image->view.column(number, &column));
    std::printf(
        "  column %-20.*s %5.1f B, %u values\n", static_cast<int>(column.path().size()) - 1, column.path().data() + 1,
        static_cast<double>(column_layout(column.head(), image->view.items()).bytes) / documents, column.values());
  }
  ColumnsSnapshot file;
  file.items = documents;
  file.layers.push_back({image, 0});
  measure_filters(file);
  return 0;
}
