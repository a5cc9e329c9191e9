#ifndef SEMANTIC_INDEX_KERNEL_SEGMENT_EXACT_SEARCH_H_
#define SEMANTIC_INDEX_KERNEL_SEGMENT_EXACT_SEARCH_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "exact/scan.h"

namespace semantic_index {

/** An exact search for many queries over rows that can be scanned in parts. */
struct ExactSearch {
  NodeLayout layout;
  const float* queries = nullptr;
  int64_t count = 0;
  int32_t k = 0;
  int64_t rows = 0;
  /** Bytes that are read for a query: for few, no other thread is started. */
  int64_t bytes = 0;
  int threads = 1;
  /** Scans the rows begin..end-1. Called from several threads at once. */
  std::function<Status(ExactScan* scan, int64_t begin, int64_t end)> scan;
  /** Called from any thread with the number of queries answered since the last call. */
  std::function<void(int64_t answered)> progress;
  int32_t* items = nullptr;
  float* distances = nullptr;
};

/**
 * Runs the search. Threads split the queries; when there are too few queries to keep all threads busy, they also split
 * the rows. The answer does not depend on the split.
 */
Status run_exact_search(const ExactSearch& search);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_SEGMENT_EXACT_SEARCH_H_
