// Coverage-guided fuzzing of columns files, packed metadata and filter programs.
//
//   CXX=clang++ cmake -S native -B build-fuzz -DSEMANTIC_INDEX_FUZZ=ON -DSEMANTIC_INDEX_SANITIZE=address,undefined
//   cmake --build build-fuzz && build-fuzz/fuzz_columns -max_total_time=600 -max_len=20000 CORPUS
//
// The first byte of an input chooses what the rest is. The checksums of a file are put right before it is opened, for
// they would keep out nearly everything.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "base/random.h"
#include "columns/build/columns_merge.h"
#include "columns/build/packed_metadata.h"
#include "columns/filter_evaluation.h"
#include "columns/layers/column_rows.h"
#include "support/signed_bytes.h"

using namespace semantic_index;

namespace {

[[noreturn]] void give_up(const char* reason) {
  std::fprintf(stderr, "%s\n", reason);
  std::abort();
}

void put_varint(uint64_t value, std::string* bytes) {
  for (; value >= 0x80; value >>= 7) bytes->push_back(static_cast<char>(value | 0x80));
  bytes->push_back(static_cast<char>(value));
}

void put_string(const std::string& string, std::string* bytes) {
  put_varint(string.size(), bytes);
  bytes->append(string);
}

void put_number(double number, std::string* bytes) {
  char raw[sizeof number];
  std::memcpy(raw, &number, sizeof number);
  bytes->append(raw, sizeof raw);
}

/** Paths with strings, numbers, lists and values of every other kind. */
std::string valid_batch() {
  constexpr uint32_t kDocuments = 90;
  std::string bytes(1, static_cast<char>(kPackedMetadataVersion));
  put_varint(kDocuments, &bytes);
  for (uint32_t document = 0; document < kDocuments; ++document) put_varint(document == 0 ? 0 : 1, &bytes);
  bytes += std::string("\x01\x05\x02\x07\x09", 5);
  put_varint(4, &bytes);
  put_string("\x04lang", &bytes);
  put_varint(5, &bytes);
  for (uint32_t value = 0; value < 5; ++value) {
    bytes.push_back(static_cast<char>(ValueKind::string));
    put_string("v" + std::to_string(value), &bytes);
  }
  put_varint(kDocuments - 1, &bytes);
  for (uint32_t document = 0; document < kDocuments; ++document) {
    if (document == 5) continue;
    put_varint(document == 0 ? 0 : document == 6 ? 4 : 2, &bytes);
    put_varint(document % 5, &bytes);
  }
  put_string("\x01n", &bytes);
  put_varint(40, &bytes);
  for (uint32_t value = 0; value < 40; ++value) {
    bytes.push_back(static_cast<char>(ValueKind::number));
    put_number(value * 1.5 - 20, &bytes);
  }
  put_varint(40, &bytes);
  for (uint32_t row = 0; row < 40; ++row) {
    put_varint(row == 0 ? 12 : 4, &bytes);
    put_varint(39 - row, &bytes);
  }
  put_string("\x01t", &bytes);
  put_varint(4, &bytes);
  bytes += std::string("\x05\x02\x04\x01x\x01\x05", 7);
  bytes.push_back(0);
  put_varint(3, &bytes);
  bytes += std::string("\x01\x03\x00\x01\x02\x05\x01\x03\x2d\x02\x00\x01", 12);
  put_string("\x01m\x01o", &bytes);
  bytes += std::string("\x05\x00\x01\x06\x07\x08\x05\x02\x00\x02\x01\x02\x02\x02\x03\x04\x04", 17);
  return bytes;
}

const MemoryBlock& valid_file() {
  static MemoryBlock file;
  if (file.size() > 0) return file;
  const std::string bytes = valid_batch();
  PackedMetadata packed;
  const Status status = PackedMetadata::decode(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &packed);
  if (!status.ok() || !build_columns(packed, &file).ok()) give_up("no file");
  return file;
}

std::string valid_program() {
  std::string bytes(1, static_cast<char>(kFilterVersion));
  put_varint(9, &bytes);
  bytes.push_back(6);
  put_string("\x04lang", &bytes);
  bytes += std::string("\x01\x03\x05\x02\x02v1\x02v4", 10);
  bytes += std::string("\x03\x01\x02v2\x0b", 6);
  bytes.push_back(6);
  put_string("\x01n", &bytes);
  bytes += std::string("\x00\x01\x02\x03", 4);
  put_number(3.5, &bytes);
  bytes.push_back(4);
  bytes.push_back(6);
  put_string("\x01t", &bytes);
  bytes += std::string("\x00\x04\x06\x01x\x09\x07\x02\x0a", 9);
  bytes.push_back(2);
  bytes.push_back(3);
  bytes.push_back(7);
  put_string("\x01m\x01o", &bytes);
  bytes.push_back(5);
  bytes.push_back(4);
  return bytes;
}

void check_status(const Status& status) {
  if (!status.ok() && status.code != StatusCode::corrupt) give_up("failed for another reason than the bytes");
}

void check_result(const FilteredItems& items, int32_t documents) {
  if (items.certain.size() != static_cast<size_t>(item_words(documents))) give_up("a set has the wrong size");
  for (size_t word = 0; word < items.certain.size() && !items.is_exact; ++word) {
    if ((items.certain[word] & ~items.possible[word]) != 0) give_up("a certain item is not possible");
  }
}

/** Reads what all items have at some paths, once as they are and once over themselves. */
void read_rows(const ColumnsView& view) {
  auto image = std::make_shared<ColumnsImage>();
  image->view = view;
  ColumnsSnapshot snapshot;
  snapshot.layers.push_back({image, 0});
  snapshot.items = static_cast<uint32_t>(view.items());
  auto items = std::make_shared<std::vector<uint32_t>>(snapshot.items);
  std::iota(items->begin(), items->end(), 0u);
  for (const bool has_patch : {false, true}) {
    if (has_patch) snapshot.patches.push_back({image, items});
    for (const char* const path : {"\x04lang", "\x01n", "\x01t", "\x01m\x01o"}) {
      ColumnRows rows;
      const Status status = read_column_rows(snapshot, path, &rows);
      check_status(status);
      if (!status.ok()) continue;
      if (rows.ends.size() != snapshot.items) give_up("an item has no rows");
      uint32_t begin = 0;
      for (const uint32_t end : rows.ends) {
        if (end < begin || end > rows.ids.size()) give_up("rows do not ascend");
        begin = end;
      }
      for (const uint32_t id : rows.ids) {
        if (id >= rows.value_count) give_up("a row has a value that does not exist");
      }
    }
  }
}

void use_view(const ColumnsView& view) {
  static const std::string bytes = valid_program();
  FilterProgram program;
  if (!FilterProgram::decode(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &program).ok()) {
    give_up("no program");
  }
  if (view.items() > 100000) return;
  read_rows(view);
  static FilterEvaluation evaluation;
  const Status status = evaluation.run(view, program);
  check_status(status);
  if (status.ok()) check_result(evaluation.result(), view.items());
  std::vector<uint32_t> items(static_cast<size_t>(view.items()), kNoItem);
  uint32_t next = 0;
  for (size_t item = 0; item < items.size(); ++item) {
    if (item % 3 != 0) items[item] = next++;
  }
  MemoryBlock merged;
  ColumnsMergeOptions options;
  options.threads = 1;
  check_status(merge_columns({{&view, items.data()}}, next, options, &merged));
}

void use_file(uint8_t* bytes, size_t size) {
  semantic_index_test::sign<ColumnsHeader>(bytes, size);
  ColumnsView view;
  if (!ColumnsView::open(bytes, static_cast<int64_t>(size), &view).ok()) return;
  use_view(view);
  check_status(view.validate());
}

void use_batch(const uint8_t* bytes, size_t size) {
  PackedMetadata packed;
  if (!PackedMetadata::decode(bytes, size, &packed).ok()) return;
  MemoryBlock file;
  if (!build_columns(packed, &file).ok()) give_up("no file of a valid batch");
  ColumnsView view;
  if (!ColumnsView::open(file.data(), static_cast<int64_t>(file.size()), &view).ok()) give_up("a file does not open");
  if (!view.validate().ok()) give_up("a file is not valid");
  use_view(view);
}

void use_program(const uint8_t* bytes, size_t size) {
  FilterProgram program;
  if (!FilterProgram::decode(bytes, size, &program).ok()) return;
  static FilterEvaluation evaluation;
  ColumnsView view;
  const MemoryBlock& file = valid_file();
  if (!ColumnsView::open(file.data(), static_cast<int64_t>(file.size()), &view).ok()) give_up("no file");
  if (!evaluation.run(view, program).ok()) give_up("a program fails");
  check_result(evaluation.result(), view.items());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const size_t length = size - 1;
  // On the heap, so that a step beyond is seen; aligned as the kernel asks for.
  std::unique_ptr<uint64_t[]> memory(new uint64_t[(length + 7) / 8]);
  auto* const bytes = reinterpret_cast<uint8_t*>(memory.get());
  if (length > 0) std::memcpy(bytes, data + 1, length);
  if (data[0] % 3 == 0) use_file(bytes, length);
  if (data[0] % 3 == 1) use_batch(bytes, length);
  if (data[0] % 3 == 2) use_program(bytes, length);
  return 0;
}

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t maximum);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t maximum, unsigned int seed) {
  Random random(seed);
  const MemoryBlock& file = valid_file();
  if (1 + file.size() > maximum) return LLVMFuzzerMutate(data, size, maximum);
  if (size < 2 || random.below(30) == 0) {
    data[0] = static_cast<uint8_t>(random.below(3));
    const std::string other = data[0] == 1 ? valid_batch() : valid_program();
    const size_t length = data[0] == 0 ? file.size() : other.size();
    std::memcpy(data + 1, data[0] == 0 ? static_cast<const void*>(file.data()) : other.data(), length);
    return 1 + length;
  }
  if (data[0] % 3 != 0 || random.below(8) == 0) return LLVMFuzzerMutate(data, size, maximum);
  ColumnsHeader header;
  std::memcpy(&header, file.data(), sizeof header);
  for (uint32_t change = 0; change <= random.below(8); ++change) {
    const SectionRange& section = header.sections[random.below(kColumnsSections)];
    const size_t place = random.below(12) == 0
                             ? random.below(sizeof header)
                             : static_cast<size_t>(section.offset) + random.below(static_cast<uint32_t>(section.bytes));
    if (1 + place >= size) continue;
    const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff, 31, 32, static_cast<uint8_t>(random.next())};
    data[1 + place] = values[random.below(8)];
  }
  return size;
}
