// Measures the inverted index on real text: `measure_terms DOCUMENTS QUESTIONS [count] [threads]`, files of one text
// per line. Words are runs of ASCII letters, digits and bytes above 127, in lower case.
//
// Prints bytes per document, seconds of building and merging, microseconds of opening, and percentiles of the time of a
// search for the ten best on one thread, for the whole file, four files with a tail, deleted documents, and filters.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "io/atomic_file.h"
#include "io/mapped_file.h"
#include "support/check.h"
#include "terms/build/terms_merge.h"
#include "terms/query/terms_query.h"

using namespace semantic_index;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/** The words of a text, in their order. */
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  for (size_t index = 0; index <= text.size(); ++index) {
    const unsigned char byte = index < text.size() ? static_cast<unsigned char>(text[index]) : ' ';
    if (byte >= 'A' && byte <= 'Z') {
      word += static_cast<char>(byte + 32);
    } else if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte > 127) {
      word += static_cast<char>(byte);
    } else if (!word.empty()) {
      words.push_back(word);
      word.clear();
    }
  }
  return words;
}

std::vector<std::string> lines_of(const char* path, size_t most) {
  std::ifstream file(path);
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path);
    std::exit(1);
  }
  std::vector<std::string> lines;
  std::string line;
  while (lines.size() < most && std::getline(file, line)) lines.push_back(line);
  return lines;
}

/** A document with its terms, as analysis hands it over. */
struct Analysed {
  std::vector<std::pair<std::string, uint32_t>> terms;
  uint32_t length = 0;
};

/** Bytes that positions would take: for each posting the gaps between the places of the word, as varints. */
int64_t position_bytes = 0;

Analysed analyse(const std::string& text) {
  Analysed result;
  std::map<std::string, std::vector<uint32_t>> places;
  for (const std::string& word : words_of(text)) places[word].push_back(result.length++);
  for (const auto& [word, positions] : places) {
    result.terms.emplace_back(word, static_cast<uint32_t>(positions.size()));
    uint32_t previous = 0;
    for (const uint32_t position : positions) {
      position_bytes += position - previous < 128 ? 1 : 2;
      previous = position;
    }
  }
  return result;
}

/** Calls `take` with pieces of the documents in the form of the kernel. */
template <typename Take>
void feed(const std::vector<Analysed>& documents, size_t begin, size_t end, const Take& take) {
  std::vector<DocumentTerm> terms;
  for (size_t index = begin; index < end; ++index) {
    terms.clear();
    for (const auto& [word, frequency] : documents[index].terms)
      terms.push_back({{word.data(), word.size()}, frequency});
    const TermsDocument document = {terms.data(), terms.size(), documents[index].length};
    take(document);
  }
}

struct Question {
  std::vector<std::string> words;
  std::vector<QueryTerm> terms;
};

void measure(const char* name, const TermsSnapshot& snapshot, const std::vector<Question>& questions,
             const ItemBits* allowed, int64_t k = 10) {
  TermsQuery query;
  std::vector<TermsHit> hits;
  std::vector<double> times;
  double preparing = 0;
  TermsWork work;
  TermsSearchOptions options;
  options.k = k;
  options.allowed = allowed;
  for (int round = 0; round < 6; ++round) {
    for (size_t index = 0; index < questions.size(); ++index) {
      const Clock::time_point start = Clock::now();
      CHECK_OK(query.prepare(snapshot, questions[index].terms.data(), questions[index].terms.size()));
      const double prepared = seconds_since(start);
      CHECK_OK(query.search(options, &hits, round == 0 ? &work : nullptr));
      const double taken = seconds_since(start);
      if (round == 0) continue;
      if (round == 1) {
        times.push_back(taken);
        preparing += prepared;
      } else {
        times[index] = std::min(times[index], taken);
      }
    }
  }
  double sum = 0;
  for (const double time : times) sum += time;
  std::sort(times.begin(), times.end());
  const auto count = static_cast<double>(questions.size());
  std::printf(
      "%-34s p50 %.3f ms, p99 %.3f ms, mean %.3f ms (prepare %.3f); scored %.0f, candidates %.0f, blocks %.0f\n", name,
      times[times.size() / 2] * 1e3, times[times.size() * 99 / 100] * 1e3, sum / count * 1e3, preparing / count * 1e3,
      static_cast<double>(work.scored) / count, static_cast<double>(work.candidates) / count,
      static_cast<double>(work.completed_blocks) / count);
}

/** Every n-th item. */
std::vector<uint32_t> every(size_t items, double share, uint64_t seed) {
  std::vector<uint32_t> bits((items + 31) / 32, 0);
  Random random(seed);
  for (size_t item = 0; item < items; ++item) {
    if (random.below(1u << 24) < share * (1 << 24)) bits[item / 32] |= 1u << (item % 32);
  }
  return bits;
}

