// Tail images: what is read is what was written, and whatever the bytes are, nothing is read out of bounds.

#include "search/tail_image.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "io/atomic_file.h"
#include "support/check.h"
#include "support/terms_corpus.h"

using namespace semantic_index_test;

namespace {

NodeLayout layout_of(Metric metric, int32_t dimensions) {
  NodeLayout layout;
  CHECK_OK(make_layout(metric, dimensions, &layout));
  return layout;
}

/** Documents in memory, and their image. */
struct World {
  explicit World(Metric metric, int32_t items, uint64_t seed = 1) : layout(layout_of(metric, 20)), rows(layout) {
    Random random(seed);
    const Corpus corpus = random_corpus(static_cast<size_t>(items), 200, 12, &random);
    if (items > 0) append_to(&tail, corpus, 0, corpus.size());
    std::vector<float> numbers(static_cast<size_t>(items) * 20);
    for (float& number : numbers) {
      const auto value = static_cast<float>(random.below(1000)) / 500 - 1;
      number = metric == Metric::hamming ? (value > 0 ? 1.0f : 0.0f) : value;
    }
    CHECK_OK(rows.append(numbers.data(), items));
    source.rows = rows.snapshot();
    source.terms = &tail;
    for (int32_t item = 0; item < items; ++item) source.keys.push_back(3 + 2 * static_cast<int64_t>(item));
    if (items > 0) {
      source.alive.assign(static_cast<size_t>((items + 31) / 32), 0x7fffffffu);
    }
    CHECK_OK(make_tail_image(source, nullptr, &file));
  }

  Status read(RowBuffer* into_rows, TermsTail* into_terms, LoadedTail* loaded, int threads = 1) const {
    return read_tail_image(file.data(), static_cast<int64_t>(file.size()), threads, nullptr, into_rows, into_terms,
                           loaded);
  }

  NodeLayout layout;
  RowBuffer rows;
  TermsTail tail;
  TailSource source;
  MemoryBlock file;
};

void check_same_terms(const TermsTail& left, const TermsTail& right) {
  CHECK_EQUAL(left.items(), right.items());
  TermsImage one;
  TermsImage other;
  CHECK_OK(one.set(left, left.items()));
  CHECK_OK(other.set(right, right.items()));
  CHECK(one.lengths == other.lengths);
  CHECK(one.bytes == other.bytes);
  CHECK(one.postings == other.postings);
  CHECK_EQUAL(left.total_length(left.items()), right.total_length(right.items()));
}

}  // namespace

TEST(an_image_holds_what_was_in_memory) {
  for (const Metric metric : {Metric::angular, Metric::euclidean, Metric::dot, Metric::hamming}) {
    for (const int32_t items : {0, 1, 31, 2000}) {
      const World world(metric, items);
      for (const int threads : {1, 2}) {
        RowBuffer rows(world.layout);
        TermsTail terms;
        LoadedTail loaded;
        CHECK_OK(world.read(&rows, &terms, &loaded, threads));
        CHECK(loaded.keys == world.source.keys);
        CHECK(loaded.alive == world.source.alive);
        CHECK_EQUAL(rows.rows(), int64_t{items});
        std::vector<float> expected(20);
        std::vector<float> found(20);
        for (int64_t row = 0; row < items; ++row) {
          CHECK_OK(world.rows.row(row, expected.data()));
          CHECK_OK(rows.row(row, found.data()));
          CHECK(expected == found);
          float expected_norm = 0;
          float norm = 0;
          world.rows.snapshot().row(row, &expected_norm);
          rows.snapshot().row(row, &norm);
          CHECK(expected_norm == norm);
        }
        check_same_terms(terms, world.tail);
      }
    }
  }
}

TEST(the_bytes_depend_on_the_documents_alone) {
  const World one(Metric::angular, 500);
  const World other(Metric::angular, 500);
  CHECK_EQUAL(one.file.size(), other.file.size());
  CHECK(std::equal(one.file.data(), one.file.data() + one.file.size(), other.file.data()));
}

