#include "terms/build/terms_merge.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string_view>

#include "base/cancel.h"
#include "base/checksum.h"
#include "base/parallel_blocks.h"
#include "base/status.h"

namespace semantic_index {

namespace {

/** Terms that are merged at once, and those that one thread takes. */
constexpr size_t kBatchTerms = 1 << 15;
constexpr size_t kGroupTerms = 1 << 7;
constexpr int32_t kSpillItems = 1 << 16;
constexpr size_t kSpillBytes = 1 << 26;

constexpr uint32_t kDead = UINT32_MAX;

/** The terms of a part, one after the other. */
class Source {
 public:
  Status open(const TermsPart& part) {
    if (part.view != nullptr) {
      iterator_ = std::make_unique<TermsIterator>(*part.view);
      return next();
    }
    const Status status = part.tail->list_terms(part.items, &terms_);
    return status.ok() ? next() : status;
  }

  Status next() {
    if (iterator_ != nullptr) return next_of_view();
    done_ = next_ == terms_.size();
    if (!done_) ++next_;
    return Status::success();
  }

  bool done() const { return done_; }
  std::string_view term() const {
    if (iterator_ != nullptr) return iterator_->term();
    const TermBytes& term = terms_[next_ - 1].term;
    return {static_cast<const char*>(term.bytes), term.size};
  }
  const PostingList& list() const { return iterator_ != nullptr ? iterator_->list() : terms_[next_ - 1].list; }

 private:
  Status next_of_view() {
    const bool is_first = !started_;
    started_ = true;
    previous_ = iterator_->term();
    const Status status = iterator_->next(&done_);
    if (!status.ok() || done_) return status;
    if (!is_first && !(previous_ < iterator_->term())) return corrupt("the terms of the dictionary do not ascend");
    return status;
  }

  std::unique_ptr<TermsIterator> iterator_;
  std::string previous_;
  bool started_ = false;
  std::vector<TailTerm> terms_;
  size_t next_ = 0;
  bool done_ = false;
};

/** A term of a batch: its bytes, and its lists in the parts. */
struct BatchTerm {
  size_t bytes;
  size_t size;
  size_t first_list;
  size_t lists;
};
struct PartList {
  size_t part;
  PostingList list;
};

/** The encoded lists of a group of terms. */
struct Group {
  std::vector<uint8_t> bytes;
  /** For each term; a count of 0 for one without surviving postings. */
  std::vector<uint32_t> counts;
  std::vector<size_t> sizes;
};

class TermsMerge {
 public:
  TermsMerge(const TermsPart* parts, size_t count, const TermsMergeOptions& options)
      : parts_(parts), count_(count), options_(options) {
    watch_.cancel = options.cancel;
  }

  Status run(MemoryBlock* file) {
    Status status = number_items();
    if (!status.ok()) return status;
    sources_.resize(count_);
    for (size_t part = 0; part < count_ && status.ok(); ++part) status = sources_[part].open(parts_[part]);
    bool done = false;
    while (status.ok() && !done) {
      status = read_batch(&done);
      if (status.ok()) status = encode_batch();
      if (status.ok()) write_batch();
    }
    if (status.ok() && is_raised(options_.cancel)) status.code = StatusCode::cancelled;
    return status.ok() ? assemble(file) : status;
  }

 private:
  /** The new item of each old one. */
  Status number_items() {
    int64_t total = 0;
    for (size_t part = 0; part < count_; ++part) total += parts_[part].items;
    if (total > kMaxTermsItems) {
      return Status::failure(StatusCode::invalid_argument, "expected at most 2^28 documents");
    }
    items_.resize(count_);
    for (size_t part = 0; part < count_; ++part) {
      const uint32_t* const lengths = parts_[part].lengths();
      items_[part].resize(static_cast<size_t>(parts_[part].items));
      for (uint32_t item = 0; item < items_[part].size(); ++item) {
        const bool is_dead = parts_[part].dead.contains(item);
        items_[part][item] = is_dead ? kDead : static_cast<uint32_t>(lengths_.size());
        if (is_dead) continue;
        lengths_.push_back(lengths[item]);
        header_.total_length += lengths[item];
      }
    }
    return Status::success();
  }

