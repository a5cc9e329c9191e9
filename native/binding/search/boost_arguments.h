#ifndef SEMANTIC_INDEX_BINDING_SEARCH_BOOST_ARGUMENTS_H_
#define SEMANTIC_INDEX_BINDING_SEARCH_BOOST_ARGUMENTS_H_

#include <napi.h>

#include <memory>
#include <vector>

#include "binding/base/bitsets.h"
#include "binding/base/work.h"
#include "factors/item_factors.h"
#include "graph/search/level_order.h"
#include "search/search_snapshot.h"

namespace semantic_index {

/** The factors of a search, for work on other threads: the numbers of items stay where they are. */
class BoostArguments {
 public:
  /** No factors. */
  BoostArguments() = default;
  /**
   * [[kind: number, scale: number, operand: number, parts][], greatest: Float64Array], or undefined. A part is
   * [values: Float64Array, levels: Uint8Array | undefined, limits: Float64Array | undefined] or undefined; for a set it
   * is Uint32Array or undefined. `work` keeps the numbers alive, which do not change any more.
   */
  BoostArguments(const Napi::Value& value, const SearchSnapshot& snapshot, Work* work);

  /** One element for each part; nullptr without factors. */
  const ItemFactors* factors() const { return factors_.empty() ? nullptr : factors_.data(); }

 private:
  std::vector<ItemFactors> factors_;
  std::vector<BitsetCopies> sets_;
  std::vector<std::shared_ptr<const LevelOrder>> orders_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_SEARCH_BOOST_ARGUMENTS_H_
