#ifndef SEMANTIC_INDEX_TEST_SUPPORT_METADATA_H_
#define SEMANTIC_INDEX_TEST_SUPPORT_METADATA_H_

#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "columns/build/packed_metadata.h"
#include "columns/filter_program.h"
#include "support/check.h"

namespace semantic_index_test {

using namespace semantic_index;

/** A value at a path: a scalar, or the elements of a list. */
struct Value {
  ValueKind kind = ValueKind::null;
  double number = 0;
  std::string string;
  std::vector<Value> elements;

  static Value of(double number) { return {ValueKind::number, number, {}, {}}; }
  static Value of(const std::string& string) { return {ValueKind::string, 0, string, {}}; }
  static Value of(ValueKind kind) { return {kind, 0, {}, {}}; }
  static Value list(std::vector<Value> elements) { return {ValueKind::list, 0, {}, std::move(elements)}; }
};
bool operator<(const Value& left, const Value& right);

/** The values of a document by path, and whether columns describe it. */
struct Metadata {
  std::map<std::string, Value> values;
  bool is_opaque = false;
  bool is_incomplete = false;
};
using Documents = std::vector<Metadata>;
void put_varint(uint64_t value, std::string* bytes);
void put_number(double number, std::string* bytes);
void put_string(const std::string& string, std::string* bytes);
std::string path_of(std::initializer_list<const char*> steps);

/** Packs documents as FORMAT.md describes it, with a dictionary in the order of appearance. */
std::string pack(const Documents& documents);

/** Random documents with paths of all kinds: common and rare, with few and many values, lists, objects, opaque values.
 */
Documents random_documents(size_t count, Random* random);

/** A batch in memory: the packed bytes, and what they decode to. */
struct Batch {
  explicit Batch(const Documents& documents) : bytes(pack(documents)) {
    CHECK_OK(PackedMetadata::decode(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &packed));
  }

  std::string bytes;
  PackedMetadata packed;
};
void build_columns_of(const Documents& documents, MemoryBlock* file);

std::vector<uint8_t> content_of(const MemoryBlock& file);
ColumnsView columns_of(const MemoryBlock& file);

/** A program of one condition on one path. */
class ConditionProgram {
 public:
  ConditionProgram& values(const std::string& path, bool concerns_strings) {
    code_.push_back(static_cast<char>(FilterOperation::values));
    put_string(path, &code_);
    code_.push_back(concerns_strings ? 1 : 0);
    ++instructions_;
    return *this;
  }
  ConditionProgram& single(ValueOperation operation, const std::string& operands = {}) {
    put_varint(1, &code_);
    code_.push_back(static_cast<char>(operation));
    code_ += operands;
    return *this;
  }
  ConditionProgram& operation(FilterOperation operation) {
    code_.push_back(static_cast<char>(operation));
    ++instructions_;
    return *this;
  }
  std::string bytes() const {
    std::string bytes(1, static_cast<char>(kFilterVersion));
    put_varint(instructions_, &bytes);
    return bytes + code_;
  }

 private:
  std::string code_;
  uint32_t instructions_ = 0;
};
std::string compare_number(Comparison comparison, double operand);
std::string compare_string(Comparison comparison, const std::string& operand);

}  // namespace semantic_index_test

#endif  // SEMANTIC_INDEX_TEST_SUPPORT_METADATA_H_
