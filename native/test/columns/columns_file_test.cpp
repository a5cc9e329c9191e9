// The bytes of columns files: the same for every way to build them, refused or harmless when they are damaged.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

#include "columns/filter_evaluation.h"
#include "columns/layers/columns_snapshot.h"
#include "io/atomic_file.h"
#include "support/check.h"
#include "support/damaged_sections.h"
#include "support/metadata.h"

using namespace semantic_index_test;

namespace {

/** Filters and merges a file, which must not go out of bounds. */
void use(const ColumnsView& view) {
  static const std::string kPrograms[] = {
      ConditionProgram().values(path_of({"lang"}), true).single(ValueOperation::everything).bytes(),
      ConditionProgram()
          .values(path_of({"year"}), false)
          .single(ValueOperation::number, compare_number(Comparison::at_least, 2000))
          .bytes(),
      ConditionProgram()
          .values(path_of({"id"}), true)
          .single(ValueOperation::string, compare_string(Comparison::below, "doc-5"))
          .values(path_of({"tags"}), true)
          .single(ValueOperation::part, std::string("\x01t"))
          .operation(FilterOperation::negate)
          .operation(FilterOperation::both)
          .bytes(),
  };
  FilterEvaluation evaluation;
  for (const std::string& bytes : kPrograms) {
    FilterProgram program;
    CHECK_OK(FilterProgram::decode(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &program));
    static_cast<void>(evaluation.run(view, program));
  }
  std::vector<uint32_t> items(static_cast<size_t>(view.items()));
  for (size_t item = 0; item < items.size(); ++item) items[item] = static_cast<uint32_t>(item);
  MemoryBlock merged;
  ColumnsMergeOptions options;
  options.threads = 1;
  static_cast<void>(merge_columns({{&view, items.data()}}, view.items(), options, &merged));
}

/** Whether a file is found good; where it opens it is used. */
bool is_good(const std::vector<uint8_t>& bytes) {
  const ExactBytes memory(bytes);
  ColumnsView view;
  if (!ColumnsView::open(memory.data(), memory.size(), &view).ok()) return false;
  use(view);
  return view.validate().ok();
}

std::vector<uint8_t> small_file(uint64_t seed) {
  Random random(seed);
  MemoryBlock file;
  build_columns_of(random_documents(300, &random), &file);
  return content_of(file);
}

/** A file in memory of its own, as layers have them. */
ColumnsImagePointer image_of(const Documents& documents) {
  auto image = std::make_shared<ColumnsImage>();
  build_columns_of(documents, &image->memory);
  CHECK_OK(ColumnsView::open(image->memory.data(), static_cast<int64_t>(image->memory.size()), &image->view));
  return image;
}

}  // namespace

TEST(built_files_are_valid) {
  for (const size_t count : {size_t{0}, size_t{1}, size_t{31}, size_t{32}, size_t{33}, size_t{3000}}) {
    Random random(count);
    MemoryBlock file;
    build_columns_of(random_documents(count, &random), &file);
    const ColumnsView view = columns_of(file);
    CHECK_EQUAL(view.items(), static_cast<int32_t>(count));
    CHECK_OK(view.validate());
  }
}

TEST(merging_gives_the_bytes_of_a_build) {
  for (uint64_t seed = 1; seed < 60; ++seed) {
    Random random(seed);
    std::vector<std::shared_ptr<ColumnsSnapshot>> snapshots;
    std::vector<std::vector<uint32_t>> dead;
    std::vector<ColumnsPart> parts;
    Documents survivors;
    const bool is_complete = seed % 2 == 0;
    for (uint32_t part = 0; part <= random.below(4); ++part) {
      auto snapshot = std::make_shared<ColumnsSnapshot>();
      Documents documents;
      for (uint32_t layer = 0; layer <= random.below(3); ++layer) {
        Documents some = random_documents(random.below(400), &random);
        for (Metadata& document : some) document.is_incomplete &= !is_complete;
        snapshot->layers.push_back({image_of(some), static_cast<uint32_t>(documents.size())});
        documents.insert(documents.end(), some.begin(), some.end());
      }
      snapshot->items = static_cast<uint32_t>(documents.size());
      for (uint32_t patch = random.below(4); patch > 0 && !documents.empty(); --patch) {
        auto items = std::make_shared<std::vector<uint32_t>>();
        for (uint32_t item = 0; item < documents.size(); ++item) {
          if (random.below(5) == 0) items->push_back(item);
        }
        Documents replaced = random_documents(items->size(), &random);
        for (Metadata& document : replaced) document.is_incomplete &= !is_complete;
        snapshot->patches.push_back({image_of(replaced), items});
        for (size_t index = 0; index < items->size(); ++index) documents[(*items)[index]] = replaced[index];
      }
      std::vector<uint32_t> bits((documents.size() + 31) / 32);
      for (size_t item = 0; item < documents.size(); ++item) {
        if (random.below(4) == 0) {
          bits[item / 32] |= 1u << (item % 32);
        } else {
          survivors.push_back(documents[item]);
        }
      }
      dead.push_back(std::move(bits));
      snapshots.push_back(std::move(snapshot));
    }
    for (size_t part = 0; part < snapshots.size(); ++part) {
      parts.push_back({snapshots[part].get(), {dead[part].data(), static_cast<int64_t>(dead[part].size())}});
    }
    MemoryBlock expected;
    build_columns_of(survivors, &expected);
    for (const int threads : {1, 2, 7}) {
      ColumnsMergeOptions options;
      options.threads = threads;
      MemoryBlock merged;
      CHECK_OK(merge_parts(parts, options, &merged));
      CHECK_OK(columns_of(merged).validate());
      if (is_complete) CHECK(content_of(merged) == content_of(expected));
    }
  }
}