void print_sizes(const TermsView& view) {
  const TermsHeader& header = view.header();
  const auto items = static_cast<double>(header.items);
  for (size_t section = 0; section < kTermsSections; ++section) {
    std::printf("  %-12s %.1f bytes per document\n", kTermsFormat.sections[section],
                static_cast<double>(header.sections[section].bytes) / items);
  }
  std::printf(
      "  total        %.1f bytes per document; %llu terms, %.1f postings per document\n",
      static_cast<double>(header.sections[kTermsSections - 1].offset + header.sections[kTermsSections - 1].bytes) /
          items,
      static_cast<unsigned long long>(header.terms), static_cast<double>(header.postings) / items);
  std::printf("  positions would add %.1f bytes per document\n", static_cast<double>(position_bytes) / items);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "usage: measure_terms DOCUMENTS QUESTIONS [count] [threads]\n");
    return 1;
  }
  const size_t most = count > 3 ? static_cast<size_t>(std::atoll(arguments[3])) : 100000;
  TermsMergeOptions merging;
  merging.threads = count > 4 ? std::atoi(arguments[4]) : 1;
  std::vector<Analysed> documents;
  for (const std::string& line : lines_of(arguments[1], most)) documents.push_back(analyse(line));
  std::vector<Question> questions;
  for (const std::string& line : lines_of(arguments[2], 1000)) questions.push_back({words_of(line), {}});
  for (Question& question : questions) {
    for (const std::string& word : question.words) question.terms.push_back({word.data(), word.size()});
  }
  const size_t items = documents.size();
  std::printf("%zu documents, %zu questions\n", items, questions.size());

  MemoryBlock built;
  Clock::time_point start = Clock::now();
  TermsBuilder builder;
  feed(documents, 0, items, [&](const TermsDocument& document) { CHECK_OK(builder.add(&document, 1)); });
  CHECK_OK(builder.finish(merging, &built));
  std::printf("build %.2f s\n", seconds_since(start));
  const std::string path = "measure.terms";
  CHECK_OK(save_atomically(path, built));

  std::vector<double> opening;
  std::unique_ptr<MappedFile> map;
  TermsView view;
  for (int round = 0; round < 100; ++round) {
    map.reset();
    start = Clock::now();
    CHECK_OK(MappedFile::open(path, &map));
    CHECK_OK(TermsView::open(map->data(), map->size(), &view, &map->changed()));
    opening.push_back(seconds_since(start));
  }
  std::sort(opening.begin(), opening.end());
  std::printf("open %.1f us\n", opening[50] * 1e6);
  print_sizes(view);
  start = Clock::now();
  CHECK_OK(view.validate());
  std::printf("validate %.2f s\n", seconds_since(start));

  TermsSnapshot one;
  CHECK_OK(one.add(TermsPart::of(view)));
  measure("one file, k 10", one, questions, nullptr);
  measure("one file, k 100", one, questions, nullptr, 100);
  for (const double share : {0.5, 0.1, 0.01, 0.001}) {
    const std::vector<uint32_t> bits = every(items, share, 7);
    const ItemBits allowed = {bits.data(), static_cast<int64_t>(bits.size())};
    char name[64];
    std::snprintf(name, sizeof name, "one file, filter %g", share);
    measure(name, one, questions, &allowed);
  }
  for (const double share : {0.001, 0.01}) {
    const std::vector<uint32_t> bits = every(items, share, 8);
    TermsSnapshot with_dead;
    CHECK_OK(with_dead.add(TermsPart::of(view, {bits.data(), static_cast<int64_t>(bits.size())})));
    char name[64];
    std::snprintf(name, sizeof name, "one file, deleted %g", share);
    measure(name, with_dead, questions, nullptr);
  }

  // Four files and a tail, of which the last holds a tenth.
  std::vector<MemoryBlock> files(4);
  std::vector<TermsView> views(4);
  std::vector<TermsPart> parts;
  const size_t in_files = items - items / 10;
  for (size_t part = 0; part < 4; ++part) {
    TermsBuilder of_part;
    feed(documents, in_files * part / 4, in_files * (part + 1) / 4,
         [&](const TermsDocument& document) { CHECK_OK(of_part.add(&document, 1)); });
    CHECK_OK(of_part.finish(merging, &files[part]));
    CHECK_OK(TermsView::open(files[part].data(), static_cast<int64_t>(files[part].size()), &views[part]));
    parts.push_back(TermsPart::of(views[part]));
  }
  TermsTail tail;
  start = Clock::now();
  feed(documents, in_files, items, [&](const TermsDocument& document) { CHECK_OK(tail.append(&document, 1)); });
  std::printf("append to the tail %.2f us a document, %.0f bytes each\n",
              seconds_since(start) / static_cast<double>(items - in_files) * 1e6,
              static_cast<double>(tail.memory()) / static_cast<double>(items - in_files));
  parts.push_back(TermsPart::of(tail));
  TermsSnapshot several;
  for (const TermsPart& part : parts) CHECK_OK(several.add(part));
  measure("four files and a tail, k 10", several, questions, nullptr);
  MemoryBlock merged;
  start = Clock::now();
  CHECK_OK(merge_terms(parts.data(), parts.size(), merging, &merged));
  std::printf("merge %.2f s\n", seconds_since(start));
  CHECK(merged.size() == built.size() && std::equal(merged.data(), merged.data() + merged.size(), built.data()));
  std::remove(path.c_str());
  return 0;
}
