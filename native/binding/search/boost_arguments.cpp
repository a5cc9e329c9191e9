#include "binding/search/boost_arguments.h"

#include "binding/base/addon_data.h"

namespace semantic_index {

namespace {

/** The elements of a typed array, which `work` keeps alive; nullptr for undefined. */
template <typename Element>
const Element* elements(const Napi::Value& value, napi_typedarray_type type, Work* work, size_t* count) {
  *count = 0;
  if (value.IsUndefined()) return nullptr;
  const auto array = value.As<Napi::TypedArrayOf<Element>>();
  if (array.TypedArrayType() != type) throw make_error(value.Env(), "INTERNAL", "expected numbers of items");
  work->keep(array);
  *count = array.ElementLength();
  return array.Data();
}

}  // namespace

BoostArguments::BoostArguments(const Napi::Value& value, size_t parts, Work* work) {
  if (value.IsUndefined()) return;
  Napi::Env env = value.Env();
  const auto given = value.As<Napi::Object>();
  const auto boosts = given.Get("boosts").As<Napi::Array>();
  const auto greatest = given.Get("greatest").As<Napi::Float64Array>();
  if (greatest.TypedArrayType() != napi_float64_array || greatest.ElementLength() != parts) {
    throw make_error(env, "INTERNAL", "expected the greatest factor of each part");
  }
  factors_.resize(parts);
  for (size_t part = 0; part < parts; ++part) factors_[part].greatest = ItemFactors::bounded(greatest[part]);
  for (uint32_t number = 0; number < boosts.Length(); ++number) {
    const auto boost = boosts.Get(number).As<Napi::Object>();
    ItemFactor factor;
    factor.kind = static_cast<FactorKind>(boost.Get("kind").As<Napi::Number>().Uint32Value());
    factor.scale = boost.Get("scale").As<Napi::Number>().DoubleValue();
    factor.operand = boost.Get("operand").As<Napi::Number>().DoubleValue();
    const auto values = boost.Get("values").As<Napi::Array>();
    const auto levels = boost.Get("levels").As<Napi::Array>();
    const auto limits = boost.Get("limits").As<Napi::Array>();
    sets_.emplace_back(env, boost.Get("sets"));
    const BitsetCopies& sets = sets_.back();
    if (values.Length() != parts || levels.Length() != parts || limits.Length() != parts || sets.size() != parts) {
      throw make_error(env, "INTERNAL", "expected values, levels, limits and a set for each part");
    }
    for (uint32_t part = 0; part < parts; ++part) {
      factor.values = elements<double>(values.Get(part), napi_float64_array, work, &factor.count);
      size_t level_items = 0;
      size_t numbers = 0;
      factor.levels = elements<uint8_t>(levels.Get(part), napi_uint8_array, work, &level_items);
      factor.limits = elements<double>(limits.Get(part), napi_float64_array, work, &numbers);
      factor.level_count = numbers / 2;
      if (factor.levels != nullptr && level_items != factor.count) {
        throw make_error(env, "INTERNAL", "expected a level for each value");
      }
      factor.items = {sets.set(part).bits, sets.set(part).words};
      factors_[part].factors.push_back(factor);
    }
  }
}

}  // namespace semantic_index
