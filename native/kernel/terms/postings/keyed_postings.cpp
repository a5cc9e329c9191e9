#include "terms/postings/keyed_postings.h"

#include <algorithm>
#include <limits>

namespace semantic_index {

namespace {

/** More than what a sum of weights loses by rounding. */
constexpr double kMargin = 1.0 + 1e-9;
/** Documents between two looks at whether the work was cancelled. */
constexpr size_t kDocumentsPerLook = 4096;
constexpr double kEnd = std::numeric_limits<double>::infinity();

/** A place in the postings of a term, which moves on only. */
class Cursor {
 public:
  explicit Cursor(const KeyedPostings& postings) : postings_(&postings) {}

  /** The key of the posting; infinite behind the last one. */
  double key() const { return at_ < postings_->count ? postings_->keys[at_] : kEnd; }

  void next() { ++at_; }

  /** Moves to the first posting whose key is not below this one, by steps of twice the size and a binary search. */
  void seek(double key) {
    if (!(this->key() < key)) return;
    size_t step = 1;
    size_t low = at_;
    while (low + step < postings_->count && postings_->keys[low + step] < key) {
      low += step;
      step *= 2;
    }
    const double* const keys = postings_->keys;
    const size_t end = std::min(postings_->count, low + step);
    at_ = static_cast<size_t>(std::lower_bound(keys + low + 1, keys + end, key) - keys);
  }

  double score(const Bm25& bm25) const {
    return bm25.score(postings_->weight, postings_->frequencies[at_], postings_->lengths[at_]);
  }

 private:
  const KeyedPostings* postings_;
  size_t at_ = 0;
};

bool is_better(const KeyedScore& left, const KeyedScore& right) {
  return left.score != right.score ? left.score > right.score : left.key < right.key;
}

/** Ascending keys of documents that are left out, asked for in ascending order. */
class LeftOut {
 public:
  explicit LeftOut(const std::vector<double>& keys) : keys_(keys) {}

  bool has(double key) {
    while (at_ < keys_.size() && keys_[at_] < key) ++at_;
    return at_ < keys_.size() && keys_[at_] == key;
  }

 private:
  const std::vector<double>& keys_;
  size_t at_ = 0;
};

/** The documents with the highest scores. Those that are offered later have higher keys: they lose ties. */
class Best {
 public:
  explicit Best(size_t limit) : limit_(limit) {}

  /** Below every score until there are enough. */
  double threshold() const { return hits_.size() < limit_ ? 0 : hits_.front().score; }

  void offer(const KeyedScore& hit) {
    if (!(hit.score > threshold())) return;
    if (hits_.size() == limit_) {
      std::pop_heap(hits_.begin(), hits_.end(), is_better);
      hits_.back() = hit;
    } else {
      hits_.push_back(hit);
    }
    std::push_heap(hits_.begin(), hits_.end(), is_better);
  }

  std::vector<KeyedScore> take() {
    std::sort_heap(hits_.begin(), hits_.end(), is_better);
    return std::move(hits_);
  }

 private:
  size_t limit_;
  std::vector<KeyedScore> hits_;
};

/** The least key of some cursors. */
double least_key(const std::vector<Cursor>& cursors, size_t first) {
  double least = kEnd;
  for (size_t term = first; term < cursors.size(); ++term) least = std::min(least, cursors[term].key());
  return least;
}

/** The score of a document by the terms from `first` on, whose cursors move behind it. */
double score_and_pass(std::vector<Cursor>* cursors, size_t first, double key, const Bm25& bm25) {
  double score = 0;
  for (size_t term = first; term < cursors->size(); ++term) {
    Cursor& cursor = (*cursors)[term];
    if (cursor.key() != key) continue;
    score += cursor.score(bm25);
    cursor.next();
  }
  return score;
}

bool is_cancelled(const std::atomic<bool>* cancelled, size_t documents) {
  return documents % kDocumentsPerLook == 0 && cancelled != nullptr && cancelled->load(std::memory_order_relaxed);
}

}  // namespace

std::vector<KeyedScore> best_by_terms(std::vector<KeyedPostings> terms, const Bm25& bm25, size_t limit,
                                      const std::vector<double>& without, const std::atomic<bool>* cancelled) {
  if (limit == 0) return {};
  std::sort(terms.begin(), terms.end(),
            [](const KeyedPostings& left, const KeyedPostings& right) { return left.weight < right.weight; });
  // What the terms up to each one add together at most: a term adds less than its weight, or one quantum.
  std::vector<double> bounds;
  double sum = 0;
  for (const KeyedPostings& term : terms) bounds.push_back(sum += std::max(term.weight, bm25.quantum()));
  std::vector<Cursor> cursors(terms.begin(), terms.end());
  Best best(limit);
  LeftOut left_out(without);
  // Documents that have only the terms before this one are not among the hits.
  size_t essential = 0;
  for (size_t documents = 1; !is_cancelled(cancelled, documents); ++documents) {
    const double key = least_key(cursors, essential);
    if (key == kEnd) break;
    double score = score_and_pass(&cursors, essential, key, bm25);
    if (left_out.has(key)) continue;
    size_t term = essential;
    for (; term > 0 && !((score + bounds[term - 1]) * kMargin < best.threshold()); --term) {
      Cursor& cursor = cursors[term - 1];
      cursor.seek(key);
      if (cursor.key() == key) score += cursor.score(bm25);
    }
    if (term > 0) continue;
    best.offer({key, score});
    while (essential < terms.size() && bounds[essential] * kMargin < best.threshold()) ++essential;
  }
  return best.take();
}

std::vector<KeyedScore> all_by_terms(const std::vector<KeyedPostings>& terms, const Bm25& bm25,
                                     const std::vector<double>& without, const std::atomic<bool>* cancelled) {
  std::vector<Cursor> cursors(terms.begin(), terms.end());
  LeftOut left_out(without);
  std::vector<KeyedScore> hits;
  for (size_t documents = 1; !is_cancelled(cancelled, documents); ++documents) {
    const double key = least_key(cursors, 0);
    if (key == kEnd) break;
    const double score = score_and_pass(&cursors, 0, key, bm25);
    if (!left_out.has(key)) hits.push_back({key, score});
  }
  return hits;
}

void scores_of_keys(const std::vector<KeyedPostings>& terms, const Bm25& bm25, const double* keys, size_t count,
                    double* scores) {
  std::fill(scores, scores + count, 0.0);
  for (const KeyedPostings& term : terms) {
    for (size_t document = 0; document < count; ++document) {
      const double* const end = term.keys + term.count;
      const double* const found = std::lower_bound(term.keys, end, keys[document]);
      if (found == end || *found != keys[document]) continue;
      const size_t place = static_cast<size_t>(found - term.keys);
      scores[document] += bm25.score(term.weight, term.frequencies[place], term.lengths[place]);
    }
  }
}

}  // namespace semantic_index
