#include "search/search_snapshot.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/status.h"
#include "search/item_sets.h"

namespace semantic_index {

Status SearchSnapshot::create(const NodeLayout& layout, std::vector<PartState> parts,
                              std::shared_ptr<const SearchSnapshot>* snapshot) try {
  std::shared_ptr<SearchSnapshot> made(new SearchSnapshot());
  made->layout_ = layout;
  for (PartState& state : parts) {
    const Status status = made->add(std::move(state));
    if (!status.ok()) return status;
  }
  *snapshot = std::move(made);
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status SearchSnapshot::add(PartState state) {
  const auto number = static_cast<int32_t>(parts_.size());
  const SearchPart& part = *state.part;
  Status status = part.check(layout_);
  if (!status.ok()) return status;
  const int64_t items = part.keys.size();
  int64_t living = items;
  std::vector<uint32_t> dead;
  if (!state.alive.empty()) {
    living = count_items({state.alive.data(), static_cast<int64_t>(state.alive.size())}, items);
    dead = complement(state.alive, items);
  }
  const auto follows = [&](const std::vector<int32_t>& others) {
    return items == 0 || others.empty() ||
           parts_[static_cast<size_t>(others.back())].part->keys.last() < part.keys.first();
  };
  if (items > 0 && part.has_vectors()) {
    if (!follows(with_vectors_)) return invalid("the parts with vectors do not ascend by key");
    with_vectors_.push_back(number);
  }
  terms_places_.push_back(-1);
  dead_.push_back(std::move(dead));
  if (items > 0 && part.has_terms()) {
    if (!follows(with_terms_)) return invalid("the parts with terms do not ascend by key");
    TermsPart terms = part.terms();
    terms.dead = {dead_.back().data(), static_cast<int64_t>(dead_.back().size())};
    status = terms_.add(terms);
    if (!status.ok()) return status;
    terms_places_.back() = static_cast<int32_t>(with_terms_.size());
    with_terms_.push_back(number);
  }
  living_.push_back(living);
  parts_.push_back(std::move(state));
  return Status::success();
}

Allowed SearchSnapshot::alive(size_t number) const {
  const std::vector<uint32_t>& bits = parts_[number].alive;
  Allowed allowed;
  if (bits.empty()) return allowed;
  allowed.bits = bits.data();
  allowed.words = static_cast<int64_t>(bits.size());
  return allowed;
}

PartItem SearchSnapshot::find(const std::vector<int32_t>& parts, int64_t key) const {
  const auto ends_before = [this](int32_t number, int64_t wanted) {
    return parts_[static_cast<size_t>(number)].part->keys.last() < wanted;
  };
  const auto found = std::lower_bound(parts.begin(), parts.end(), key, ends_before);
  if (found == parts.end()) return {};
  const int32_t item = parts_[static_cast<size_t>(*found)].part->keys.item_of(key);
  return item < 0 ? PartItem() : PartItem{*found, item};
}

PartItem SearchSnapshot::find_vector(int64_t key) const { return find(with_vectors_, key); }

PartItem SearchSnapshot::find_terms(int64_t key) const { return find(with_terms_, key); }

}  // namespace semantic_index
