#ifndef SEMANTIC_INDEX_BINDING_EXACT_SEARCH_H_
#define SEMANTIC_INDEX_BINDING_EXACT_SEARCH_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "exact/scan.h"

namespace semantic_index {

/** An exact search of many queries over rows that can be scanned in parts. */
struct ExactSearch {
  NodeLayout layout;
  const float* queries = nullptr;
  int64_t count = 0;
  int32_t k = 0;
  int64_t rows = 0;
  int threads = 1;
  /** Scans the rows begin..end-1. Called from several threads at once. */
  std::function<Status(ExactScan* scan, int64_t begin, int64_t end)> scan;
  /** Called with the number of queries that were answered since the last call, from any thread. */
  std::function<void(int64_t answered)> progress;
  int32_t* items = nullptr;
  float* distances = nullptr;
};

/**
 * Runs it. Threads share the queries; where there are fewer queries than keep them busy they share the rows, too. The
 * answer does not depend on how.
 */
Status run_exact_search(const ExactSearch& search);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_EXACT_SEARCH_H_
