#include "search/tail_image.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "base/cancel.h"
#include "base/checksum.h"
#include "base/parallel_blocks.h"
#include "base/status.h"
#include "distance/vector_check.h"
#include "io/atomic_file.h"
#include "io/mapped_file.h"

namespace semantic_index {

namespace {

constexpr const char* kSectionNames[kTailSections] = {"keys", "alive", "rows", "lengths", "terms", "bytes", "postings"};

constexpr int64_t kRowsBetweenChecks = 1024;

int64_t words_of(int64_t items) { return (items + 31) / 32; }

/** Checks the header, and that the sections have the sizes that its counts ask for. */
Status check_header(const uint8_t* bytes, int64_t size, const NodeLayout& layout, TailHeader* header) {
  SectionedHeader sections(header);
  Status status = sections.read(kTailFormat, bytes, size);
  if (status.ok()) status = sections.check_places(kTailFormat, size);
  if (!status.ok()) return status;
  if (header->metric != static_cast<int32_t>(layout.metric) || header->dimensions != layout.dimensions) {
    return Status::failure(StatusCode::wrong_layout, "the tail image has other vectors");
  }
  const auto bytes_of = [header](TailSection section) { return header->sections[static_cast<size_t>(section)].bytes; };
  const int64_t items = header->items;
  const bool fits = items >= 0 && items <= kMaxTermsItems && bytes_of(TailSection::keys) == items * 8 &&
                    (bytes_of(TailSection::alive) == 0 || bytes_of(TailSection::alive) == words_of(items) * 4) &&
                    bytes_of(TailSection::rows) == items * static_cast<int64_t>(layout.vector_bytes) &&
                    bytes_of(TailSection::lengths) == items * 4 &&
                    bytes_of(TailSection::terms) % static_cast<int64_t>(sizeof(ImageTerm)) == 0 &&
                    bytes_of(TailSection::postings) % 4 == 0;
  return fits ? status : corrupt("the sections of the tail image do not have the sizes that its counts ask for");
}

/** An image whose header was checked. */
class ImageReader {
 public:
  ImageReader(const uint8_t* bytes, const TailHeader& header, std::shared_ptr<const MappedFile> file,
              const std::atomic<bool>* cancel)
      : bytes_(bytes), header_(header), file_(std::move(file)), cancel_(cancel) {}

  Status read_keys(LoadedTail* loaded) const {
    Status status = verify(TailSection::keys);
    if (status.ok()) status = verify(TailSection::alive);
    if (!status.ok()) return status;
    loaded->keys.assign(at<int64_t>(TailSection::keys), at<int64_t>(TailSection::keys) + header_.items);
    loaded->alive.assign(at<uint32_t>(TailSection::alive),
                         at<uint32_t>(TailSection::alive) + count<uint32_t>(TailSection::alive));
    const auto ascends = [](int64_t left, int64_t right) { return left >= right; };
    const auto found = std::adjacent_find(loaded->keys.begin(), loaded->keys.end(), ascends);
    return found == loaded->keys.end() ? status : corrupt("the keys of the tail image do not ascend");
  }

  Status read_rows(RowBuffer* rows) const {
    const NodeLayout& layout = rows->layout();
    const auto row_bytes = static_cast<int64_t>(layout.vector_bytes);
    const SectionRange& section = header_.sections[static_cast<size_t>(TailSection::rows)];
    const int64_t chunk_rows = RowBuffer::chunk_rows(layout);
    Checksum sum;
    for (int64_t row = 0; row < header_.items; row += chunk_rows) {
      if (is_raised(cancel_)) return cancelled();
      const int64_t count = std::min(chunk_rows, header_.items - row);
      const uint8_t* const begin = bytes_ + section.offset + row * row_bytes;
      const auto size = static_cast<size_t>(count * row_bytes);
      sum.update(begin, size);
      if (layout.metric != Metric::hamming &&
          find_not_finite(reinterpret_cast<const float*>(begin), size / sizeof(float)) >= 0) {
        return corrupt("the tail image has a vector with NaN or infinity");
      }
      const Status status = rows->adopt(file_, begin, count);
      if (!status.ok()) return status;
    }
    return sum.value() == section.checksum ? Status::success() : corrupt("damaged section: rows");
  }

  Status read_terms(TermsTail* terms) const {
    for (const TailSection section :
         {TailSection::lengths, TailSection::terms, TailSection::bytes, TailSection::postings}) {
      const Status status = verify(section);
      if (!status.ok()) return status;
    }
    TermsImageView image;
    image.items = static_cast<uint32_t>(header_.items);
    image.lengths = at<uint32_t>(TailSection::lengths);
    image.terms = at<ImageTerm>(TailSection::terms);
    image.term_count = count<ImageTerm>(TailSection::terms);
    image.bytes = at<uint8_t>(TailSection::bytes);
    image.byte_count = count<uint8_t>(TailSection::bytes);
    image.postings = at<uint32_t>(TailSection::postings);
    image.word_count = count<uint32_t>(TailSection::postings);
    return terms->load(image, cancel_);
  }

 private:
  Status verify(TailSection section) const {
    return verify_section(kTailFormat, bytes_, header_.sections, static_cast<size_t>(section), cancel_);
  }

