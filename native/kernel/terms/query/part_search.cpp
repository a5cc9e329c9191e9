#include "terms/query/part_search.h"

#include <algorithm>
#include <functional>

#include "base/bits.h"
#include "base/cancel.h"
#include "base/status.h"

namespace semantic_index {

namespace {

/** Items of a window: their scores fit the first cache. Sparse lists take wider ones. */
constexpr uint32_t kWindow = 1 << 12;
constexpr uint32_t kWidestWindow = 1 << 15;
/** Postings that a window should hold. */
constexpr uint32_t kWindowPostings = 1 << 11;
/** Longer queries are scored term by term over the whole part, with one cursor: for shorter ones windows take a fifth
 * of the time (measure_terms, questions of eleven words). */
constexpr size_t kMaxCursors = 64;
/** A look-up costs as much as scoring so many postings of a scan. */
constexpr uint64_t kLookUpCost = 48;
/** A list of more postings is not read to get a first threshold, nor for more hits than this. */
constexpr uint32_t kPrimePostings = 1 << 12;
constexpr size_t kPrimeHits = 64;
/** Items whose scores are cleared together. */
constexpr uint32_t kGroup = 16;

}  // namespace

void PartSearch::forget() {
  scores_.clear();
  touched_.clear();
  above_.clear();
}

void PartSearch::reserve(uint32_t window) {
  if (scores_.size() >= window) return;
  const uint32_t words = (window + 63) / 64;
  scores_.resize(size_t{words} * 64, 0.0);
  touched_.resize((words + kGroup - 1) / kGroup, 0);
  above_.resize(words, 0);
}

Status PartSearch::search(const PartQuery& query, TopHits* hits, TermsWork* work) {
  query_ = query;
  work_ = work;
  if (query.count == 0) return Status::success();
  if (query.allowed != nullptr) {
    uint64_t allowed = 0;
    for (uint32_t item = 0; item < query.items; item += 64) allowed += count_bits(query_.living_bits(item));
    if (allowed * query.count * kLookUpCost < query.total_postings()) {
      allowed_items_.clear();
      for (uint32_t item = 0; item < query.items; item += 64) {
        for (uint64_t word = query_.living_bits(item); word != 0; word &= word - 1) {
          if (item + lowest_bit(word) < query.items) allowed_items_.push_back(item + lowest_bit(word));
        }
      }
      return search_allowed(hits, allowed_items_);
    }
  }
  Status status;
  if (query.count > kMaxCursors) {
    status = search_whole(hits);
  } else {
    if (RangeSearch::suits(query, *hits)) {
      bool is_done = false;
      status = range_search_.search(query, hits, work, &is_done);
      if (is_done || !status.ok()) return status;
    }
    status = open_terms(query);
    levels_ = {};
    if (query.factors != nullptr) {
      factor_bounds_.prepare(*query.factors);
      levels_ = factor_bounds_.levels();
    }
    if (status.ok()) status = prime(hits);
    if (status.ok()) status = search_windows(hits);
  }
  if (!status.ok()) forget();
  return status;
}

Status PartSearch::open_terms(const PartQuery& query) {
  while (terms_.size() < query.count) terms_.emplace_back();
  order_.clear();
  for (size_t index = 0; index < query.count; ++index) {
    Term& term = terms_[index];
    if (!term.cursor.open(query.lists[index].list)) return damaged_list();
    term.weight = query.lists[index].weight;
    term.bound = term.cursor.list_bound(query.scorer, term.weight);
    term.position = 0;
    term.done = false;
    term.bound_block = PostingCursor::kNone;
    order_.push_back(&term);
  }
  std::stable_sort(order_.begin(), order_.end(),
                   [](const Term* left, const Term* right) { return left->bound < right->bound; });
  before_.assign(1, 0.0);
  for (const Term* term : order_) before_.push_back(before_.back() + term->bound);
  return Status::success();
}

/**
 * Scores the documents that are best by one rare term and their factors alone: the k-th of their scores is a threshold
 * to begin with, which spares the first windows from scoring nearly everything.
 */
Status PartSearch::prime(TopHits* hits) {
  const size_t k = hits->capacity();
  if (hits->is_full() || k > kPrimeHits) return Status::success();
  const auto rare = std::find_if(order_.rbegin(), order_.rend(), [k](const Term* term) {
    return term->cursor.list().count >= k && term->cursor.list().count <= kPrimePostings;
  });
  if (rare == order_.rend()) return Status::success();
  const PostingList& list = (*rare)->cursor.list();
  candidates_.clear();
  if (!single_.open(list)) return damaged_list();
  for (uint32_t block = 0; block < single_.blocks(); ++block) {
    if (!single_.load(block) || !single_.load_frequencies()) return damaged_list();
    for (uint32_t index = 0; index < single_.size(); ++index) {
      const uint32_t item = single_.items()[index];
      if (!query_.is_living(item)) continue;
      candidates_.emplace_back(item,
                               query_.scorer.score((*rare)->weight, single_.frequencies()[index], list.lengths[item]));
    }
  }
  if (candidates_.size() < k) return Status::success();
  double bounds[kBoundedAtOnce];
  for (size_t first = 0; query_.factors != nullptr && first < candidates_.size(); first += kBoundedAtOnce) {
    const size_t count = bound_factors(first, bounds);
    for (size_t index = 0; index < count; ++index) candidates_[first + index].score *= bounds[index];
  }
  const size_t kept = std::min(candidates_.size(), 2 * k);
  const auto end = candidates_.begin() + static_cast<std::ptrdiff_t>(kept);
  const auto is_higher = [](const Candidate& left, const Candidate& right) { return left.score > right.score; };
  if (end != candidates_.end()) std::nth_element(candidates_.begin(), end, candidates_.end(), is_higher);
  allowed_items_.clear();
  for (auto candidate = candidates_.begin(); candidate != end; ++candidate) allowed_items_.push_back(candidate->item);
  std::sort(allowed_items_.begin(), allowed_items_.end());
  allowed_scores_.assign(kept, 0.0);
  const Status status = score(query_, allowed_items_.data(), kept, allowed_scores_.data());
  if (!status.ok()) return status;
  if (query_.factors != nullptr) {
    for (size_t index = 0; index < kept; ++index) allowed_scores_[index] *= query_.factors->of(allowed_items_[index]);
  }
  const auto kth = allowed_scores_.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(allowed_scores_.begin(), kth, allowed_scores_.end(), std::greater<double>());
  hits->raise(query_.factors == nullptr ? *kth - query_.scorer.quantum() : *kth * (1 - kRounding));
  return status;
}

double PartSearch::bound_of(Term* term, uint32_t block) {
  if (term->bound_block != block) {
    term->bound_block = block;
    term->block_bound = term->cursor.block_bound(block, query_.scorer, term->weight);
  }
  return term->block_bound;
}

/** Loads the first block from `block` on whose documents may still enter. */
bool PartSearch::advance(Term* term, uint32_t block, double threshold) {
  const double others = before_.back() - term->bound;
  term->position = 0;
  for (; block < term->cursor.blocks(); ++block) {
    if (threshold > 0 && bound_of(term, block) + others <= threshold) continue;
    return term->cursor.load(block);
  }
  term->done = true;
  return true;
}

void PartSearch::score_run(const PostingCursor& cursor, double weight, uint32_t begin, uint32_t end, double* scores) {
  const uint32_t* const items = cursor.items();
  const uint32_t* const frequencies = cursor.frequencies();
  const uint32_t* const lengths = cursor.list().lengths;
  // Two passes, so that the second has vector instructions.
  uint32_t own_lengths[kPostingBlock];
  for (uint32_t index = begin; index < end; ++index) own_lengths[index] = lengths[items[index]];
  const Bm25 scorer = query_.scorer;
  for (uint32_t index = begin; index < end; ++index) {
    scores[index] = scorer.score(weight, frequencies[index], own_lengths[index]);
  }
  if (work_ != nullptr) work_->scored += end - begin;
}

void PartSearch::add_scores(const PostingCursor& cursor, double weight, uint32_t begin, uint32_t end,
                            const Window& window) {
  double scores[kPostingBlock];
  score_run(cursor, weight, begin, end, scores);
  if (!levels_.are_known()) {
    add_scores(cursor, scores, begin, end, window, [least = least_](uint32_t) { return least; });
  } else {
    const auto least_of = [levels = levels_, least = least_of_levels_](uint32_t item) {
      return least[levels.of(item)];
    };
    add_scores(cursor, scores, begin, end, window, least_of);
  }
}

template <typename LeastOf>
void PartSearch::add_scores(const PostingCursor& cursor, const double* scores, uint32_t begin, uint32_t end,
                            const Window& window, const LeastOf& least_of) {
  const uint32_t* const items = cursor.items();
  double* const sums = scores_.data();
  uint64_t* const touched = touched_.data();
  uint64_t* const above = above_.data();
  for (uint32_t index = begin; index < end; ++index) {
    const uint32_t place = items[index] - window.base;
    const double sum = sums[place] + scores[index];
    sums[place] = sum;
    touched[place / kGroup / 64] |= uint64_t{1} << (place / kGroup % 64);
    // Without a branch, which would often be mispredicted. Sums only grow: what is above stays there.
    above[place / 64] |= uint64_t{sum > least_of(items[index])} << (place % 64);
  }
}

/** The candidates below `end` where no other list can make any: its scores need no adding up. */
bool PartSearch::collect_alone(Term* term, uint32_t end, double threshold) {
  PostingCursor& cursor = term->cursor;
  candidates_.clear();
  while (!term->done && cursor.items()[term->position] < end) {
    if (!cursor.load_frequencies()) return false;
    const uint32_t stop = cursor.last() < end ? cursor.size() : cursor.lower_bound(term->position, end);
    double scores[kPostingBlock];
    score_run(cursor, term->weight, term->position, stop, scores);
    for (uint32_t index = term->position; index < stop; ++index) {
      const uint32_t item = cursor.items()[index];
      const double least = levels_.are_known() ? least_of_levels_[levels_.of(item)] : least_;
      if (scores[index] > least && query_.is_living(item)) {
        candidates_.emplace_back(item, scores[index]);
      }
    }
    term->position = stop;
    if (stop == cursor.size() && !advance(term, cursor.block() + 1, threshold)) return false;
  }
  return true;
}

/** Adds the postings of a term in a window. */
bool PartSearch::accumulate(Term* term, const Window& window, double threshold) {
  PostingCursor& cursor = term->cursor;
  const uint32_t end = window.end;
  while (!term->done && cursor.items()[term->position] < end) {
    if (!cursor.load_frequencies()) return false;
    const uint32_t stop = cursor.last() < end ? cursor.size() : cursor.lower_bound(term->position, end);
    add_scores(cursor, term->weight, term->position, stop, window);
    term->position = stop;
    if (stop == cursor.size() && !advance(term, cursor.block() + 1, threshold)) return false;
  }
  return true;
}

/** Clears the window, and keeps its living documents with scores above the least. */
void PartSearch::collect(const Window& window) {
  candidates_.clear();
  const uint32_t words = (window.end - window.base + 63) / 64;
  for (uint32_t word = 0; word < words; ++word) {
    if (above_[word] == 0) continue;
    const uint32_t item = window.base + word * 64;
    for (uint64_t above = above_[word] & query_.living_bits(item); above != 0; above &= above - 1) {
      const uint32_t index = lowest_bit(above);
      candidates_.emplace_back(item + index, scores_[size_t{word} * 64 + index]);
    }
    above_[word] = 0;
  }
  for (uint32_t word = 0; word < (words + kGroup - 1) / kGroup; ++word) {
    for (uint64_t touched = touched_[word]; touched != 0; touched &= touched - 1) {
      const size_t group = size_t{word} * 64 + lowest_bit(touched);
      std::fill_n(scores_.data() + group * kGroup, kGroup, 0.0);
    }
    touched_[word] = 0;
  }
}

/** Adds a term to the candidates that have it; leaves out those that this term and the `others` cannot lift. */
bool PartSearch::complete(Term* term, double others, double threshold) {
  PostingCursor& cursor = term->cursor;
  size_t kept = 0;
  uint32_t position = 0;
  for (const Candidate& candidate : candidates_) {
    double score = candidate.score;
    if (!(score + (others + term->bound) > threshold)) continue;
    const uint32_t block = cursor.locate(candidate.item);
    if (block != cursor.blocks()) {
      if (block != cursor.block()) {
        if (!(score + (others + bound_of(term, block)) > threshold)) continue;
        if (!cursor.load(block)) return false;
        if (work_ != nullptr) ++work_->completed_blocks;
        position = 0;
      }
      position = cursor.lower_bound(position, candidate.item);
      if (cursor.items()[position] == candidate.item) {
        if (!cursor.load_frequencies()) return false;
        score +=
            query_.scorer.score(term->weight, cursor.frequencies()[position], cursor.list().lengths[candidate.item]);
      }
    }
    candidates_[kept].item = candidate.item;
    candidates_[kept++].score = score;
  }
  candidates_.erase(candidates_.begin() + static_cast<std::ptrdiff_t>(kept), candidates_.end());
  return true;
}

Status PartSearch::search_windows(TopHits* hits) {
  const size_t count = order_.size();
  uint32_t width = kWindow;
  for (const uint64_t total = query_.total_postings();
       width < kWidestWindow && total * width < static_cast<uint64_t>(query_.items) * kWindowPostings;) {
    width *= 2;
  }
  reserve(width);
  // Lists before this one cannot lift a document above the threshold, not even together.
  size_t essential = 0;
  double threshold = least_unboosted(*hits);
  while (essential < count && before_[essential + 1] <= threshold) ++essential;
  for (size_t index = essential; index < count; ++index) {
    if (!advance(order_[index], 0, threshold)) return damaged_list();
  }
  while (true) {
    if (is_raised(query_.cancel)) return cancelled();
    threshold = least_unboosted(*hits);
    while (essential < count && before_[essential + 1] <= threshold) ++essential;
    uint32_t first = UINT32_MAX;
    for (size_t index = essential; index < count; ++index) {
      const Term& term = *order_[index];
      if (!term.done) first = std::min(first, term.cursor.items()[term.position]);
    }
    if (first == UINT32_MAX) return Status::success();
    Window window;
    window.base = first / 64 * 64;
    window.end = std::min(window.base + width, query_.items);
    set_least(before_[essential], *hits);
    if (essential + 1 == count) {
      if (!collect_alone(order_[essential], window.end, threshold)) return damaged_list();
    } else {
      for (size_t index = essential; index < count; ++index) {
        if (!accumulate(order_[index], window, threshold)) return damaged_list();
      }
      collect(window);
    }
    if (query_.factors != nullptr) drop_unlikely(before_[essential], hits->threshold());
    if (work_ != nullptr) work_->candidates += static_cast<int64_t>(candidates_.size());
    for (size_t index = essential; index-- > 0 && !candidates_.empty();) {
      if (!complete(order_[index], before_[index], threshold)) return damaged_list();
    }
    for (const Candidate& candidate : candidates_) offer(candidate.score, candidate.item, hits);
  }
}

Status PartSearch::search_whole(TopHits* hits) {
  reserve(query_.items);
  const Window whole{0, query_.items};
  levels_ = {};
  set_least(0, *hits);
  PostingCursor& cursor = single_;
  Status status;
  for (size_t index = 0; index < query_.count && status.ok(); ++index) {
    const WeightedList& term = query_.lists[index];
    if (!cursor.open(term.list)) status = damaged_list();
    for (uint32_t block = 0; status.ok() && block < cursor.blocks(); ++block) {
      if (is_raised(query_.cancel)) {
        status = cancelled();
      } else if (!cursor.load(block) || !cursor.load_frequencies()) {
        status = damaged_list();
      } else {
        add_scores(cursor, term.weight, 0, cursor.size(), whole);
      }
    }
  }
  if (!status.ok()) return status;
  collect(whole);
  for (const Candidate& candidate : candidates_) offer(candidate.score, candidate.item, hits);
  return status;
}

Status PartSearch::search_allowed(TopHits* hits, const std::vector<uint32_t>& items) {
  allowed_scores_.assign(items.size(), 0.0);
  const Status status = score(query_, items.data(), items.size(), allowed_scores_.data());
  for (size_t index = 0; index < items.size() && status.ok(); ++index) {
    if (allowed_scores_[index] > 0) offer(allowed_scores_[index], items[index], hits);
  }
  return status;
}

Status PartSearch::score(const PartQuery& query, const uint32_t* items, size_t count, double* scores) {
  PostingCursor& cursor = single_;
  for (size_t number = 0; number < query.count; ++number) {
    const WeightedList& term = query.lists[number];
    if (is_raised(query.cancel)) return cancelled();
    if (!cursor.open(term.list)) return damaged_list();
    for (size_t index = 0; index < count; ++index) {
      if (index % 1024 == 1023 && is_raised(query.cancel)) return cancelled();
      const uint32_t block = cursor.locate(items[index]);
      if (block == cursor.blocks()) break;
      if (!cursor.load(block)) return damaged_list();
      const uint32_t position = cursor.lower_bound(0, items[index]);
      if (cursor.items()[position] != items[index]) continue;
      if (!cursor.load_frequencies()) return damaged_list();
      scores[index] += query.scorer.score(term.weight, cursor.frequencies()[position], term.list.lengths[items[index]]);
    }
  }
  return Status::success();
}

Status PartSearch::count(const PartQuery& query, int64_t* matches) {
  query_ = query;
  PostingCursor& cursor = single_;
  std::vector<uint64_t> found((query.items + 63) / 64, 0);
  for (size_t number = 0; number < query.count; ++number) {
    if (!cursor.open(query.lists[number].list)) return damaged_list();
    for (uint32_t block = 0; block < cursor.blocks(); ++block) {
      if (is_raised(query.cancel)) return cancelled();
      if (!cursor.load(block)) return damaged_list();
      for (uint32_t index = 0; index < cursor.size(); ++index) {
        const uint32_t item = cursor.items()[index];
        found[item / 64] |= uint64_t{1} << (item % 64);
      }
    }
  }
  for (uint32_t word = 0; word < found.size(); ++word)
    *matches += count_bits(found[word] & query_.living_bits(word * 64));
  return Status::success();
}

}  // namespace semantic_index
