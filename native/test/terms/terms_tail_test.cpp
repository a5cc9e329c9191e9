// The tail: the same answers as a file, and snapshots that stay as they are while documents are appended.

#include <thread>

#include "support/check.h"
#include "support/terms_corpus.h"
#include "terms/build/terms_merge.h"

using namespace semantic_index_test;

namespace {

std::vector<TermsHit> search(const TermsSnapshot& snapshot, const std::vector<std::string>& terms, int64_t k) {
  TermsQuery query;
  const std::vector<QueryTerm> bytes = as_terms(terms);
  CHECK_OK(query.prepare(snapshot, bytes.data(), bytes.size()));
  std::vector<TermsHit> hits;
  CHECK_OK(query.search({k, nullptr, nullptr}, &hits));
  return hits;
}

void check_same(const std::vector<TermsHit>& left, const std::vector<TermsHit>& right) {
  CHECK_EQUAL(left.size(), right.size());
  for (size_t rank = 0; rank < left.size(); ++rank) {
    CHECK(left[rank].score == right[rank].score);
    CHECK_EQUAL(left[rank].item, right[rank].item);
  }
}

const std::vector<std::vector<std::string>> kQueries = {{"w0"}, {"w1", "w5", "w0"}, {"w40", "w3"}, {"w99", "w99"}};

/** The hits of each query over the first `items` documents, from a file. */
std::vector<std::vector<TermsHit>> hits_of_file(const Corpus& corpus, size_t items) {
  MemoryBlock file;
  build_file(Corpus(corpus.begin(), corpus.begin() + static_cast<std::ptrdiff_t>(items)), &file);
  const TermsView view = view_of(file);
  TermsSnapshot snapshot;
  CHECK_OK(snapshot.add(TermsPart::of(view)));
  std::vector<std::vector<TermsHit>> hits;
  for (const std::vector<std::string>& query : kQueries) hits.push_back(search(snapshot, query, 10));
  return hits;
}

}  // namespace

TEST(a_tail_finds_what_a_file_finds) {
  Random random(1);
  const Corpus corpus = random_corpus(3000, 100, 15, &random);
  TermsTail tail;
  for (size_t items = 0; items <= corpus.size(); items += 250) {
    if (items > 0) append_to(&tail, corpus, items - 250, items);
    TermsSnapshot snapshot;
    CHECK_OK(snapshot.add(TermsPart::of(tail)));
    const std::vector<std::vector<TermsHit>> expected = hits_of_file(corpus, items);
    for (size_t query = 0; query < kQueries.size(); ++query) {
      check_same(search(snapshot, kQueries[query], 10), expected[query]);
    }
  }
}

TEST(a_snapshot_stays_while_documents_are_appended) {
  Random random(2);
  const Corpus corpus = random_corpus(2000, 100, 15, &random);
  TermsTail tail;
  std::vector<TermsSnapshot> snapshots(9);
  for (size_t number = 0; number < snapshots.size(); ++number) {
    CHECK_OK(snapshots[number].add(TermsPart::of(tail)));
    if (number + 1 < snapshots.size()) append_to(&tail, corpus, number * 250, (number + 1) * 250);
  }
  for (size_t number = 0; number < snapshots.size(); ++number) {
    const std::vector<std::vector<TermsHit>> expected = hits_of_file(corpus, number * 250);
    for (size_t query = 0; query < kQueries.size(); ++query) {
      check_same(search(snapshots[number], kQueries[query], 10), expected[query]);
    }
  }
}

TEST(searches_run_while_a_writer_appends) {
  Random random(3);
  constexpr size_t kItems = 4000;
  constexpr size_t kBatch = 100;
  const Corpus corpus = random_corpus(kItems, 100, 15, &random);
  std::vector<std::vector<std::vector<TermsHit>>> expected;
  for (size_t items = 0; items <= kItems; items += kBatch) expected.push_back(hits_of_file(corpus, items));
  TermsTail tail;
  std::vector<std::thread> readers;
  for (size_t reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&, reader] {
      size_t items = 0;
      for (size_t round = reader; items < kItems; ++round) {
        const TermsPart part = TermsPart::of(tail);
        items = static_cast<size_t>(part.items);
        // Only whole batches are seen.
        CHECK(items % kBatch == 0);
        TermsSnapshot snapshot;
        CHECK_OK(snapshot.add(part));
        const size_t query = round % kQueries.size();
        check_same(search(snapshot, kQueries[query], 10), expected[items / kBatch][query]);
        if (round % 16 == 0) {
          MemoryBlock file;
          CHECK_OK(merge_terms(&part, 1, {}, &file));
          CHECK_EQUAL(static_cast<size_t>(view_of(file).items()), items);
        }
      }
    });
  }
  for (size_t items = 0; items < kItems; items += kBatch) {
    append_to(&tail, corpus, items, items + kBatch);
    std::this_thread::yield();
  }
  for (std::thread& thread : readers) thread.join();
}

TEST(a_tail_refuses_a_whole_batch) {
  TermsTail tail;
  const DocumentTerm good = {{"a", 1}, 1};
  const DocumentTerm bad = {{"a", 1}, 0};
  const TermsDocument documents[] = {{&good, 1, 1}, {&bad, 1, 1}};
  CHECK(tail.append(documents, 2).code == StatusCode::invalid_argument);
  CHECK_EQUAL(tail.items(), 0);
  CHECK_OK(tail.append(documents, 1));
  CHECK_EQUAL(tail.items(), 1);
  CHECK(tail.memory() > 0);
}
