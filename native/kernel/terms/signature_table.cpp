#include "terms/signature_table.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/cancel.h"
#include "base/status.h"
#include "terms/terms_view.h"

namespace semantic_index {

namespace {

/** Signatures that are compared without a branch between them. */
constexpr size_t kRun = 16;

}  // namespace

Status SignatureTable::build(const TermsView& view, const std::atomic<bool>* cancel) {
  std::vector<TermSignature> signatures;
  std::vector<uint32_t> begins(2, 0);
  TermsIterator iterator(view);
  if (view.blocks() > 0) iterator.begin_at(0);
  for (bool done = view.blocks() == 0; !done;) {
    if (signatures.size() % kTermsBetweenChecks == 0 && is_raised(cancel)) return cancelled();
    const Status status = iterator.next(&done);
    if (!status.ok()) return status;
    if (done) break;
    if (signatures.size() == UINT32_MAX) return Status::no_memory();
    const TermSignature signature = TermSignature::of(iterator.term().data(), iterator.term().size());
    if (signature.characters + size_t{2} > begins.size()) begins.resize(signature.characters + size_t{2}, 0);
    ++begins[signature.characters + size_t{1}];
    signatures.push_back(signature);
  }
  const Status status = view.check_unchanged();
  if (!status.ok()) return status;
  for (size_t length = 1; length < begins.size(); ++length) begins[length] += begins[length - 1];
  std::vector<uint64_t> bits(signatures.size());
  std::vector<uint32_t> numbers(signatures.size());
  std::vector<uint32_t> next = begins;
  for (size_t number = 0; number < signatures.size(); ++number) {
    const uint32_t place = next[signatures[number].characters]++;
    bits[place] = signatures[number].bits;
    numbers[place] = static_cast<uint32_t>(number);
  }
  begins_ = std::move(begins);
  bits_ = std::move(bits);
  numbers_ = std::move(numbers);
  is_built_.store(true, std::memory_order_release);
  return Status::success();
}

Status SignatureTable::select(const TermsView& view, const SignatureFilter& filter, std::vector<uint32_t>* numbers,
                              const std::atomic<bool>* cancel) try {
  numbers->clear();
  if (!is_built_.load(std::memory_order_acquire)) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const Status status = is_built_.load() ? Status::success() : build(view, cancel);
    if (!status.ok()) return status;
  }
  const size_t lengths = begins_.size() - 1;
  const size_t begin = begins_[std::min<size_t>(filter.min_characters(), lengths)];
  const size_t end = begins_[std::min<size_t>(filter.max_characters() + size_t{1}, lengths)];
  for (size_t run = begin; run < end; run += kRun) {
    const size_t stop = std::min(end, run + kRun);
    uint32_t passing = 0;
    for (size_t place = run; place < stop; ++place) passing |= (filter.passes(bits_[place]) ? 1u : 0u) << (place - run);
    for (size_t place = run; passing != 0; ++place, passing >>= 1) {
      if ((passing & 1) != 0) numbers->push_back(numbers_[place]);
    }
  }
  std::sort(numbers->begin(), numbers->end());
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
