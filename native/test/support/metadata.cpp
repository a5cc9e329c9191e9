#include "support/metadata.h"

#include <cstring>

namespace semantic_index_test {

bool operator<(const Value& left, const Value& right) {
  if (left.kind != right.kind) return left.kind < right.kind;
  if (left.kind == ValueKind::list) return left.elements.size() < right.elements.size();
  return left.kind == ValueKind::string ? left.string < right.string : left.number < right.number;
}

void put_varint(uint64_t value, std::string* bytes) {
  for (; value >= 0x80; value >>= 7) bytes->push_back(static_cast<char>(value | 0x80));
  bytes->push_back(static_cast<char>(value));
}

void put_number(double number, std::string* bytes) {
  char raw[sizeof number];
  std::memcpy(raw, &number, sizeof number);
  bytes->append(raw, sizeof raw);
}

void put_string(const std::string& string, std::string* bytes) {
  put_varint(string.size(), bytes);
  bytes->append(string);
}

std::string path_of(std::initializer_list<const char*> steps) {
  std::string path;
  for (const char* const step : steps) put_string(step, &path);
  return path;
}

std::string pack(const Documents& documents) {
  std::string bytes(1, static_cast<char>(kPackedMetadataVersion));
  put_varint(documents.size(), &bytes);
  for (size_t index = 0; index < documents.size(); ++index) put_varint(index == 0 ? 0 : 3, &bytes);
  std::map<std::string, bool> paths;
  for (const bool is_first : {true, false}) {
    std::vector<size_t> set;
    for (size_t index = 0; index < documents.size(); ++index) {
      if (is_first ? documents[index].is_opaque : documents[index].is_incomplete) set.push_back(index);
    }
    put_varint(set.size(), &bytes);
    for (size_t index = 0; index < set.size(); ++index)
      put_varint(set[index] - (index == 0 ? 0 : set[index - 1]), &bytes);
  }
  for (const Metadata& document : documents) {
    for (const auto& [path, value] : document.values) paths[path] = true;
  }
  put_varint(paths.size(), &bytes);
  for (auto path = paths.rbegin(); path != paths.rend(); ++path) {
    std::map<Value, size_t> ids;
    std::string dictionary;
    std::string rows;
    size_t count = 0;
    size_t previous = 0;
    const auto id_of = [&ids, &dictionary](const Value& value) {
      const auto known = ids.find(value);
      if (known != ids.end()) return known->second;
      dictionary.push_back(static_cast<char>(value.kind));
      if (value.kind == ValueKind::number) put_number(value.number, &dictionary);
      if (value.kind == ValueKind::string) put_string(value.string, &dictionary);
      if (value.kind == ValueKind::list) put_varint(value.elements.size(), &dictionary);
      const size_t id = ids.size();
      ids[value] = id;
      return id;
    };
    for (size_t index = 0; index < documents.size(); ++index) {
      const auto found = documents[index].values.find(path->first);
      if (found == documents[index].values.end()) continue;
      const size_t gap = index - previous;
      previous = index;
      ++count;
      const Value& value = found->second;
      if (value.kind != ValueKind::list) {
        put_varint(2 * gap, &rows);
        put_varint(id_of(value), &rows);
        continue;
      }
      std::map<size_t, bool> elements;
      for (const Value& element : value.elements) elements[id_of(element)] = true;
      put_varint(2 * gap + 1, &rows);
      put_varint(elements.size() + 1, &rows);
      put_varint(id_of(value), &rows);
      for (const auto& [id, unused] : elements) put_varint(id, &rows);
    }
    put_string(path->first, &bytes);
    put_varint(ids.size(), &bytes);
    bytes += dictionary;
    put_varint(count, &bytes);
    bytes += rows;
  }
  return bytes;
}

Documents random_documents(size_t count, Random* random) {
  Documents documents(count);
  for (Metadata& document : documents) {
    if (random->below(60) == 0) {
      document.is_opaque = true;
      continue;
    }
    auto& values = document.values;
    values[path_of({"lang"})] = Value::of(std::string(1, static_cast<char>('a' + random->below(4))));
    if (random->below(10) != 0) values[path_of({"year"})] = Value::of(1990.0 + random->below(30));
    if (random->below(3) != 0) values[path_of({"id"})] = Value::of("doc-" + std::to_string(random->below(100000)));
    if (random->below(4) == 0)
      values[path_of({"rare", "flag"})] = Value::of(random->flip() ? ValueKind::yes : ValueKind::no);
    if (random->below(2) == 0) {
      std::vector<Value> tags;
      for (uint32_t left = random->below(4); left > 0; --left) {
        const uint32_t choice = random->below(12);
        tags.push_back(choice == 0   ? Value::of(ValueKind::null)
                       : choice == 1 ? Value::of(0.5 * random->below(5))
                                     : Value::of("t" + std::to_string(random->below(8))));
      }
      values[path_of({"tags"})] = Value::list(std::move(tags));
    }
    constexpr ValueKind kOthers[] = {ValueKind::null, ValueKind::object, ValueKind::long_string, ValueKind::opaque};
    if (random->below(5) == 0) values[path_of({"mixed"})] = Value::of(kOthers[random->below(4)]);
    if (random->below(5) == 0) values[path_of({"mixed"})] = Value::of(-1e300 * (1 + random->below(3)));
    if (random->below(200) == 0) values[path_of({"seldom"})] = Value::of(ValueKind::yes);
    document.is_incomplete = random->below(50) == 0;
  }
  return documents;
}

void build_columns_of(const Documents& documents, MemoryBlock* file) {
  const Batch batch(documents);
  CHECK_OK(build_columns(batch.packed, file));
}

std::vector<uint8_t> content_of(const MemoryBlock& file) { return {file.data(), file.data() + file.size()}; }

ColumnsView columns_of(const MemoryBlock& file) {
  ColumnsView view;
  CHECK_OK(ColumnsView::open(file.data(), static_cast<int64_t>(file.size()), &view));
  return view;
}

std::string compare_number(Comparison comparison, double operand) {
  std::string bytes(1, static_cast<char>(comparison));
  put_number(operand, &bytes);
  return bytes;
}

std::string compare_string(Comparison comparison, const std::string& operand) {
  std::string bytes(1, static_cast<char>(comparison));
  put_string(operand, &bytes);
  return bytes;
}

}  // namespace semantic_index_test
