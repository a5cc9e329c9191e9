// Columns that grow and change: filters see what a file built from the same documents shows.

#include "columns/layers/layered_columns.h"

#include <algorithm>
#include <numeric>
#include <thread>

#include "support/check.h"
#include "support/metadata.h"

using namespace semantic_index_test;

namespace {

std::vector<uint32_t> ascending(size_t count) {
  std::vector<uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0u);
  return numbers;
}

std::vector<std::string> some_programs() {
  return {
      ConditionProgram()
          .values(path_of({"lang"}), true)
          .single(ValueOperation::string, compare_string(Comparison::equal, "b"))
          .bytes(),
      ConditionProgram()
          .values(path_of({"lang"}), true)
          .single(ValueOperation::string, compare_string(Comparison::above, "a"))
          .bytes(),
      ConditionProgram()
          .values(path_of({"year"}), false)
          .single(ValueOperation::number, compare_number(Comparison::below, 2003))
          .operation(FilterOperation::negate)
          .bytes(),
      ConditionProgram()
          .values(path_of({"tags"}), true)
          .single(ValueOperation::string, compare_string(Comparison::equal, "t3"))
          .bytes(),
      ConditionProgram().values(path_of({"tags"}), false).single(ValueOperation::kind, std::string(1, '\5')).bytes(),
      ConditionProgram().values(path_of({"mixed"}), true).single(ValueOperation::everything).bytes(),
      ConditionProgram()
          .values(path_of({"mixed"}), true)
          .single(ValueOperation::part, std::string("\1x"))
          .operation(FilterOperation::negate)
          .bytes(),
      ConditionProgram().values(path_of({"absent"}), true).single(ValueOperation::everything).bytes(),
      ConditionProgram()
          .values(path_of({"rare", "flag"}), true)
          .single(ValueOperation::kind, std::string(1, '\2'))
          .bytes(),
  };
}

/** Whether both results are equal where documents are complete; incomplete ones may be doubted by one of them. */
void check_same(const FilteredItems& left, const FilteredItems& right, const Documents& documents) {
  const std::vector<uint32_t>& left_possible = left.is_exact ? left.certain : left.possible;
  const std::vector<uint32_t>& right_possible = right.is_exact ? right.certain : right.possible;
  CHECK_EQUAL(left.certain.size(), right.certain.size());
  for (size_t item = 0; item < documents.size(); ++item) {
    if (documents[item].is_incomplete) continue;
    const auto has = [item](const std::vector<uint32_t>& set) { return (set[item / 32] >> (item % 32) & 1u) != 0; };
    CHECK_EQUAL(has(left.certain), has(right.certain));
    CHECK_EQUAL(has(left_possible), has(right_possible));
  }
}

void check_filters(const LayeredColumns& columns, const Documents& documents) {
  MemoryBlock file;
  build_columns_of(documents, &file);
  const ColumnsView view = columns_of(file);
  const auto snapshot = columns.snapshot();
  CHECK_EQUAL(snapshot->items, documents.size());
  FilterEvaluation evaluation;
  FilterEvaluation expected;
  for (const std::string& bytes : some_programs()) {
    FilterProgram program;
    CHECK_OK(FilterProgram::decode(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &program));
    CHECK_OK(expected.run(view, program));
    FilteredItems found;
    CHECK_OK(snapshot->filter(program, &evaluation, &found));
    check_same(found, expected.result(), documents);
  }
}

}  // namespace

TEST(filters_follow_appended_and_replaced_metadata) {
  for (uint64_t seed = 1; seed < 25; ++seed) {
    Random random(seed);
    LayeredColumns columns;
    Documents documents;
    for (int step = 0; step < 60; ++step) {
      const Documents some = random_documents(1 + random.below(random.below(4) == 0 ? 200 : 4), &random);
      const Batch batch(some);
      if (documents.empty() || random.below(3) != 0) {
        std::vector<uint32_t> selected;
        for (uint32_t position = 0; position < some.size(); ++position) {
          if (seed % 2 == 0 || random.below(4) != 0) selected.push_back(position);
        }
        CHECK_OK(columns.append(batch.packed, selected.data(), selected.size()));
        for (const uint32_t position : selected) documents.push_back(some[position]);
      } else {
        std::vector<uint32_t> items(some.size(), kNoItem);
        for (size_t position = 0; position < some.size(); ++position) {
          const uint32_t item = random.below(static_cast<uint32_t>(documents.size()));
          if (random.below(4) == 0 || std::find(items.begin(), items.end(), item) != items.end()) continue;
          items[position] = item;
          documents[item] = some[position];
        }
        CHECK_OK(columns.replace(batch.packed, items.data(), items.size()));
      }
      if (random.below(4) == 0) CHECK_OK(columns.compact());
      if (step % 6 == 0) check_filters(columns, documents);
    }
    CHECK_OK(columns.compact());
    CHECK(!columns.is_due());
    CHECK(columns.snapshot()->layers.size() < 20);
    check_filters(columns, documents);
  }
}