TEST(documents_are_appended_behind_an_image) {
  const World world(Metric::angular, 700);
  Random random(9);
  const Corpus more = random_corpus(300, 400, 12, &random);
  RowBuffer rows(world.layout);
  TermsTail terms;
  LoadedTail loaded;
  CHECK_OK(world.read(&rows, &terms, &loaded));
  const std::vector<float> numbers(300 * 20, 0.25f);
  RowBuffer expected_rows = world.rows;
  CHECK_OK(expected_rows.append(numbers.data(), 300));
  CHECK_OK(rows.append(numbers.data(), 300));
  CHECK_EQUAL(rows.rows(), int64_t{1000});
  World grown(Metric::angular, 700);
  append_to(&grown.tail, more, 0, more.size());
  append_to(&terms, more, 0, more.size());
  check_same_terms(terms, grown.tail);
  std::vector<float> found(20);
  CHECK_OK(rows.row(999, found.data()));
  CHECK(found == std::vector<float>(20, 0.25f));
  std::unique_ptr<RowBuffer> rest;
  CHECK_OK(rows.drop(690, &rest));
  CHECK_EQUAL(rest->rows(), int64_t{310});
}

TEST(a_flipped_bit_is_found_anywhere) {
  const World world(Metric::angular, 60);
  std::vector<uint8_t> bytes(world.file.data(), world.file.data() + world.file.size());
  TailHeader header;
  std::copy(bytes.begin(), bytes.begin() + sizeof header, reinterpret_cast<uint8_t*>(&header));
  std::vector<bool> covered(bytes.size(), false);
  std::fill(covered.begin(), covered.begin() + sizeof header, true);
  for (const SectionRange& section : header.sections) {
    std::fill(covered.begin() + section.offset, covered.begin() + section.offset + section.bytes, true);
  }
  for (size_t place = 0; place < bytes.size(); ++place) {
    if (!covered[place]) continue;
    bytes[place] ^= static_cast<uint8_t>(1u << (place % 8));
    RowBuffer rows(world.layout);
    TermsTail terms;
    LoadedTail loaded;
    const Status status =
        read_tail_image(bytes.data(), static_cast<int64_t>(bytes.size()), 1, nullptr, &rows, &terms, &loaded);
    CHECK(status.code == StatusCode::corrupt || status.code == StatusCode::wrong_layout);
    bytes[place] ^= static_cast<uint8_t>(1u << (place % 8));
  }
  for (size_t size = 0; size < bytes.size(); size += 7) {
    RowBuffer rows(world.layout);
    TermsTail terms;
    LoadedTail loaded;
    CHECK(!read_tail_image(bytes.data(), static_cast<int64_t>(size), 1, nullptr, &rows, &terms, &loaded).ok());
  }
}

TEST(arrays_with_valid_checksums_may_contradict_themselves) {
  const World world(Metric::angular, 60);
  TermsImage image;
  CHECK_OK(image.set(world.tail, 60));
  Random random(4);
  for (int round = 0; round < 3000; ++round) {
    TermsImage other = image;
    const uint32_t place = random.below(4);
    const uint32_t value = random.below(2) == 0 ? random.below(70) : static_cast<uint32_t>(random.next());
    if (place == 0) other.lengths[random.below(static_cast<uint32_t>(other.lengths.size()))] = value;
    if (place == 1) other.terms[random.below(static_cast<uint32_t>(other.terms.size()))].size = value;
    if (place == 2) other.terms[random.below(static_cast<uint32_t>(other.terms.size()))].count = value;
    if (place == 3) other.postings[random.below(static_cast<uint32_t>(other.postings.size()))] = value;
    TermsImageView view;
    view.items = 60;
    view.lengths = other.lengths.data();
    view.terms = other.terms.data();
    view.term_count = other.terms.size();
    view.bytes = other.bytes.data();
    view.byte_count = other.bytes.size();
    view.postings = other.postings.data();
    view.word_count = other.postings.size();
    TermsTail tail;
    const Status status = tail.load(view);
    CHECK(status.ok() || status.code == StatusCode::corrupt);
    TermsImage again;
    if (status.ok()) CHECK_OK(again.set(tail, 60));
  }
}

