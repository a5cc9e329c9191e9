#include "terms/query/terms_query.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <new>
#include <string_view>
#include <utility>

#include "base/cancel.h"
#include "base/status.h"
#include "terms/exact_form.h"
#include "terms/query/part_search.h"
#include "terms/query/united_postings.h"

namespace semantic_index {

namespace {

constexpr size_t kLookUpsBetweenChecks = 256;
constexpr uint32_t kNoNumber = UINT32_MAX;

std::string_view text_of(const TermBytes& term) { return {static_cast<const char*>(term.bytes), term.size}; }

}  // namespace

struct TermsQuery::Memory {
  const TermsSnapshot* snapshot = nullptr;
  Bm25 scorer;
  double max_score = 0;
  double squared_weight = 0;
  uint32_t missing_terms = 0;
  int32_t failed_part = -1;
  /** Distinct terms in the order of the query, and how often each comes; behind them, those that are several as one. */
  std::vector<TermBytes> terms;
  std::vector<uint64_t> times;
  /** The terms of each of the latter, a name for all of them, and the lists that they have together. */
  std::vector<std::vector<TermBytes>> unions;
  std::deque<std::string> names;
  std::deque<UnitedPostings> united;
  std::vector<PostingList> members;
  /** Of each given term its number among these, or that of the terms that it is one with; `kNoNumber` if it joins. */
  std::vector<uint32_t> number_of;
  /** Other forms of terms that count: numbers of both, distinct. */
  std::vector<std::pair<uint32_t, uint32_t>> forms;
  std::vector<uint32_t> order;
  std::vector<uint32_t> numbers;
  std::vector<double> living;
  std::vector<double> weights;
  /** For each part the list of each term; then, for each part, those with postings. */
  std::vector<PostingList> lists;
  std::vector<std::vector<WeightedList>> weighted;
  PostingCursor cursor;
  PartSearch search;
  TopHits hits;

