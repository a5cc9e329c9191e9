#include "segment/exact_search.h"

#include <algorithm>

#include "base/parallel_blocks.h"

namespace semantic_index {

namespace {

/** Queries per pass: each row is read from memory once for all of them. */
constexpr int64_t kQueriesPerBlock = 16;
/** Scanning fewer bytes than this takes less time than starting a thread. */
constexpr int64_t kSmallestPart = 2 << 20;

}  // namespace

Status run_exact_search(const ExactSearch& search) {
  const int64_t blocks = (search.count + kQueriesPerBlock - 1) / kQueriesPerBlock;
  if (blocks == 0) return Status::success();
  const int64_t wanted = (std::max(search.threads, 1) + blocks - 1) / blocks;
  const int64_t parts = std::max<int64_t>(1, std::min(wanted, search.bytes / kSmallestPart));
  // Parts begin at a word boundary of the bitset of allowed items.
  const int64_t part_rows = ((search.rows + parts - 1) / parts + 31) / 32 * 32;
  const auto dimensions = static_cast<int64_t>(search.layout.dimensions);

  const auto scan_part = [&](int64_t block, int64_t part, ExactScan* scan) {
    const int64_t first = block * kQueriesPerBlock;
    const int64_t size = std::min(kQueriesPerBlock, search.count - first);
    Status status = scan->prepare(search.layout, search.queries + first * dimensions, size, search.k);
    const int64_t begin = std::min(part * part_rows, search.rows);
    const int64_t end = std::min(begin + part_rows, search.rows);
    if (status.ok() && begin < end) status = search.scan(scan, begin, end);
    return status;
  };
  const auto finish = [&](int64_t block, ExactScan* scan) {
    const int64_t first = block * kQueriesPerBlock;
    scan->finish(search.items + first * search.k, search.distances + first * search.k);
    if (search.progress) search.progress(std::min(kQueriesPerBlock, search.count - first));
  };

  ParallelWatch watch;
  if (parts == 1) {
    return run_blocks(search.threads, blocks, &watch, [&] {
      return [&](int64_t block) {
        ExactScan scan;
        const Status status = scan_part(block, 0, &scan);
        if (status.ok()) finish(block, &scan);
        return status;
      };
    });
  }
  std::vector<ExactScan> scans(static_cast<size_t>(blocks * parts));
  const Status status = run_blocks(search.threads, blocks * parts, &watch, [&] {
    return [&](int64_t index) { return scan_part(index / parts, index % parts, &scans[static_cast<size_t>(index)]); };
  });
  if (!status.ok()) return status;
  for (int64_t block = 0; block < blocks; block++) {
    ExactScan* scan = &scans[static_cast<size_t>(block * parts)];
    for (int64_t part = 1; part < parts; part++) scan->absorb(scan + part);
    finish(block, scan);
  }
  return Status::success();
}

}  // namespace semantic_index
