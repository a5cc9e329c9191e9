#include "terms/query/term_look_up.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <unordered_map>

#include "base/cancel.h"
#include "base/status.h"
#include "terms/exact_form.h"
#include "terms/query/edit_distance.h"

namespace semantic_index {

namespace {

/** Terms longer than this have no similar ones: they are hashes, addresses, or nothing that was typed. */
constexpr size_t kMaxCharacters = 64;

Status damaged_dictionary() { return corrupt("the dictionary has fewer terms than its header says"); }

/** A term that may be found, with its list in each part that has it. */
struct Candidate {
  std::string term;
  uint32_t distance = 0;
  /** Documents that have it, deleted and other ones included. */
  int64_t postings = 0;
  std::vector<std::pair<int32_t, PostingList>> lists;
};

bool begins_with(const void* term, size_t size, const TermBytes& begin) {
  return size >= begin.size && (begin.size == 0 || std::memcmp(term, begin.bytes, begin.size) == 0);
}

class LookUp {
 public:
  LookUp(const TermsSnapshot& snapshot, const TermLookUp& request, std::vector<uint32_t> characters)
      : snapshot_(snapshot),
        request_(request),
        distances_(characters, request.max_distance),
        filter_(TermSignature::of(request.term.bytes, request.term.size), request.max_distance) {
    is_exact_ = is_exact_form(request.term.bytes, request.term.size);
    if (request.same_first && !characters.empty()) first_ = characters[0];
  }

  Status run(std::vector<FoundTerm>* found, bool* is_cut, int32_t* failed_part) {
    if (!request_.is_prefix) {
      bool occurs = false;
      const Status status = find_itself(&occurs);
      if (!status.ok()) return fail(status, failed_part);
      if (occurs) return choose(found, is_cut, failed_part);
    }
    for (size_t part = 0; part < snapshot_.parts().size(); ++part) {
      part_ = static_cast<int32_t>(part);
      const TermsPart& of_part = snapshot_.parts()[part];
      const Status status = of_part.view != nullptr ? scan_view(*of_part.view) : scan_tail(of_part);
      if (!status.ok()) return fail(status, failed_part);
    }
    return choose(found, is_cut, failed_part);
  }

 private:
  Status fail(Status status, int32_t* failed_part) const {
    if (status.code == StatusCode::corrupt || status.code == StatusCode::file_changed) *failed_part = part_;
    return status;
  }

  /** Adds the term itself if a living document has it. */
  Status find_itself(bool* occurs) {
    for (size_t part = 0; part < snapshot_.parts().size(); ++part) {
      part_ = static_cast<int32_t>(part);
      const TermsPart& of_part = snapshot_.parts()[part];
      PostingList list;
      if (of_part.tail != nullptr) {
        of_part.tail->find(&request_.term, 1, of_part.items, &list);
      } else {
        const Status status = of_part.view->find(request_.term.bytes, request_.term.size, &list);
        if (!status.ok()) return status;
      }
      if (list.count == 0) continue;
      uint32_t dead = 0;
      if (snapshot_.has_dead(part)) {
        const Status status = snapshot_.count_dead(part, request_.term, list, &cursor_, &dead);
        if (!status.ok()) return status;
      }
      add(request_.term, 0, list);
      *occurs = *occurs || list.count > dead;
    }
    if (*occurs) return Status::success();
    candidates_.clear();
    places_.clear();
    return Status::success();
  }

  /** Whether a term is wanted; sets its distance. */
  bool wants(const TermBytes& term, uint32_t* distance) {
    *distance = 0;
    if (request_.is_prefix) return begins_with(term.bytes, term.size, request_.term);
    if (is_exact_form(term.bytes, term.size) != is_exact_) return false;
    if (!decode_utf8(static_cast<const uint8_t*>(term.bytes), term.size, &characters_)) return false;
    if (characters_.size() < filter_.min_characters() || characters_.size() > filter_.max_characters()) return false;
    if (first_ != 0 && characters_[0] != first_) return false;
    *distance = distances_.to(characters_.data(), characters_.size());
    return *distance <= request_.max_distance;
  }