  void unite(const QueryTerm* given, size_t count);
  void add_unions(const QueryTerm* given, size_t count);
  void number(const QueryTerm* given, size_t count);
  void take_counts(const TermsStatistics& statistics);
  Status find_unions(size_t part, PostingList* found);
  Status find(const std::atomic<bool>* cancel);
  Status count_living(const std::atomic<bool>* cancel);
  void weigh(double documents, double length);
  Status check_unchanged();
  PartQuery part_query(size_t part, const TermsSearchOptions& options) const;
  Status fail(Status status, size_t part);
};

TermsQuery::TermsQuery() : memory_(std::make_unique<Memory>()) {}
TermsQuery::~TermsQuery() = default;

void TermsQuery::Memory::unite(const QueryTerm* given, size_t count) {
  order.resize(count);
  for (size_t index = 0; index < count; ++index) order[index] = static_cast<uint32_t>(index);
  std::sort(order.begin(), order.end(), [given](uint32_t left, uint32_t right) {
    const int compared = text_of(given[left].term).compare(text_of(given[right].term));
    return compared != 0 ? compared < 0 : left < right;
  });
  // The first of equal terms; then distinct terms in the order of the query.
  numbers.resize(count);
  size_t first = 0;
  for (size_t index = 0; index < count; ++index) {
    if (text_of(given[order[index]].term) != text_of(given[order[first]].term)) first = index;
    numbers[order[index]] = order[first];
  }
  terms.clear();
  times.clear();
  forms.clear();
  uint32_t counted = 0;
  for (size_t index = 0; index < count; ++index) {
    const bool is_new = numbers[index] == index;
    numbers[index] = is_new ? static_cast<uint32_t>(terms.size()) : numbers[numbers[index]];
    const uint32_t number = numbers[index];
    if (is_new) {
      terms.push_back(given[index].term);
      times.push_back(0);
    }
    times[number] += given[index].times;
    if (given[index].times > 0) {
      counted = number;
    } else if (index > 0 && number != counted) {
      forms.emplace_back(counted, number);
    }
  }
  std::sort(forms.begin(), forms.end());
  forms.erase(std::unique(forms.begin(), forms.end()), forms.end());
}

void TermsQuery::Memory::add_unions(const QueryTerm* given, size_t count) {
  for (size_t index = 0; index + 1 < count; ++index) {
    if (given[index].joins || !given[index + 1].joins) continue;
    unions.emplace_back();
    names.emplace_back();
    for (size_t member = index; member == index || (member < count && given[member].joins); ++member) {
      unions.back().push_back(given[member].term);
      // No term has this byte, which UTF-8 does not have.
      names.back().append(text_of(given[member].term)).push_back('\xff');
    }
    terms.push_back({names.back().data(), names.back().size()});
    times.push_back(given[index].times);
  }
}

/** Notes which of `terms` each given one is, once these are united. */
void TermsQuery::Memory::number(const QueryTerm* given, size_t count) {
  number_of.assign(count, kNoNumber);
  size_t alone = 0;
  size_t next_union = terms.size() - unions.size();
  for (size_t index = 0; index < count; ++index) {
    if (given[index].joins) continue;
    const bool is_joined = index + 1 < count && given[index + 1].joins;
    number_of[index] = is_joined ? static_cast<uint32_t>(next_union++) : numbers[alone++];
  }
}

/** Takes the numbers of documents from outside instead of counting those of the snapshot. */
void TermsQuery::Memory::take_counts(const TermsStatistics& statistics) {
  living.assign(terms.size(), 0.0);
  for (size_t index = 0; index < number_of.size(); ++index) {
    if (number_of[index] != kNoNumber) living[number_of[index]] = statistics.counts[index];
  }
}

/** The lists of the terms that are several as one, in one part. */
Status TermsQuery::Memory::find_unions(size_t part, PostingList* found) {
  const TermsPart& of_part = snapshot->parts()[part];
  for (size_t index = 0; index < unions.size(); ++index) {
    const std::vector<TermBytes>& own = unions[index];
    members.assign(own.size(), PostingList());
    if (of_part.tail != nullptr) {
      of_part.tail->find(own.data(), own.size(), of_part.items, members.data());
    } else {
      for (size_t member = 0; member < own.size(); ++member) {
        const Status status = of_part.view->find(own[member].bytes, own[member].size, members.data() + member);
        if (!status.ok()) return status;
      }
    }
    const bool is_empty =
        std::all_of(members.begin(), members.end(), [](const PostingList& list) { return list.count == 0; });
    if (is_empty) continue;
    united.emplace_back();
    const Status status = united.back().unite(members, &cursor);
    if (!status.ok()) return status;
    found[index] = united.back().list();
  }
  return Status::success();
}

Status TermsQuery::Memory::find(const std::atomic<bool>* cancel) {
  const std::vector<TermsPart>& parts = snapshot->parts();
  lists.assign(parts.size() * terms.size(), PostingList());
  const size_t alone = terms.size() - unions.size();
  for (size_t part = 0; part < parts.size(); ++part) {
    PostingList* const found = lists.data() + part * terms.size();
    if (!unions.empty()) {
      if (is_raised(cancel)) return cancelled();
      const Status status = find_unions(part, found + alone);
      if (!status.ok()) return fail(status, part);
    }
    if (parts[part].tail != nullptr) {
      parts[part].tail->find(terms.data(), alone, parts[part].items, found);
      continue;
    }
    for (size_t term = 0; term < alone; ++term) {
      if (term % kLookUpsBetweenChecks == kLookUpsBetweenChecks - 1 && is_raised(cancel)) return cancelled();
      const Status status = parts[part].view->find(terms[term].bytes, terms[term].size, found + term);
      if (!status.ok()) return fail(status, part);
    }
  }
  return Status::success();
}

/** The number of living documents that have each term. */
Status TermsQuery::Memory::count_living(const std::atomic<bool>* cancel) {
  const std::vector<TermsPart>& parts = snapshot->parts();
  living.assign(terms.size(), 0.0);
  for (size_t term = 0; term < terms.size(); ++term) {
    for (size_t part = 0; part < parts.size(); ++part) {
      const PostingList& list = lists[part * terms.size() + term];
      if (list.count == 0) continue;
      uint32_t dead = 0;
      if (snapshot->has_dead(part)) {
        if (is_raised(cancel)) return cancelled();
        const Status status = snapshot->count_dead(part, terms[term], list, &cursor, &dead);
        if (!status.ok()) return fail(status, part);
      }
      living[term] += static_cast<double>(list.count) - static_cast<double>(dead);
    }
  }
  return Status::success();
}

/** Weighs the terms by the numbers of documents that have them. */
void TermsQuery::Memory::weigh(double documents, double length) {
  const std::vector<TermsPart>& parts = snapshot->parts();
  weights.assign(terms.size(), 0.0);
  max_score = 0;
  squared_weight = 0;
  missing_terms = 0;
  auto form = forms.begin();
  for (size_t term = 0; term < terms.size(); ++term) {
    if (times[term] == 0) continue;
    auto last = form;
    double found = living[term];
    for (; last != forms.end() && last->first == term; ++last) found += living[last->second];
    const double rarity = inverse_document_frequency(documents, std::min(documents, found));
    const bool is_exact = is_exact_form(terms[term].bytes, terms[term].size);
    const double weight = static_cast<double>(times[term]) * rarity * (is_exact ? kExactFormWeight : 1.0);
    if (!is_exact || found > 0) max_score += weight;
    if (found > 0) squared_weight += weight * weight;
    if (!is_exact && found == 0) ++missing_terms;
    if (living[term] > 0) weights[term] += weight;
    for (; form != last; ++form) {
      if (living[form->second] > 0) weights[form->second] += weight;
    }
  }
  double total = 0;
  for (const double weight : weights) total += weight;
  scorer = Bm25(documents, length, total);
  weighted.resize(parts.size());
  for (size_t part = 0; part < parts.size(); ++part) {
    weighted[part].clear();
    for (size_t term = 0; term < terms.size(); ++term) {
      const PostingList& list = lists[part * terms.size() + term];
      if (list.count > 0 && weights[term] > 0) weighted[part].push_back({list, weights[term]});
    }
  }
}

Status TermsQuery::Memory::fail(Status status, size_t part) {
  if (status.code == StatusCode::corrupt || status.code == StatusCode::file_changed) {
    failed_part = static_cast<int32_t>(part);
  }
  return status;
}

Status TermsQuery::Memory::check_unchanged() {
  for (size_t part = 0; part < snapshot->parts().size(); ++part) {
    const TermsView* const view = snapshot->parts()[part].view;
    if (view == nullptr) continue;
    const Status status = view->check_unchanged();
    if (!status.ok()) return fail(status, part);
  }
  return Status::success();
}

PartQuery TermsQuery::Memory::part_query(size_t part, const TermsSearchOptions& options) const {
  PartQuery query;
  query.lists = weighted[part].data();
  query.count = weighted[part].size();
  query.scorer = scorer;
  query.part = static_cast<int32_t>(part);
  query.items = static_cast<uint32_t>(snapshot->parts()[part].items);
  query.dead = snapshot->parts()[part].dead;
  const bool is_filtered = options.allowed != nullptr && options.allowed[part].bits != nullptr;
  query.allowed = is_filtered ? options.allowed + part : nullptr;
  query.factors = options.factors == nullptr ? nullptr : options.factors + part;
  const TermsView* const view = snapshot->parts()[part].view;
  query.maxima = view == nullptr ? nullptr : view->maxima();
  query.cancel = options.cancel;
  return query;
}

Status TermsQuery::prepare(const TermsSnapshot& snapshot, const QueryTerm* terms, size_t count,
                           const std::atomic<bool>* cancel, const TermsStatistics* statistics) try {
  memory_->snapshot = &snapshot;
  memory_->failed_part = -1;
  memory_->weighted.clear();
  memory_->unions.clear();
  memory_->names.clear();
  memory_->united.clear();
  const bool has_unions = std::any_of(terms, terms + count, [](const QueryTerm& term) { return term.joins; });
  if (has_unions) {
    std::vector<QueryTerm> alone;
    for (size_t index = 0; index < count; ++index) {
      const bool is_joined = index + 1 < count && terms[index + 1].joins;
      if (!terms[index].joins && !is_joined) alone.push_back(terms[index]);
    }
    memory_->unite(alone.data(), alone.size());
    memory_->add_unions(terms, count);
  } else {
    memory_->unite(terms, count);
  }
  memory_->number(terms, count);
  Status status = memory_->find(cancel);
  if (status.ok() && statistics == nullptr) status = memory_->count_living(cancel);
  if (status.ok() && statistics != nullptr) memory_->take_counts(*statistics);
  if (status.ok()) {
    const auto documents = static_cast<double>(snapshot.documents());
    const auto length = static_cast<double>(snapshot.total_length());
    memory_->weigh(statistics == nullptr ? documents : statistics->documents,
                   statistics == nullptr ? length : statistics->length);
  }
  if (!status.ok()) {
    memory_->weighted.assign(snapshot.parts().size(), {});
    const Status changed = memory_->check_unchanged();
    return changed.ok() ? status : changed;
  }
  return memory_->check_unchanged();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

TermsStatistics TermsQuery::statistics() const {
  TermsStatistics statistics;
  statistics.documents = static_cast<double>(memory_->snapshot->documents());
  statistics.length = static_cast<double>(memory_->snapshot->total_length());
  for (const uint32_t number : memory_->number_of) {
    statistics.counts.push_back(number == kNoNumber ? 0.0 : memory_->living[number]);
  }
  return statistics;
}

int32_t TermsQuery::failed_part() const { return memory_->failed_part; }

double TermsQuery::max_score() const { return memory_->max_score; }

double TermsQuery::squared_weight() const { return memory_->squared_weight; }

uint32_t TermsQuery::missing_terms() const { return memory_->missing_terms; }

Status TermsQuery::search(const TermsSearchOptions& options, std::vector<TermsHit>* hits, TermsWork* work) try {
  hits->clear();
  if (memory_->snapshot == nullptr || options.k < 0) {
    return Status::failure(StatusCode::invalid_argument, "expected a prepared query and k of at least 0");
  }
  if (options.k == 0) return Status::success();
  memory_->hits.reset(options.k);
  Status status;
  for (size_t part = 0; part < memory_->weighted.size() && status.ok(); ++part) {
    status = memory_->fail(memory_->search.search(memory_->part_query(part, options), &memory_->hits, work), part);
  }
  const Status changed = memory_->check_unchanged();
  if (!changed.ok()) return changed;
  if (status.ok()) memory_->hits.take(hits);
  return status;
} catch (const std::bad_alloc&) {
  memory_->search.forget();
  return Status::no_memory();
}

Status TermsQuery::score(size_t part, const uint32_t* items, size_t count, double* scores,
                         const std::atomic<bool>* cancel) try {
  if (memory_->snapshot == nullptr || part >= memory_->weighted.size()) {
    return Status::failure(StatusCode::invalid_argument, "expected a prepared query and one of its parts");
  }
  TermsSearchOptions options;
  options.cancel = cancel;
  const PartQuery query = memory_->part_query(part, options);
  for (size_t index = 0; index < count; ++index) {
    if (items[index] >= query.items) return Status::failure(StatusCode::invalid_argument, "the item does not exist");
  }
  std::vector<uint32_t> order(count);
  for (size_t index = 0; index < count; ++index) order[index] = static_cast<uint32_t>(index);
  std::sort(order.begin(), order.end(), [items](uint32_t left, uint32_t right) { return items[left] < items[right]; });
  std::vector<uint32_t> ascending(count);
  std::vector<double> found(count, 0.0);
  for (size_t index = 0; index < count; ++index) ascending[index] = items[order[index]];
  const Status status = memory_->search.score(query, ascending.data(), count, found.data());
  const Status changed = memory_->check_unchanged();
  if (!changed.ok()) return changed;
  for (size_t index = 0; index < count && status.ok(); ++index) scores[order[index]] = found[index];
  return status;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status TermsQuery::count(const TermsSearchOptions& options, int64_t* matches) try {
  *matches = 0;
  if (memory_->snapshot == nullptr) {
    return Status::failure(StatusCode::invalid_argument, "expected a prepared query");
  }
  Status status;
  for (size_t part = 0; part < memory_->weighted.size() && status.ok(); ++part) {
    status = memory_->search.count(memory_->part_query(part, options), matches);
  }
  const Status changed = memory_->check_unchanged();
  return changed.ok() ? status : changed;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
