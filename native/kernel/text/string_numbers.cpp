#include "text/string_numbers.h"

#include <cstring>

#include "base/prefetch.h"

namespace semantic_index {

namespace {

constexpr size_t kMinSlots = 1024;

}  // namespace

void StringNumbers::prefetch(uint32_t hash) const {
  semantic_index::prefetch(&slots_[hash & (slots_.size() - 1)], sizeof(Slot));
}

uint32_t StringNumbers::number_of(const char* bytes, size_t size, uint32_t hash) {
  size_t mask = slots_.size() - 1;
  size_t slot = hash & mask;
  for (; slots_[slot].number != 0; slot = (slot + 1) & mask) {
    if (slots_[slot].hash != hash) continue;
    const StringView known = at(slots_[slot].number - 1);
    if (known.size != size) continue;
    // An empty string may have no address.
    if (size == 0 || std::memcmp(known.bytes, bytes, size) == 0) return slots_[slot].number - 1;
  }
  if (2 * (ends_.size() + 1) > slots_.size()) {
    grow();
    mask = slots_.size() - 1;
    for (slot = hash & mask; slots_[slot].number != 0;) slot = (slot + 1) & mask;
  }
  bytes_.insert(bytes_.end(), bytes, bytes + size);
  ends_.push_back(bytes_.size());
  slots_[slot] = {hash, this->size()};
  return this->size() - 1;
}

void StringNumbers::grow() {
  std::vector<Slot> larger(2 * slots_.size(), Slot{0, 0});
  const size_t mask = larger.size() - 1;
  for (const Slot& old : slots_) {
    if (old.number == 0) continue;
    size_t slot = old.hash & mask;
    while (larger[slot].number != 0) slot = (slot + 1) & mask;
    larger[slot] = old;
  }
  slots_.swap(larger);
}

void StringNumbers::clear() {
  slots_.assign(kMinSlots, Slot{0, 0});
  bytes_.clear();
  ends_.clear();
}

}  // namespace semantic_index