  template <typename T>
  const T* at(TailSection section) const {
    return reinterpret_cast<const T*>(bytes_ + header_.sections[static_cast<size_t>(section)].offset);
  }

  template <typename T>
  size_t count(TailSection section) const {
    return static_cast<size_t>(header_.sections[static_cast<size_t>(section)].bytes) / sizeof(T);
  }

  const uint8_t* bytes_;
  const TailHeader& header_;
  /** What the bytes are mapped from; nullptr when they are in memory. */
  const std::shared_ptr<const MappedFile> file_;
  const std::atomic<bool>* cancel_;
};

}  // namespace

const SectionedFormat kTailFormat = {{'S', 'I', 'T', 'A', 'I', 'L', '1', '\n'}, 1, "tail image", kSectionNames};

Status make_tail_image(const TailSource& source, const std::atomic<bool>* cancel, MemoryBlock* file) try {
  const auto items = static_cast<int64_t>(source.keys.size());
  if (source.rows.rows() < items || source.terms == nullptr || source.terms->items() < items) {
    return invalid("a tail has more keys than documents");
  }
  if (!source.alive.empty() && static_cast<int64_t>(source.alive.size()) != words_of(items)) {
    return invalid("the set of documents of a tail has the wrong size");
  }
  TermsImage terms;
  const Status status = terms.set(*source.terms, static_cast<int32_t>(items));
  if (!status.ok()) return status;
  const NodeLayout& layout = source.rows.layout();
  TailHeader header = {};
  header.items = static_cast<int32_t>(items);
  header.metric = static_cast<int32_t>(layout.metric);
  header.dimensions = layout.dimensions;
  const BytesView parts[kTailSections] = {
      {source.keys.data(), items * 8},
      {source.alive.data(), static_cast<int64_t>(source.alive.size()) * 4},
      {nullptr, items * static_cast<int64_t>(layout.vector_bytes)},
      {terms.lengths.data(), static_cast<int64_t>(terms.lengths.size()) * 4},
      {terms.terms.data(), static_cast<int64_t>(terms.terms.size() * sizeof(ImageTerm))},
      {terms.bytes.data(), static_cast<int64_t>(terms.bytes.size())},
      {terms.postings.data(), static_cast<int64_t>(terms.postings.size()) * 4},
  };
  for (size_t number = 0; number < kTailSections; ++number) header.sections[number].bytes = parts[number].size;
  SectionedHeader sections(&header);
  sections.place(kTailFormat);
  if (!file->resize(static_cast<size_t>(sections.file_bytes()))) return Status::no_memory();
  for (size_t number = 0; number < kTailSections; ++number) {
    if (parts[number].size == 0 || parts[number].data == nullptr) continue;
    std::memcpy(file->data() + header.sections[number].offset, parts[number].data,
                static_cast<size_t>(parts[number].size));
  }
  uint8_t* row_bytes = file->data() + header.sections[static_cast<size_t>(TailSection::rows)].offset;
  for (int64_t row = 0; row < items; ++row, row_bytes += layout.vector_bytes) {
    if (row % kRowsBetweenChecks == 0 && is_raised(cancel)) return cancelled();
    float norm = 0;
    std::memcpy(row_bytes, source.rows.row(row, &norm), layout.vector_bytes);
  }
  sections.sum_sections(file->data());
  sections.write(file->data());
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

static Status read_image(const uint8_t* bytes, int64_t size, std::shared_ptr<const MappedFile> file, int threads,
                         const std::atomic<bool>* cancel, RowBuffer* rows, TermsTail* terms, LoadedTail* loaded) try {
  TailHeader header;
  Status status = check_header(bytes, size, rows->layout(), &header);
  const ImageReader reader(bytes, header, std::move(file), cancel);
  if (status.ok()) status = reader.read_keys(loaded);
  if (!status.ok()) return status;
  loaded->checksum = header.header_checksum;
  ParallelWatch watch;
  watch.cancel = cancel;
  return run_blocks(std::min(thread_count(threads), 2), 2, &watch, [&] {
    return [&](int64_t block) { return block == 0 ? reader.read_terms(terms) : reader.read_rows(rows); };
  });
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status read_tail_image(const uint8_t* bytes, int64_t size, int threads, const std::atomic<bool>* cancel,
                       RowBuffer* rows, TermsTail* terms, LoadedTail* loaded) {
  return read_image(bytes, size, nullptr, threads, cancel, rows, terms, loaded);
}

Status load_tail_image(const std::string& path, int threads, const std::atomic<bool>* cancel, RowBuffer* rows,
                       TermsTail* terms, LoadedTail* loaded) {
  std::unique_ptr<MappedFile> opened;
  Status status = MappedFile::open(path, &opened);
  if (!status.ok()) return status;
  const std::shared_ptr<const MappedFile> file = std::move(opened);
  status = read_image(file->data(), file->size(), file, threads, cancel, rows, terms, loaded);
  // The bytes were read twice, for their checksum and for their use; vectors will be read again.
  if (file->has_changed()) {
    return Status::failure(StatusCode::file_changed, "the tail image was changed while it was read");
  }
  return status;
}

}  // namespace semantic_index