  Status read_batch(bool* done) {
    batch_.clear();
    lists_.clear();
    bytes_.clear();
    while (batch_.size() < kBatchTerms) {
      if (batch_.size() % 1024 == 0 && is_raised(options_.cancel)) return cancelled();
      const Source* least = nullptr;
      for (const Source& source : sources_) {
        if (!source.done() && (least == nullptr || source.term() < least->term())) least = &source;
      }
      *done = least == nullptr;
      if (*done) break;
      const BatchTerm term = {bytes_.size(), least->term().size(), lists_.size(), 0};
      bytes_.insert(bytes_.end(), least->term().begin(), least->term().end());
      batch_.push_back(term);
      for (size_t part = 0; part < count_; ++part) {
        Source& source = sources_[part];
        if (source.done() || source.term() != term_of(term)) continue;
        lists_.push_back({part, source.list()});
        const Status status = source.next();
        if (!status.ok()) return status;
      }
      batch_.back().lists = lists_.size() - term.first_list;
    }
    return Status::success();
  }

  std::string_view term_of(const BatchTerm& term) const { return {bytes_.data() + term.bytes, term.size}; }

  Status encode_batch() {
    groups_.clear();
    groups_.resize((batch_.size() + kGroupTerms - 1) / kGroupTerms);
    return run_blocks(options_.threads, static_cast<int64_t>(groups_.size()), &watch_, [this]() {
      auto cursor = std::make_shared<PostingCursor>();
      auto items = std::make_shared<std::vector<uint32_t>>();
      auto frequencies = std::make_shared<std::vector<uint32_t>>();
      return [this, cursor, items, frequencies](int64_t number) {
        Group& group = groups_[static_cast<size_t>(number)];
        const size_t begin = static_cast<size_t>(number) * kGroupTerms;
        for (size_t index = begin; index < std::min(batch_.size(), begin + kGroupTerms); ++index) {
          items->clear();
          frequencies->clear();
          const Status status = collect(batch_[index], cursor.get(), items.get(), frequencies.get());
          if (!status.ok()) return status;
          const size_t before = group.bytes.size();
          if (!items->empty()) encode_postings(*items, *frequencies, lengths_.data(), &group.bytes);
          group.counts.push_back(static_cast<uint32_t>(items->size()));
          group.sizes.push_back(group.bytes.size() - before);
        }
        return Status::success();
      };
    });
  }

  /** The surviving postings of a term, in new items. */
  Status collect(const BatchTerm& term, PostingCursor* cursor, std::vector<uint32_t>* items,
                 std::vector<uint32_t>* frequencies) const {
    for (size_t number = term.first_list; number < term.first_list + term.lists; ++number) {
      const std::vector<uint32_t>& renamed = items_[lists_[number].part];
      if (!cursor->open(lists_[number].list)) return corrupt("a posting list is damaged");
      for (uint32_t block = 0; block < cursor->blocks(); ++block) {
        if (!cursor->load(block) || !cursor->load_frequencies()) return corrupt("a posting list is damaged");
        for (uint32_t index = 0; index < cursor->size(); ++index) {
          const uint32_t item = renamed[cursor->items()[index]];
          if (item == kDead) continue;
          if (cursor->frequencies()[index] > kMaxTermFrequency) return corrupt("a term frequency is impossible");
          items->push_back(item);
          frequencies->push_back(cursor->frequencies()[index]);
        }
      }
    }
    return Status::success();
  }

  void write_batch() {
    for (size_t index = 0; index < batch_.size(); ++index) {
      const Group& group = groups_[index / kGroupTerms];
      const size_t place = index % kGroupTerms;
      if (group.counts[place] > 0) write_term(term_of(batch_[index]), group.counts[place], group.sizes[place]);
    }
    for (Group& group : groups_) {
      if (!group.bytes.empty()) postings_.push_back(std::move(group.bytes));
    }
  }

  void write_term(std::string_view term, uint32_t count, size_t bytes) {
    size_t shared = 0;
    if (header_.terms % kDictionaryBlock == 0) {
      const auto* const begin = reinterpret_cast<const uint8_t*>(term.data());
      heads_.push_back({term_prefix(begin, term.size()), dictionary_.size(), postings_bytes_});
    } else {
      const size_t most = std::min(term.size(), previous_.size());
      while (shared < most && term[shared] == previous_[shared]) ++shared;
    }
    append_varint(shared, &dictionary_);
    append_varint(term.size() - shared, &dictionary_);
    dictionary_.insert(dictionary_.end(), term.begin() + static_cast<std::ptrdiff_t>(shared), term.end());
    append_varint(count, &dictionary_);
    append_varint(bytes, &dictionary_);
    previous_ = term;
    ++header_.terms;
    header_.postings += count;
    postings_bytes_ += bytes;
  }