TEST(terms_ascend_and_are_distinct) {
  const uint32_t lengths[] = {2};
  const uint32_t postings[] = {1u << 28, 1u << 28};
  const auto load = [&](const std::string& bytes, uint32_t first, TermsTail* tail) {
    const ImageTerm terms[] = {{first, 1}, {static_cast<uint32_t>(bytes.size()) - first, 1}};
    TermsImageView view;
    view.items = 1;
    view.lengths = lengths;
    view.terms = terms;
    view.term_count = 2;
    view.bytes = reinterpret_cast<const uint8_t*>(bytes.data());
    view.byte_count = bytes.size();
    view.postings = postings;
    view.word_count = 2;
    return tail->load(view);
  };
  TermsTail ascending;
  CHECK_OK(load("abb", 2, &ascending));
  const TermBytes terms[] = {{"ab", 2}, {"b", 1}, {"a", 1}};
  PostingList lists[3];
  ascending.find(terms, 3, 1, lists);
  CHECK_EQUAL(lists[0].count, 1u);
  CHECK_EQUAL(lists[1].count, 1u);
  CHECK_EQUAL(lists[2].count, 0u);
  const std::pair<const char*, uint32_t> others[] = {{"ba", 1}, {"aa", 1}, {"aba", 2}, {"bab", 2}};
  for (const auto& [bytes, first] : others) {
    TermsTail tail;
    CHECK(load(bytes, first, &tail).code == StatusCode::corrupt);
  }
}

TEST(other_vectors_and_used_targets_are_refused) {
  const World world(Metric::angular, 60);
  RowBuffer others(layout_of(Metric::euclidean, 20));
  TermsTail terms;
  LoadedTail loaded;
  CHECK(world.read(&others, &terms, &loaded).code == StatusCode::wrong_layout);
  RowBuffer rows(world.layout);
  CHECK_OK(world.read(&rows, &terms, &loaded));
  CHECK(world.read(&rows, &terms, &loaded).code == StatusCode::invalid_argument);
}

TEST(vectors_stay_in_the_file_until_that_changes) {
  const char* const folder = std::getenv("TMPDIR");
  const std::string path =
      std::string(folder != nullptr ? folder : "/tmp") + "/semantic-index-" + std::to_string(getpid()) + "-image.tail";
  const NodeLayout layout = layout_of(Metric::angular, 20);
  const auto items = static_cast<int32_t>(2 * RowBuffer::chunk_rows(layout) + 40);
  const World world(Metric::angular, items);
  const auto load = [&](RowBuffer* rows) {
    TermsTail terms;
    LoadedTail loaded;
    CHECK_OK(load_tail_image(path, 2, nullptr, rows, &terms, &loaded));
    CHECK_EQUAL(rows->rows(), int64_t{items});
  };
  enum class Change { written, cut, replaced, removed };
  for (const Change change : {Change::written, Change::cut, Change::replaced, Change::removed}) {
    CHECK_OK(save_atomically(path, world.file));
    RowBuffer rows(layout);
    load(&rows);
    CHECK(rows.bytes() < items * static_cast<int64_t>(layout.vector_bytes));
    CHECK(!rows.snapshot().has_changed());
    // A snapshot keeps the file mapped.
    RowBuffer::Snapshot snapshot = rows.snapshot();
    rows = RowBuffer(layout);
    std::FILE* file = nullptr;
    switch (change) {
      case Change::written:
        file = std::fopen(path.c_str(), "r+b");
        CHECK(file != nullptr && std::fseek(file, 4000, SEEK_SET) == 0 && std::fputc(1, file) == 1);
        CHECK_EQUAL(std::fclose(file), 0);
        break;
      case Change::cut:
        CHECK_EQUAL(truncate(path.c_str(), 0), 0);
        break;
      case Change::replaced:
        CHECK_OK(save_atomically(path, world.file));
        break;
      case Change::removed:
        CHECK_EQUAL(std::remove(path.c_str()), 0);
        break;
    }
    // Rows of pages that are lost read as zeros, and do not end the process.
    float norm = 0;
    float sum = 0;
    for (int64_t row = 0; row < items; ++row) {
      float first = 0;
      std::memcpy(&first, snapshot.row(row, &norm), sizeof first);
      sum += first;
    }
    CHECK(sum == sum);
    CHECK_EQUAL(snapshot.has_changed(), change != Change::removed);
  }
  std::remove(path.c_str());
}
