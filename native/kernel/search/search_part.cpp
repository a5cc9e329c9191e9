#include "search/search_part.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "annoy/item_distance.h"
#include "base/cancel.h"
#include "base/status.h"

namespace semantic_index {

namespace {

/** So few allowed items are compared whatever a walk would cost. */
constexpr int64_t kAlwaysCompared = 4096;

/**
 * Items that a graph search compares for 10 neighbors among 100,000: with paragraphs of Wikipedia and books under the
 * bundled model (384 dimensions, 10 trees) it finds 0.97 of the true neighbors of questions about them.
 */
constexpr double kGraphSearchK = 1536;
constexpr double kGraphItems = 100000;
/** Candidates of a walk over the trees alone: 0.95 among 50,000 of the same paragraphs; more trees find no more. */
constexpr double kTreeSearchK = 8000;
constexpr double kTreeItems = 50000;

/**
 * Allowed items that a scan of quantized rows rules out or compares in the time that a walk takes for each item that it
 * compares: the walk reads rows anywhere, and keeps a beam in order that is wide behind a filter. At 100,000 items with
 * a tenth of them allowed, a scan took two thirds of the time of a walk, and it is exact; with a fifth, as long.
 */
constexpr double kScannedPerWalked = 2;

/** Nearest items among which those with the highest products are looked for: at least, and for each that is needed. */
constexpr int32_t kBoostedDepth = 100;
constexpr int32_t kBoostedShare = 4;

int32_t boosted_depth(const PartVectorSearch& search) {
  return std::max(kBoostedDepth, kBoostedShare * std::min(search.needed, INT32_MAX / kBoostedShare));
}

bool uses_graph(const Segment& segment) {
  return segment.graph != nullptr && !segment.graph->state.is_damaged.load() && !segment.graph->state.is_foreign.load();
}

/** Larger for more neighbors and for more items. */
int64_t search_k_of(const Segment& segment, const PartVectorSearch& search, int64_t items) {
  if (search.search_k > 0) return search.search_k;
  const bool graph = uses_graph(segment);
  const double base = graph ? kGraphSearchK : kTreeSearchK;
  const double size = graph ? kGraphItems : kTreeItems;
  const double more_neighbors = std::sqrt(std::max(search.needed, 10) / 10.0);
  const double more_items = std::sqrt(std::max(1.0, static_cast<double>(items) / size));
  const double effort = graph ? search.effort : 1;
  return static_cast<int64_t>(std::ceil(effort * base * more_neighbors * more_items));
}

Status compare_all(const SearchPart& part, const PartVectorSearch& search, PartNeighbors* found) {
  BatchSearch batch;
  batch.queries = search.queries;
  batch.count = search.count;
  batch.options.k = found->k;
  batch.options.allowed = search.allowed;
  batch.candidates = search.candidates;
  batch.exact = true;
  batch.threads = search.threads;
  batch.cancel = search.cancel;
  batch.items = found->items.data();
  batch.distances = found->distances.data();
  found->exact = true;
  if (part.has_rows) return search_rows(part.rows, part.rows.layout(), part.keys.size(), batch);
  return search_batch(part.segment, batch);
}

/** Walks graph or trees; `*all` is false when a query found fewer than k. */
Status walk(const SearchPart& part, const PartVectorSearch& search, SegmentScratch* scratch, PartNeighbors* found,
            bool* all) {
  const Segment& segment = part.segment;
  const int64_t items = part.keys.size();
  const double share = static_cast<double>(search.candidates) / static_cast<double>(items);
  SearchOptions options;
  options.k = found->k;
  options.allowed = search.allowed;
  options.search_k = search_k_of(segment, search, items);
  options.factors = search.factors;
  // The other candidates of a fused query rank behind those that terms bring up.
  const int32_t ranked = search.needed + std::min(search.needed / 2, INT32_MAX - search.needed);
  options.best = std::min({search.k, found->k, ranked});
  const int32_t least = search.factors == nullptr ? found->k : options.best;
  // A graph search widens its beam by itself where a filter lets little through.
  if (!uses_graph(segment)) {
    const auto widened = static_cast<int64_t>(std::ceil(static_cast<double>(options.search_k) / share));
    options.search_k = std::min(items * std::max(segment.forest->view.trees(), 1), widened);
  }
  *all = true;
  const auto dimensions = static_cast<int64_t>(segment.forest->view.layout().dimensions);
  for (int64_t query = 0; query < search.count && *all; ++query) {
    if (is_raised(search.cancel)) {
      return cancelled();
    }
    const int64_t place = query * found->k;
    int32_t count = 0;
    const Status status = segment.search(search.queries + query * dimensions, options, scratch,
                                         found->items.data() + place, found->distances.data() + place, &count);
    if (!status.ok()) return status;
    *all = count >= least;
  }
  return Status::success();
}

}  // namespace

Status SearchPart::check(const NodeLayout& layout) const {
  if (keys.size() > kMaxNodes || !keys.ascends()) return invalid("the keys of a part do not ascend");
  if (segment.forest != nullptr && has_rows) return invalid("a part has two sources of vectors");
  if (terms_file != nullptr && terms_tail != nullptr) return invalid("a part has two sources of terms");
  if (segment.forest != nullptr && segment.forest->view.items() != keys.size()) {
    return invalid("a part has other keys than vectors");
  }
  if (has_rows && rows.rows() < keys.size()) return invalid("a part has more keys than rows");
  if (terms_file != nullptr && terms_file->view.items() != keys.size()) {
    return invalid("a part has other keys than terms");
  }
  if (terms_tail != nullptr && terms_tail->items() < keys.size()) return invalid("a part has more keys than terms");
  if (!has_vectors()) return Status::success();
  const NodeLayout& own = has_rows ? rows.layout() : segment.forest->view.layout();
  if (own.metric != layout.metric || own.dimensions != layout.dimensions) {
    return invalid("the vectors of a part have another metric or other dimensions");
  }
  return Status::success();
}

TermsPart SearchPart::terms() const {
  if (terms_file != nullptr) return TermsPart::of(terms_file->view);
  TermsPart part = TermsPart::of(*terms_tail);
  part.items = items();
  return part;
}

float SearchPart::distance(const NodeLayout& layout, const Query& query, int32_t item) const {
  const DistanceTable& table = distances();
  if (has_rows) {
    float norm = 0;
    const uint8_t* const row = rows.row(item, &norm);
    return public_distance(layout.metric, query.distance(table, row, norm));
  }
  const ForestView& view = segment.forest->view;
  if (!view.has_item(item)) return std::numeric_limits<float>::quiet_NaN();
  return public_distance(layout.metric, item_distance(query, table, view.layout(), view.node(item)));
}

bool SearchPart::has_changed() const {
  const auto changed = [](const std::unique_ptr<MappedFile>& file) { return file != nullptr && file->has_changed(); };
  if (has_rows && rows.has_changed()) return true;
  if (segment.forest != nullptr && changed(segment.forest->file)) return true;
  if (segment.graph != nullptr && changed(segment.graph->file)) return true;
  return terms_file != nullptr && changed(terms_file->file);
}

Status search_part_vectors(const SearchPart& part, const PartVectorSearch& search, SegmentScratch* scratch,
                           PartNeighbors* found) {
  const int32_t wide = search.factors == nullptr || search.exact ? search.k : std::max(search.k, boosted_depth(search));
  found->k = static_cast<int32_t>(std::min<int64_t>(wide, search.candidates));
  found->exact = false;
  const auto results = static_cast<size_t>(search.count) * static_cast<size_t>(found->k);
  found->items.assign(results, -1);
  found->distances.assign(results, std::nanf(""));
  if (found->k == 0) return Status::success();
  const int64_t items = part.keys.size();
  bool compares = search.exact || part.has_rows || search.candidates <= kAlwaysCompared;
  if (!compares) {
    // The few allowed items are far apart in a forest: a walk that finds them looks at more than all of these.
    const double share = static_cast<double>(search.candidates) / static_cast<double>(items);
    const auto wanted = static_cast<double>(search_k_of(part.segment, search, items));
    const double scanned = uses_graph(part.segment) ? kScannedPerWalked : 1;
    compares = std::ceil(scanned * wanted / share) >= static_cast<double>(search.candidates);
  }
  if (!compares) {
    bool all = false;
    const Status status = walk(part, search, scratch, found, &all);
    if (!status.ok() || all) return status;
  }
  return compare_all(part, search, found);
}

}  // namespace semantic_index