  Status assemble(MemoryBlock* file) {
    header_.items = static_cast<int32_t>(lengths_.size());
    header_.source = options_.source;
    const int64_t sizes[kTermsSections] = {
        static_cast<int64_t>(lengths_.size() * 4), static_cast<int64_t>(heads_.size() * sizeof(DictionaryHead)),
        static_cast<int64_t>(dictionary_.size()), static_cast<int64_t>(postings_bytes_)};
    for (size_t section = 0; section < kTermsSections; ++section) header_.sections[section].bytes = sizes[section];
    SectionedHeader sections(&header_);
    sections.place(kTermsFormat);
    if (!file->resize(0) || !file->resize(static_cast<size_t>(sections.file_bytes()))) return Status::no_memory();
    const auto put = [this, file](TermsSection section, const void* bytes) {
      const SectionRange& place = header_.sections[static_cast<size_t>(section)];
      if (place.bytes > 0) std::memcpy(file->data() + place.offset, bytes, static_cast<size_t>(place.bytes));
    };
    put(TermsSection::lengths, lengths_.data());
    put(TermsSection::heads, heads_.data());
    put(TermsSection::dictionary, dictionary_.data());
    uint8_t* at = file->data() + header_.sections[static_cast<size_t>(TermsSection::postings)].offset;
    for (const std::vector<uint8_t>& bytes : postings_) {
      std::memcpy(at, bytes.data(), bytes.size());
      at += bytes.size();
    }
    sections.sum_sections(file->data());
    sections.write(file->data());
    return Status::success();
  }

  const TermsPart* const parts_;
  const size_t count_;
  const TermsMergeOptions options_;
  ParallelWatch watch_;
  std::vector<Source> sources_;
  std::vector<std::vector<uint32_t>> items_;
  std::vector<uint32_t> lengths_;
  std::vector<BatchTerm> batch_;
  std::vector<PartList> lists_;
  std::vector<char> bytes_;
  std::vector<Group> groups_;
  TermsHeader header_ = {};
  std::vector<DictionaryHead> heads_;
  std::vector<uint8_t> dictionary_;
  std::vector<std::vector<uint8_t>> postings_;
  uint64_t postings_bytes_ = 0;
  std::string previous_;
};

}  // namespace

Status merge_terms(const TermsPart* parts, size_t count, const TermsMergeOptions& options, MemoryBlock* file) try {
  return TermsMerge(parts, count, options).run(file);
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

TermsBuilder::TermsBuilder() : tail_(std::make_unique<TermsTail>()) {}

Status TermsBuilder::add(const TermsDocument* documents, size_t count) try {
  for (size_t index = 0; index < count; ++index) {
    Status status = tail_->append(documents + index, 1);
    if (!status.ok()) return status;
    if (tail_->items() >= kSpillItems || tail_->memory() >= kSpillBytes) {
      status = spill();
      if (!status.ok()) return status;
    }
  }
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status TermsBuilder::spill() {
  const TermsPart part = TermsPart::of(*tail_);
  auto file = std::make_unique<MemoryBlock>();
  TermsMergeOptions options;
  options.threads = 1;
  const Status status = merge_terms(&part, 1, options, file.get());
  if (!status.ok()) return status;
  files_.push_back(std::move(file));
  tail_ = std::make_unique<TermsTail>();
  return status;
}

Status TermsBuilder::finish(const TermsMergeOptions& options, MemoryBlock* file) try {
  std::vector<TermsView> views(files_.size());
  std::vector<TermsPart> parts;
  for (size_t index = 0; index < files_.size(); ++index) {
    const MemoryBlock& bytes = *files_[index];
    const Status status = TermsView::open(bytes.data(), static_cast<int64_t>(bytes.size()), &views[index]);
    if (!status.ok()) return status;
    parts.push_back(TermsPart::of(views[index]));
  }
  parts.push_back(TermsPart::of(*tail_));
  return merge_terms(parts.data(), parts.size(), options, file);
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