  void add(const TermBytes& term, uint32_t distance, const PostingList& list) {
    std::string key(static_cast<const char*>(term.bytes), term.size);
    const auto place = places_.emplace(key, candidates_.size());
    if (place.second) {
      Candidate candidate;
      candidate.term = std::move(key);
      candidate.distance = distance;
      candidates_.push_back(std::move(candidate));
    }
    Candidate& candidate = candidates_[place.first->second];
    candidate.postings += list.count;
    candidate.lists.emplace_back(part_, list);
  }

  Status scan_tail(const TermsPart& part) {
    std::vector<TailTerm> terms;
    uint32_t distance = 0;
    part.tail->select_terms(
        part.items, request_.is_prefix ? nullptr : &filter_,
        [&](const TermBytes& term) { return wants(term, &distance); }, &terms);
    for (const TailTerm& term : terms) {
      wants(term.term, &distance);
      add(term.term, distance, term.list);
    }
    return is_raised(request_.cancel) ? cancelled() : Status::success();
  }

  Status scan_view(const TermsView& view) {
    if (view.blocks() == 0) return Status::success();
    TermsIterator iterator(view);
    uint64_t block = 0;
    if (request_.is_prefix) {
      const Status status =
          view.find_block(static_cast<const uint8_t*>(request_.term.bytes), request_.term.size, &block);
      if (!status.ok()) return status;
      iterator.begin_at(block);
      return scan_prefix(&iterator);
    }
    Status status = view.select_similar(filter_, &numbers_, request_.cancel);
    if (!status.ok()) return status;
    // Behind the term with this number.
    uint64_t next = UINT64_MAX;
    for (size_t index = 0; index < numbers_.size(); ++index) {
      if (index % kTermsBetweenChecks == 0 && is_raised(request_.cancel)) return cancelled();
      const uint64_t number = numbers_[index];
      if (next > number || number / kDictionaryBlock != next / kDictionaryBlock) {
        next = number / kDictionaryBlock * kDictionaryBlock;
        iterator.begin_at(number / kDictionaryBlock);
      }
      for (bool done = false; next <= number; ++next) {
        status = iterator.next(&done);
        if (!status.ok()) return status;
        if (done) return damaged_dictionary();
      }
      uint32_t distance = 0;
      const TermBytes term = {iterator.term().data(), iterator.term().size()};
      if (wants(term, &distance)) add(term, distance, iterator.list());
    }
    return view.check_unchanged();
  }

  Status scan_prefix(TermsIterator* iterator) {
    for (size_t seen = 1;; ++seen) {
      if (seen % kTermsBetweenChecks == 0 && is_raised(request_.cancel)) return cancelled();
      bool done = false;
      const Status status = iterator->next(&done);
      if (!status.ok() || done) return status;
      const std::string& term = iterator->term();
      if (begins_with(term.data(), term.size(), request_.term)) {
        add({term.data(), term.size()}, 0, iterator->list());
        continue;
      }
      // Terms ascend: those behind a greater one do not begin with the prefix.
      const std::string prefix(static_cast<const char*>(request_.term.bytes), request_.term.size);
      if (term.compare(prefix) > 0) return Status::success();
    }
  }

