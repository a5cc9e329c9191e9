#include "binding/search/boost_arguments.h"

#include "binding/base/addon_data.h"

namespace semantic_index {

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
    sets_.emplace_back(env, boost.Get("sets"));
    const BitsetCopies& sets = sets_.back();
    if (values.Length() != parts || sets.size() != parts) {
      throw make_error(env, "INTERNAL", "expected values and a set for each part");
    }
    for (uint32_t part = 0; part < parts; ++part) {
      const Napi::Value own = values.Get(part);
      factor.values = nullptr;
      factor.count = 0;
      if (!own.IsUndefined()) {
        const auto array = own.As<Napi::Float64Array>();
        if (array.TypedArrayType() != napi_float64_array)
          throw make_error(env, "INTERNAL", "expected numbers of items");
        work->keep(array);
        factor.values = array.Data();
        factor.count = array.ElementLength();
      }
      factor.items = {sets.set(part).bits, sets.set(part).words};
      factors_[part].factors.push_back(factor);
    }
  }
}

}  // namespace semantic_index
