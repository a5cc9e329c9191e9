// The bytes of columns files: the same for every way to build them, refused or harmless when they are damaged.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/checksum.h"
#include "columns/filter_evaluation.h"
#include "columns/layers/columns_snapshot.h"
#include "support/metadata.h"

using namespace semantic_index_test;

namespace {

/** Puts the right checksums behind the header and the sections again. */
void sign(std::vector<uint8_t>* bytes) {
  if (bytes->size() < sizeof(ColumnsHeader)) return;
  ColumnsHeader header;
  std::memcpy(&header, bytes->data(), sizeof header);
  for (ColumnsSectionPlace& place : header.sections) {
    const bool inside = place.offset >= 0 && place.bytes >= 0 && place.offset <= static_cast<int64_t>(bytes->size()) &&
                        place.bytes <= static_cast<int64_t>(bytes->size()) - place.offset;
    if (inside) place.checksum = checksum(bytes->data() + place.offset, static_cast<size_t>(place.bytes));
  }
  header.header_checksum = checksum(&header, offsetof(ColumnsHeader, header_checksum));
  std::memcpy(bytes->data(), &header, sizeof header);
}

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
  // Of the exact size, so that a sanitizer sees a step beyond; aligned.
  std::unique_ptr<uint64_t[]> memory(new uint64_t[(bytes.size() + 7) / 8]);
  if (!bytes.empty()) std::memcpy(memory.get(), bytes.data(), bytes.size());
  const auto* const begin = reinterpret_cast<const uint8_t*>(memory.get());
  ColumnsView view;
  if (!ColumnsView::open(begin, static_cast<int64_t>(bytes.size()), &view).ok()) return false;
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
  CHECK_OK(save_columns(path, block));
  {
    ColumnsImagePointer image;
    CHECK_OK(open_columns_file(path, &image));
    CHECK_OK(image->view.validate());
  }
  std::remove(path.c_str());
}

TEST(every_flipped_byte_is_noticed) {
  const std::vector<uint8_t> bytes = small_file(1);
  CHECK(is_good(bytes));
  ColumnsHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  for (size_t place = 0; place < bytes.size(); place += place < 600 ? 1 : 7) {
    // Bytes between sections belong to none.
    bool is_covered = place < sizeof header;
    for (const ColumnsSectionPlace& section : header.sections) {
      is_covered |=
          static_cast<int64_t>(place) >= section.offset && static_cast<int64_t>(place) < section.offset + section.bytes;
    }
    if (!is_covered) continue;
    for (const uint8_t change : {uint8_t{1}, uint8_t{0x80}, uint8_t{0xff}}) {
      std::vector<uint8_t> damaged = bytes;
      damaged[place] ^= change;
      CHECK(!is_good(damaged));
    }
  }
}

TEST(flipped_bytes_with_right_checksums_are_refused_or_harmless) {
  const std::vector<uint8_t> bytes = small_file(2);
  Random random(11);
  int good = 0;
  for (int round = 0; round < 8000; ++round) {
    std::vector<uint8_t> damaged = bytes;
    for (uint32_t changes = 1 + random.below(3); changes > 0; --changes) {
      const auto place = random.below(10) == 0 ? random.below(sizeof(ColumnsHeader))
                                               : random.below(static_cast<uint32_t>(damaged.size()));
      damaged[place] = static_cast<uint8_t>(random.next());
    }
    sign(&damaged);
    good += is_good(damaged) ? 1 : 0;
  }
  // Some changes make another valid file: a letter of a string, a bit behind the last value of an array.
  CHECK(good < 4000);
}

TEST(truncated_and_longer_files_are_refused) {
  const std::vector<uint8_t> bytes = small_file(3);
  for (size_t size = 0; size < bytes.size(); size += size < 400 ? 1 : 61) {
    std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(!is_good(cut));
    sign(&cut);
    CHECK(!is_good(cut));
  }
  std::vector<uint8_t> longer = bytes;
  longer.push_back(0);
  CHECK(!is_good(longer));
}
