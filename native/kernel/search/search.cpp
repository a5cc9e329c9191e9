#include "search/search.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <new>

#include "base/parallel_blocks.h"
#include "search/block_search.h"
#include "search/item_sets.h"

namespace semantic_index {

namespace {

/** Queries that are answered together: each row of an exact search is read once for all of them. */
constexpr int64_t kBlock = 16;

/** The items of each part that may be found: those that exist, less those that the filter leaves out. */
void intersect_allowed(const SearchSnapshot& snapshot, const SearchRequest& request, PartFilters* filters,
                       std::vector<PartReport>* reports) {
  for (size_t number = 0; number < snapshot.size(); ++number) {
    PartFilter& filter = (*filters)[number];
    filter.allowed = snapshot.alive(number);
    filter.candidates = snapshot.living(number);
    if (request.allowed != nullptr && request.allowed[number].bits != nullptr) {
      const int64_t items = snapshot.part(number).keys.size();
      filter.candidates = intersect(filter.allowed, request.allowed[number], items, &filter.words);
      filter.allowed.bits = filter.words.data();
      filter.allowed.words = static_cast<int64_t>(filter.words.size());
    }
    (*reports)[number].allowed = filter.candidates;
  }
}

}  // namespace

Status search_snapshot(const SearchSnapshot& snapshot, const SearchRequest& request, SearchResult* result) try {
  *result = SearchResult();
  if (request.k < 1) return Status::failure(StatusCode::invalid_argument, "k must be at least 1");
  result->parts.resize(snapshot.size());
  result->counts.assign(static_cast<size_t>(request.count), 0);
  result->max_scores.assign(static_cast<size_t>(request.count), 0);
  result->missing_terms.assign(static_cast<size_t>(request.count), 0);
  result->evidence.assign(static_cast<size_t>(request.count), 1);
  result->similarity_scales.assign(static_cast<size_t>(request.count), 1);
  result->complete.assign(static_cast<size_t>(request.count), 1);
  PartFilters filters(snapshot.size());
  intersect_allowed(snapshot, request, &filters, &result->parts);

  const int64_t blocks = (request.count + kBlock - 1) / kBlock;
  std::vector<SearchResult> found(static_cast<size_t>(blocks));
  const int threads = static_cast<int>(std::min<int64_t>(std::max(request.threads, 1), blocks));
  std::mutex mutex;
  ParallelWatch watch;
  watch.cancel = request.cancel;
  const Status status = run_blocks(threads, blocks, &watch, [&] {
    auto scratch = std::make_shared<ScratchLease>();
    return [&, scratch](int64_t number) {
      const int64_t first = number * kBlock;
      BlockSearch block(snapshot, request, filters, blocks == 1, scratch->get());
      SearchResult& own = found[static_cast<size_t>(number)];
      const Status searched = block.run(first, std::min(kBlock, request.count - first), &own);
      const std::lock_guard<std::mutex> lock(mutex);
      for (size_t part = 0; part < own.parts.size(); ++part) {
        PartReport& report = result->parts[part];
        report.searched = report.searched || own.parts[part].searched;
        report.exact = report.exact || own.parts[part].exact;
        report.milliseconds += own.parts[part].milliseconds;
      }
      if (own.failed_part >= 0 && result->failed_part < 0) {
        result->failed_part = own.failed_part;
        result->failed_side = own.failed_side;
      }
      return searched;
    };
  });
  // After the last byte was read.
  for (size_t part = 0; part < snapshot.size(); ++part) result->parts[part].changed = snapshot.part(part).has_changed();
  if (!status.ok()) return status;
  for (int64_t number = 0; number < blocks; ++number) {
    const SearchResult& own = found[static_cast<size_t>(number)];
    std::copy(own.counts.begin(), own.counts.end(), result->counts.begin() + number * kBlock);
    std::copy(own.max_scores.begin(), own.max_scores.end(), result->max_scores.begin() + number * kBlock);
    std::copy(own.missing_terms.begin(), own.missing_terms.end(), result->missing_terms.begin() + number * kBlock);
    std::copy(own.evidence.begin(), own.evidence.end(), result->evidence.begin() + number * kBlock);
    std::copy(own.similarity_scales.begin(), own.similarity_scales.end(),
              result->similarity_scales.begin() + number * kBlock);
    std::copy(own.complete.begin(), own.complete.end(), result->complete.begin() + number * kBlock);
    result->hits.insert(result->hits.end(), own.hits.begin(), own.hits.end());
  }
  return status;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
