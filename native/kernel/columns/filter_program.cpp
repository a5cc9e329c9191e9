#include "columns/filter_program.h"

#include <algorithm>
#include <cmath>
#include <new>

#include "base/status.h"
#include "columns/byte_reader.h"

namespace semantic_index {

namespace {

template <typename Value>
void sort_distinct(std::vector<Value>* values) {
  std::sort(values->begin(), values->end());
  values->erase(std::unique(values->begin(), values->end()), values->end());
}

}  // namespace

class FilterDecoder {
 public:
  FilterDecoder(const uint8_t* bytes, size_t size, FilterProgram* program) : reader_(bytes, size), program_(*program) {}

  Status run() {
    uint8_t version = 0;
    if (!reader_.byte(&version) || version != kFilterVersion) {
      return Status::failure(StatusCode::wrong_layout, "the filter program has another version");
    }
    uint32_t count = 0;
    if (!reader_.count(1, UINT32_MAX, &count)) return corrupt("the filter program ends early");
    if (count > kMaxFilterInstructions) {
      return Status::failure(StatusCode::invalid_argument, "expected a filter of fewer conditions");
    }
    uint32_t depth = 0;
    for (uint32_t index = 0; index < count; ++index) {
      const Status status = decode_instruction(&depth);
      if (!status.ok()) return status;
    }
    if (depth != 1 || !reader_.is_at_end()) return corrupt("the filter program does not have one result");
    return Status::success();
  }

 private:
  Status decode_instruction(uint32_t* depth) {
    FilterInstruction instruction;
    uint8_t operation = 0;
    if (!reader_.byte(&operation) || operation > static_cast<uint8_t>(FilterOperation::opaque)) {
      return corrupt("the filter program has an unknown instruction");
    }
    instruction.operation = static_cast<FilterOperation>(operation);
    uint32_t taken = 0;
    switch (instruction.operation) {
      case FilterOperation::both:
      case FilterOperation::either:
        taken = 2;
        break;
      case FilterOperation::negate:
      case FilterOperation::doubt:
        taken = 1;
        break;
      default:
        break;
    }
    if (*depth < taken) return corrupt("the filter program lacks an operand");
    *depth += 1 - taken;
    if (*depth > kMaxFilterDepth) {
      return Status::failure(StatusCode::invalid_argument, "expected a filter of fewer levels");
    }
    program_.depth_ = std::max(program_.depth_, *depth);
    if (instruction.operation >= FilterOperation::values) {
      if (!reader_.bytes(SIZE_MAX >> 1, &instruction.path)) return corrupt("a path of the filter program is damaged");
    }
    if (instruction.operation == FilterOperation::values) {
      const Status status = decode_values(&instruction);
      if (!status.ok()) return status;
    }
    program_.instructions_.push_back(std::move(instruction));
    return Status::success();
  }

  Status decode_values(FilterInstruction* instruction) {
    uint8_t concerns_strings = 0;
    uint32_t count = 0;
    if (!reader_.byte(&concerns_strings) || concerns_strings > 1 || !reader_.count(1, UINT32_MAX, &count)) {
      return corrupt("a condition of the filter program is damaged");
    }
    instruction->concerns_strings = concerns_strings == 1;
    uint32_t depth = 0;
    for (uint32_t index = 0; index < count; ++index) {
      // Each may be large in memory, so their number is bounded apart from the bytes.
      if (++value_instructions_ > kMaxFilterInstructions) {
        return Status::failure(StatusCode::invalid_argument, "expected a filter of fewer conditions");
      }
      ValueInstruction value;
      if (!decode_value(&value)) return corrupt("a condition of the filter program is damaged");
      const uint32_t taken = value.operation >= ValueOperation::both     ? 2
                             : value.operation == ValueOperation::negate ? 1
                                                                         : 0;
      if (depth < taken) return corrupt("a condition of the filter program lacks an operand");
      depth += 1 - taken;
      if (depth > kMaxValueDepth) {
        return Status::failure(StatusCode::invalid_argument, "expected a filter of fewer levels");
      }
      instruction->values.push_back(std::move(value));
    }
    return depth == 1 ? Status::success() : corrupt("a condition of the filter program does not have one result");
  }

  bool decode_value(ValueInstruction* value) {
    uint8_t operation = 0;
    if (!reader_.byte(&operation) || operation > static_cast<uint8_t>(ValueOperation::either)) return false;
    value->operation = static_cast<ValueOperation>(operation);
    uint8_t small = 0;
    uint64_t size = 0;
    switch (value->operation) {
      case ValueOperation::kind:
        if (!reader_.byte(&small) || small >= kValueKinds) return false;
        value->kind = static_cast<ValueKind>(small);
        return true;
      case ValueOperation::number:
        return decode_comparison(value) && reader_.number(&value->number) && std::isfinite(value->number);
      case ValueOperation::string:
        return decode_comparison(value) && reader_.bytes(SIZE_MAX >> 1, &value->string);
      case ValueOperation::part:
        return reader_.bytes(SIZE_MAX >> 1, &value->string);
      case ValueOperation::numbers:
        return decode_numbers(&value->numbers);
      case ValueOperation::strings:
        return decode_strings(&value->strings);
      case ValueOperation::list_size:
      case ValueOperation::longer_lists:
        // Larger ones are equal to any above the limit.
        if (!reader_.varint(UINT64_MAX >> 1, &size)) return false;
        value->size = static_cast<uint32_t>(std::min<uint64_t>(size, kMaxListElements + 1));
        return true;
      default:
        return true;
    }
  }

  bool decode_comparison(ValueInstruction* value) {
    uint8_t comparison = 0;
    if (!reader_.byte(&comparison) || comparison > static_cast<uint8_t>(Comparison::at_least)) return false;
    value->comparison = static_cast<Comparison>(comparison);
    return true;
  }

  bool decode_numbers(std::vector<double>* numbers) {
    uint32_t count = 0;
    if (!reader_.count(sizeof(double), UINT32_MAX, &count)) return false;
    numbers->resize(count);
    for (double& number : *numbers) {
      if (!reader_.number(&number) || !std::isfinite(number)) return false;
    }
    sort_distinct(numbers);
    return true;
  }

  bool decode_strings(std::vector<std::string_view>* strings) {
    uint32_t count = 0;
    if (!reader_.count(1, UINT32_MAX, &count)) return false;
    strings->resize(count);
    for (std::string_view& string : *strings) {
      if (!reader_.bytes(SIZE_MAX >> 1, &string)) return false;
    }
    sort_distinct(strings);
    return true;
  }

  ByteReader reader_;
  FilterProgram& program_;
  uint32_t value_instructions_ = 0;
};

Status FilterProgram::decode(const uint8_t* bytes, size_t size, FilterProgram* program) try {
  if (size > kMaxFilterBytes) {
    return Status::failure(StatusCode::invalid_argument, "expected a filter with fewer or shorter values");
  }
  FilterProgram result;
  const Status status = FilterDecoder(bytes, size, &result).run();
  if (status.ok()) *program = std::move(result);
  return status;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
