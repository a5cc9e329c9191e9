#include "binding/search/boost_arguments.h"

#include "binding/base/addon_data.h"
#include "binding/search/level_orders.h"

namespace semantic_index {

namespace {

/** The elements of a typed array; nullptr for undefined. */
template <typename Element>
const Element* elements(const Napi::Value& value, napi_typedarray_type type, size_t* count) {
  *count = 0;
  if (value.IsUndefined()) return nullptr;
  const auto array = value.As<Napi::TypedArrayOf<Element>>();
  if (array.TypedArrayType() != type) throw make_error(value.Env(), "INTERNAL", "expected numbers of items");
  *count = array.ElementLength();
  return array.Data();
}

/** Reads [values, levels, limits]. */
void read_numbers(const Napi::Array& numbers, ItemFactor* factor) {
  size_t level_items = 0;
  size_t limits = 0;
  factor->values = elements<double>(numbers.Get(uint32_t{0}), napi_float64_array, &factor->count);
  factor->levels = elements<uint8_t>(numbers.Get(uint32_t{1}), napi_uint8_array, &level_items);
  factor->limits = elements<double>(numbers.Get(uint32_t{2}), napi_float64_array, &limits);
  factor->level_count = limits / 2;
  if (factor->levels != nullptr && level_items != factor->count) {
    throw make_error(numbers.Env(), "INTERNAL", "expected a level for each value");
  }
}

}  // namespace

BoostArguments::BoostArguments(const Napi::Value& value, const SearchSnapshot& snapshot, Work* work) {
  if (value.IsUndefined()) return;
  const size_t parts = snapshot.size();
  Napi::Env env = value.Env();
  const auto given = value.As<Napi::Array>();
  const auto boosts = given.Get(uint32_t{0}).As<Napi::Array>();
  const auto greatest = given.Get(uint32_t{1}).As<Napi::Float64Array>();
  if (greatest.TypedArrayType() != napi_float64_array || greatest.ElementLength() != parts) {
    throw make_error(env, "INTERNAL", "expected the greatest factor of each part");
  }
  factors_.resize(parts);
  for (size_t part = 0; part < parts; ++part) factors_[part].greatest = ItemFactors::bounded(greatest[part]);
  const uint32_t count = boosts.Length();
  sets_.reserve(count);
  for (uint32_t number = 0; number < count; ++number) {
    const auto boost = boosts.Get(number).As<Napi::Array>();
    ItemFactor factor;
    factor.kind = static_cast<FactorKind>(boost.Get(uint32_t{0}).As<Napi::Number>().Uint32Value());
    factor.scale = boost.Get(uint32_t{1}).As<Napi::Number>().DoubleValue();
    factor.operand = boost.Get(uint32_t{2}).As<Napi::Number>().DoubleValue();
    const auto of_parts = boost.Get(uint32_t{3}).As<Napi::Array>();
    if (of_parts.Length() != parts) throw make_error(env, "INTERNAL", "expected numbers or a set for each part");
    if (factor.kind == FactorKind::set) sets_.emplace_back(env, of_parts);
    for (uint32_t part = 0; part < parts; ++part) {
      ItemFactor own = factor;
      if (factor.kind == FactorKind::set) {
        own.items = {sets_.back().set(part).bits, sets_.back().set(part).words};
      } else {
        const Napi::Value numbers = of_parts.Get(part);
        if (!numbers.IsUndefined()) {
          read_numbers(numbers.As<Napi::Array>(), &own);
          work->keep(numbers.As<Napi::Object>());
          const GraphPointer& graph = snapshot.part(part).segment.graph;
          if (own.levels != nullptr && graph != nullptr) {
            const KeptLevelOrder* const kept = kept_level_order(numbers.As<Napi::Object>());
            if (kept->is_of(graph) && kept->order != nullptr) {
              orders_.push_back(kept->order);
              own.order = kept->order.get();
            }
          }
        }
      }
      factors_[part].factors.push_back(own);
    }
  }
}

}  // namespace semantic_index