TEST(a_snapshot_does_not_change) {
  Random random(5);
  LayeredColumns columns;
  const Documents documents = random_documents(100, &random);
  const Batch batch(documents);
  const std::vector<uint32_t> all = ascending(documents.size());
  CHECK_OK(columns.append(batch.packed, all.data(), all.size()));
  const auto before = columns.snapshot();
  CHECK_OK(columns.append(batch.packed, all.data(), all.size()));
  CHECK_OK(columns.replace(batch.packed, all.data(), all.size()));
  CHECK_EQUAL(before->items, 100u);
  CHECK_EQUAL(before->layers.size(), size_t{1});
  CHECK_EQUAL(before->patches.size(), size_t{0});
  CHECK_EQUAL(columns.snapshot()->items, 200u);
}

TEST(compaction_runs_beside_changes) {
  LayeredColumns columns;
  Documents documents;
  std::atomic<bool> is_done{false};
  std::thread other([&columns, &is_done]() {
    while (!is_done.load()) CHECK_OK(columns.compact());
  });
  Random random(9);
  for (int step = 0; step < 300; ++step) {
    const Documents some = random_documents(1 + random.below(8), &random);
    const Batch batch(some);
    const std::vector<uint32_t> all = ascending(some.size());
    CHECK_OK(columns.append(batch.packed, all.data(), all.size()));
    documents.insert(documents.end(), some.begin(), some.end());
    const uint32_t item = random.below(static_cast<uint32_t>(documents.size()));
    std::vector<uint32_t> items(some.size(), kNoItem);
    items[0] = item;
    CHECK_OK(columns.replace(batch.packed, items.data(), items.size()));
    documents[item] = some[0];
  }
  is_done.store(true);
  other.join();
  check_filters(columns, documents);
}

TEST(refuses_positions_and_items_that_there_are_not) {
  Random random(6);
  LayeredColumns columns;
  const Batch batch(random_documents(3, &random));
  const std::vector<uint32_t> beyond = {0, 3};
  CHECK(columns.append(batch.packed, beyond.data(), 2).code == StatusCode::invalid_argument);
  const std::vector<uint32_t> descending = {1, 0};
  CHECK(columns.append(batch.packed, descending.data(), 2).code == StatusCode::invalid_argument);
  const std::vector<uint32_t> all = {0, 1, 2};
  CHECK_OK(columns.append(batch.packed, all.data(), 3));
  const std::vector<uint32_t> twice = {1, kNoItem, 1};
  CHECK(columns.replace(batch.packed, twice.data(), 3).code == StatusCode::invalid_argument);
  const std::vector<uint32_t> far = {1, 2, 3};
  CHECK(columns.replace(batch.packed, far.data(), 3).code == StatusCode::invalid_argument);
  CHECK(columns.replace(batch.packed, all.data(), 2).code == StatusCode::invalid_argument);
}

TEST(packed_metadata_is_refused_at_every_cut) {
  Random random(8);
  const std::string bytes = pack(random_documents(40, &random));
  PackedMetadata packed;
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(!PackedMetadata::decode(cut.data(), cut.size(), &packed).ok());
  }
}

TEST(changed_packed_metadata_is_refused_or_makes_a_valid_file) {
  Random random(12);
  const std::string bytes = pack(random_documents(60, &random));
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint8_t> changed(bytes.begin(), bytes.end());
    for (uint32_t changes = 1 + random.below(2); changes > 0; --changes) {
      changed[random.below(static_cast<uint32_t>(changed.size()))] = static_cast<uint8_t>(random.next());
    }
    PackedMetadata packed;
    if (!PackedMetadata::decode(changed.data(), changed.size(), &packed).ok()) continue;
    ++accepted;
    MemoryBlock file;
    CHECK_OK(build_columns(packed, &file));
    CHECK_OK(columns_of(file).validate());
  }
  CHECK(accepted > 100);
}
