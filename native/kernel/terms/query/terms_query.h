#ifndef SEMANTIC_INDEX_KERNEL_TERMS_QUERY_TERMS_QUERY_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_QUERY_TERMS_QUERY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "factors/item_factors.h"
#include "terms/packed_terms.h"
#include "terms/query/terms_snapshot.h"

namespace semantic_index {

/** Made in its place, see `PartSearch::Candidate`. */
struct TermsHit {
  TermsHit(double own_score, int32_t own_part, int32_t own_item, double own_unboosted = 0)
      : score(own_score), part(own_part), item(own_item), unboosted(own_unboosted) {}
  double score;
  int32_t part;
  int32_t item;
  /** Without the factor of the item; `score` where there are no factors. */
  double unboosted;
};

struct TermsSearchOptions {
  int64_t k = 10;
  /** For each part the items that may be found; nullptr allows all, and so do bits that are nullptr. */
  const ItemBits* allowed = nullptr;
  /** For each part the factors of the scores of its items; nullptr for none. Scores are multiplied before the k best
   * are known. */
  const ItemFactors* factors = nullptr;
  const std::atomic<bool>* cancel = nullptr;
};

/** What the weights of a query's terms depend on. */
struct TermsStatistics {
  double documents = 0;
  /** Sum of the lengths of all documents. */
  double length = 0;
  /**
   * For each term of the query the number of documents that have it. Terms that join one are one with it: its number is
   * that of documents with any of them, and theirs are not used.
   */
  std::vector<double> counts;
};

/** Search statistics, for benchmarks. */
struct TermsWork {
  /** Postings scored, blocks decoded of lists that only complete scores, and candidates that were completed. */
  int64_t scored = 0;
  int64_t completed_blocks = 0;
  int64_t candidates = 0;
};

/**
 * A query on a snapshot, and the working memory of queries, reused from one to the next. One thread at a time.
 *
 * A document matches when it has one of the terms; its score is the sum of the BM25 scores of the terms that it has,
 * each as often as the query has it. Number of documents, average length and document frequencies are those of the
 * living documents of the whole snapshot, or as given, so scores do not depend on how documents are spread over parts,
 * nor on whether deleted ones are still there. Results are exact: the same bits as from scoring every document.
 */
class TermsQuery {
 public:
  TermsQuery();
  ~TermsQuery();
  TermsQuery(const TermsQuery&) = delete;
  TermsQuery& operator=(const TermsQuery&) = delete;

  /**
   * Looks the terms up; `snapshot` must outlive the calls below, `terms` need not. A term that counts n times weighs n
   * times as much; one that comes repeatedly counts as often as all of these together. Terms that join one are one
   * term with it: documents with any of them have it, as often as all of these together. Forms of a term (see
   * `QueryTerm`) weigh as much as it, by the number of documents that have any of them; exact forms of words (see
   * exact_form.h) weigh a quarter, and are neither missing nor part of the best score where no document has them. Takes
   * time in proportion to the number of terms, of which any number may be given. With `statistics`, which must have a
   * number for each term, these decide the weights: where an index is spread over several snapshots, their sums give
   * the scores of one snapshot of all documents. corrupt, cancelled, file_changed, out_of_memory.
   */
  Status prepare(const TermsSnapshot& snapshot, const QueryTerm* terms, size_t count,
                 const std::atomic<bool>* cancel = nullptr, const TermsStatistics* statistics = nullptr);

  /** The statistics of the snapshot for the terms of the prepared query, in the form in which `prepare` takes them. */
  TermsStatistics statistics() const;

  /**
   * The score that a document with all terms would approach: the sum of their weights. A term that no document has
   * counts with the weight of the rarest, so that the share of a score in it says how much of the query was found.
   */
  double max_score() const;

  /** The sum of the squared weights of the terms that some document has. */
  double squared_weight() const;

  /** Terms that no living document has. */
  uint32_t missing_terms() const;

  /** The part whose bytes made the last call fail; -1 when none did. */
  int32_t failed_part() const;

  /** The k best matching documents, best first; equal scores by part, then item. corrupt, cancelled, ... */
  Status search(const TermsSearchOptions& options, std::vector<TermsHit>* hits, TermsWork* work = nullptr);

  /**
   * The scores of given items of one part, in any order: 0 for those that match no term. Deleted items have scores as
   * well. invalid_argument when an item does not exist.
   */
  Status score(size_t part, const uint32_t* items, size_t count, double* scores,
               const std::atomic<bool>* cancel = nullptr);

  /** The number of living, allowed documents that match. `k` is not used. */
  Status count(const TermsSearchOptions& options, int64_t* matches);

 private:
  struct Memory;
  std::unique_ptr<Memory> memory_;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_QUERY_TERMS_QUERY_H_