  /** Counts the living, allowed documents of a candidate, and takes the first ones. */
  Status count(const Candidate& candidate, FoundTerm* found) {
    found->documents = 0;
    for (const auto& [part, list] : candidate.lists) {
      part_ = part;
      if (is_raised(request_.cancel)) return cancelled();
      const auto place = static_cast<size_t>(part);
      const ItemBits& dead = snapshot_.parts()[place].dead;
      const ItemBits* allowed = request_.allowed == nullptr ? nullptr : request_.allowed + place;
      const bool is_filtered = allowed != nullptr && allowed->bits != nullptr;
      bool is_whole = is_filtered;
      if (!is_filtered) {
        uint32_t dead_postings = 0;
        if (snapshot_.has_dead(place)) {
          const TermBytes term = {candidate.term.data(), candidate.term.size()};
          const Status status = snapshot_.count_dead(place, term, list, &cursor_, &dead_postings);
          if (!status.ok()) return status;
        }
        found->documents += static_cast<int64_t>(list.count) - dead_postings;
      }
      if (!is_whole && found->sample.size() >= request_.sample) continue;
      if (!cursor_.open(list)) return damaged_list();
      for (uint32_t block = 0; block < cursor_.blocks(); ++block) {
        if (!is_whole && found->sample.size() >= request_.sample) break;
        if (!cursor_.load(block)) return damaged_list();
        for (uint32_t index = 0; index < cursor_.size(); ++index) {
          const uint32_t item = cursor_.items()[index];
          if (dead.contains(item) || (is_filtered && !allowed->contains(item))) continue;
          if (is_whole) ++found->documents;
          if (found->sample.size() < request_.sample) found->sample.push_back({part, static_cast<int32_t>(item)});
        }
      }
    }
    return Status::success();
  }

  static bool is_better(const FoundTerm& left, const FoundTerm& right) {
    if (left.distance != right.distance) return left.distance < right.distance;
    if (left.documents != right.documents) return left.documents > right.documents;
    return left.term < right.term;
  }

  Status choose(std::vector<FoundTerm>* found, bool* is_cut, int32_t* failed_part) {
    // By what their numbers of documents are at most: the exact ones are counted only as long as they can matter.
    std::sort(candidates_.begin(), candidates_.end(), [](const Candidate& left, const Candidate& right) {
      if (left.distance != right.distance) return left.distance < right.distance;
      if (left.postings != right.postings) return left.postings > right.postings;
      return left.term < right.term;
    });
    found->clear();
    *is_cut = false;
    for (const Candidate& candidate : candidates_) {
      if (found->size() == request_.limit && *is_cut) {
        if (request_.limit == 0) break;
        const FoundTerm& worst = found->back();
        if (candidate.distance > worst.distance) break;
        if (candidate.distance == worst.distance && candidate.postings < worst.documents) break;
      }
      FoundTerm term;
      term.term = candidate.term;
      term.distance = candidate.distance;
      const Status status = count(candidate, &term);
      if (!status.ok()) return fail(status, failed_part);
      if (term.documents <= 0) continue;
      found->insert(std::upper_bound(found->begin(), found->end(), term, is_better), std::move(term));
      if (found->size() <= request_.limit) continue;
      found->pop_back();
      *is_cut = true;
    }
    for (size_t part = 0; part < snapshot_.parts().size(); ++part) {
      part_ = static_cast<int32_t>(part);
      const TermsView* const view = snapshot_.parts()[part].view;
      const Status status = view == nullptr ? Status::success() : view->check_unchanged();
      if (!status.ok()) return fail(status, failed_part);
    }
    return Status::success();
  }

  const TermsSnapshot& snapshot_;
  const TermLookUp& request_;
  EditDistances distances_;
  SignatureFilter filter_;
  uint32_t first_ = 0;
  /** Whether exact forms are looked for, which are similar to each other alone. */
  bool is_exact_ = false;
  int32_t part_ = -1;
  std::vector<uint32_t> characters_;
  std::vector<uint32_t> numbers_;
  std::vector<Candidate> candidates_;
  std::unordered_map<std::string, size_t> places_;
  PostingCursor cursor_;
};

}  // namespace

Status look_up_terms(const TermsSnapshot& snapshot, const TermLookUp& look_up, std::vector<FoundTerm>* found,
                     bool* is_cut, int32_t* failed_part) try {
  found->clear();
  *is_cut = false;
  *failed_part = -1;
  if (look_up.term.size > kMaxTermBytes) return Status::success();
  std::vector<uint32_t> characters;
  if (!decode_utf8(static_cast<const uint8_t*>(look_up.term.bytes), look_up.term.size, &characters)) {
    return Status::failure(StatusCode::invalid_argument, "expected a term in UTF-8");
  }
  if (!look_up.is_prefix && characters.size() > kMaxCharacters) return Status::success();
  return LookUp(snapshot, look_up, std::move(characters)).run(found, is_cut, failed_part);
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