TEST(merging_keeps_the_source_and_refuses_impossible_items) {
  Random random(3);
  MemoryBlock file;
  build_columns_of(random_documents(10, &random), &file);
  const ColumnsView view = columns_of(file);
  std::vector<uint32_t> items = {0, 1, 2, 3, 4, 5, 6, 7, 8, kNoItem};
  ColumnsMergeOptions options;
  options.source = 0x1234567890abcdefu;
  MemoryBlock merged;
  CHECK_OK(merge_columns({{&view, items.data()}}, 9, options, &merged));
  CHECK_EQUAL(columns_of(merged).header().source, options.source);
  CHECK(merge_columns({{&view, items.data()}}, 8, options, &merged).code == StatusCode::invalid_argument);
  CHECK(merge_columns({{&view, items.data()}}, int64_t{kMaxColumnsItems} + 1, options, &merged).code ==
        StatusCode::invalid_argument);
  const std::atomic<bool> cancel{true};
  options.cancel = &cancel;
  CHECK(merge_columns({{&view, items.data()}}, 9, options, &merged).code == StatusCode::cancelled);
  options.cancel = nullptr;
  items[0] = 1;
  CHECK(merge_columns({{&view, items.data()}}, 9, options, &merged).code == StatusCode::corrupt);
}

TEST(the_most_common_paths_become_columns) {
  Documents documents(3000);
  for (uint32_t item = 0; item < documents.size(); ++item) {
    documents[item].values[path_of({"common"})] = Value::of(double{1} * item);
    documents[item].values[path_of({("key" + std::to_string(item)).c_str()})] = Value::of("x");
  }
  MemoryBlock file;
  build_columns_of(documents, &file);
  const ColumnsView view = columns_of(file);
  CHECK_OK(view.validate());
  CHECK_EQUAL(view.columns(), kMaxColumns);
  CHECK_EQUAL(view.header().incomplete, static_cast<uint32_t>(documents.size()) - kMaxColumns + 1);
  ColumnView column;
  bool found = false;
  CHECK_OK(view.find(path_of({"common"}), &column, &found));
  CHECK(found && column.head().rows == documents.size() && !column.is_partial());
  // A column that only one of two files has is partial in the merged one, for the other's documents may have its path.
  Documents more(2);
  more[0].values[path_of({"other"})] = Value::of("y");
  const ColumnsImagePointer second = image_of(more);
  std::vector<uint32_t> first_items(documents.size());
  for (uint32_t item = 0; item < first_items.size(); ++item) first_items[item] = item;
  const std::vector<uint32_t> second_items = {3000, 3001};
  MemoryBlock merged;
  CHECK_OK(merge_columns({{&view, first_items.data()}, {&second->view, second_items.data()}}, 3002, {}, &merged));
  CHECK_OK(columns_of(merged).validate());
  CHECK_EQUAL(columns_of(merged).columns(), kMaxColumns);
  CHECK_OK(columns_of(merged).find(path_of({"common"}), &column, &found));
  CHECK(found && !column.is_partial());
}

TEST(opens_what_was_saved) {
  const std::vector<uint8_t> bytes = small_file(4);
  MemoryBlock block;
  CHECK(block.resize(bytes.size()));
  std::memcpy(block.data(), bytes.data(), bytes.size());
  const std::string path = "columns_file_test.columns";
  CHECK_OK(save_atomically(path, block));
  {
    ColumnsImagePointer image;
    CHECK_OK(open_columns_file(path, &image));
    CHECK_OK(image->view.validate());
  }
  std::remove(path.c_str());
}

TEST(every_flipped_byte_is_noticed) { check_flipped_bytes(small_file(1), 600, is_good); }

TEST(flipped_bytes_with_right_checksums_are_refused_or_harmless) {
  check_signed_damage<ColumnsHeader>(small_file(2), 8000, is_good);
}

TEST(truncated_and_longer_files_are_refused) { check_other_sizes<ColumnsHeader>(small_file(3), is_good); }

TEST(sections_of_another_file_are_refused_or_harmless) {
  check_foreign_sections<ColumnsHeader>(small_file(5), small_file(6), is_good);
}
