#include "support/terms_corpus.h"

#include <algorithm>
#include <cmath>

#include "support/check.h"
#include "terms/build/terms_merge.h"
#include "terms/exact_form.h"
#include "terms/postings/bm25.h"

namespace semantic_index_test {

namespace {

/** Calls `take` with the documents from `begin` to `end` in the form of the kernel. */
template <typename Take>
void with_documents(const Corpus& corpus, size_t begin, size_t end, const Take& take) {
  std::vector<std::vector<DocumentTerm>> terms;
  std::vector<TermsDocument> documents;
  for (size_t index = begin; index < end; ++index) {
    terms.emplace_back();
    for (const auto& [term, frequency] : corpus[index].terms) {
      terms.back().push_back({{term.data(), term.size()}, frequency});
    }
  }
  for (size_t index = begin; index < end; ++index) {
    const std::vector<DocumentTerm>& own = terms[index - begin];
    documents.push_back({own.data(), own.size(), corpus[index].length});
  }
  take(documents.data(), documents.size());
}

/** What a query finds when every document is scored, term by term in the order of the query. */
struct Oracle {
  std::vector<TermsHit> hits;
  /** For each part and item; dead ones included. */
  std::vector<std::vector<double>> scores;
};

bool is_better(const TermsHit& left, const TermsHit& right) {
  if (left.score != right.score) return left.score > right.score;
  return left.part != right.part ? left.part < right.part : left.item < right.item;
}

Oracle score_all(const Parts& parts, const std::vector<std::string>& terms, const std::vector<Bits>* allowed) {
  std::vector<std::string> distinct;
  std::map<std::string, uint32_t> times;
  for (const std::string& term : terms) {
    if (++times[term] == 1) distinct.push_back(term);
  }
  Oracle oracle;
  double documents = 0;
  double length = 0;
  for (size_t part = 0; part < parts.corpora.size(); ++part) {
    oracle.scores.emplace_back(parts.corpora[part].size(), 0);
    for (size_t item = 0; item < parts.corpora[part].size(); ++item) {
      if (is_set(parts.dead[part], item)) continue;
      ++documents;
      length += parts.corpora[part][item].length;
    }
  }
  std::vector<double> weights;
  double total = 0;
  const std::vector<Occurrence> nowhere;
  std::vector<const std::vector<Occurrence>*> occurrences;
  for (const std::string& term : distinct) {
    const auto found = parts.occurrences.find(term);
    occurrences.push_back(found == parts.occurrences.end() ? &nowhere : &found->second);
    double df = 0;
    for (const Occurrence& place : *occurrences.back()) df += is_set(parts.dead[place.part], place.item) ? 0 : 1;
    const double share = is_exact_form(term.data(), term.size()) ? 0.25 : 1.0;
    weights.push_back(df == 0 ? 0 : times[term] * std::log(1 + (documents - df + 0.5) / (df + 0.5)) * share);
    total += weights.back();
  }
  const Bm25 scorer(documents, length, total);
  std::vector<std::vector<double>> plain = oracle.scores;
  std::vector<Bits> matching = parts.dead;
  for (size_t part = 0; part < matching.size(); ++part) matching[part].assign(parts.corpora[part].size() / 32 + 1, 0);
  for (size_t index = 0; index < distinct.size(); ++index) {
    if (weights[index] == 0) continue;
    for (const auto& [part, item, frequency] : *occurrences[index]) {
      const uint32_t own = parts.corpora[part][item].length;
      const double tf = frequency;
      const double ratio = length > 0 ? own * documents / length : 0;
      oracle.scores[part][item] += scorer.score(weights[index], frequency, own);
      plain[part][item] += weights[index] * tf / (tf + 1.2 * (0.25 + 0.75 * ratio));
      matching[part][item / 32] |= 1u << (item % 32);
    }
  }
  for (size_t part = 0; part < parts.corpora.size(); ++part) {
    for (size_t item = 0; item < parts.corpora[part].size(); ++item) {
      const double score = oracle.scores[part][item];
      CHECK(std::abs(score - plain[part][item]) <= 1e-12 * total);
      const bool is_allowed = allowed == nullptr || is_set((*allowed)[part], item);
      if (is_set(matching[part], item) && is_allowed && !is_set(parts.dead[part], item)) {
        oracle.hits.push_back({score, static_cast<int32_t>(part), static_cast<int32_t>(item)});
      }
    }
  }
  std::sort(oracle.hits.begin(), oracle.hits.end(), is_better);
  return oracle;
}

}  // namespace

void append_to(TermsTail* tail, const Corpus& corpus, size_t begin, size_t end) {
  with_documents(corpus, begin, end,
                 [tail](const TermsDocument* documents, size_t count) { CHECK_OK(tail->append(documents, count)); });
}

void build_file(const Corpus& corpus, MemoryBlock* file, int threads) {
  TermsBuilder builder;
  with_documents(corpus, 0, corpus.size(),
                 [&builder](const TermsDocument* documents, size_t count) { CHECK_OK(builder.add(documents, count)); });
  TermsMergeOptions options;
  options.threads = threads;
  CHECK_OK(builder.finish(options, file));
}

TermsView view_of(const MemoryBlock& file) {
  TermsView view;
  CHECK_OK(TermsView::open(file.data(), static_cast<int64_t>(file.size()), &view));
  return view;
}

std::vector<uint8_t> bytes_of(const MemoryBlock& file) { return {file.data(), file.data() + file.size()}; }

bool is_set(const Bits& bits, size_t item) {
  return item / 32 < bits.size() && ((bits[item / 32] >> (item % 32)) & 1) != 0;
}

ItemBits set_of(const Bits& bits) {
  // An empty vector may have no address, and no address allows everything.
  static const uint32_t kNone = 0;
  return {bits.empty() ? &kNone : bits.data(), static_cast<int64_t>(bits.size())};
}

Bits random_bits(size_t items, double share, Random* random) {
  Bits bits((items + 31) / 32, 0);
  for (size_t item = 0; item < items; ++item) {
    if (random->below(1u << 20) < share * (1 << 20)) bits[item / 32] |= 1u << (item % 32);
  }
  while (share < 1 && !bits.empty() && bits.back() == 0) bits.pop_back();
  return bits;
}

uint32_t zipf(uint32_t words, Random* random) {
  const double even = static_cast<double>(random->next() >> 11) / 9007199254740992.0;
  return std::min(words - 1, static_cast<uint32_t>(std::exp(even * std::log(words + 1.0)) - 1.0));
}

Corpus random_corpus(size_t items, uint32_t words, uint32_t longest, Random* random) {
  Corpus corpus(items);
  for (Document& document : corpus) {
    const uint32_t count = random->below(20) == 0 ? 0 : random->below(longest + 1);
    for (uint32_t index = 0; index < count; ++index) ++document.terms["w" + std::to_string(zipf(words, random))];
    document.length = count;
    if (count > 0 && random->below(50) == 0) document.terms.begin()->second = 1u << random->below(21);
    if (random->below(50) == 0) document.length = random->below(1u << random->below(25));
  }
  return corpus;
}

void spread(const Corpus& corpus, size_t files, bool with_tail, double dead, Random* random, Parts* parts) {
  const size_t count = files + (with_tail ? 1 : 0);
  std::vector<size_t> ends;
  for (size_t part = 0; part + 1 < count; ++part) {
    ends.push_back(random->below(static_cast<uint32_t>(corpus.size() + 1)));
  }
  ends.push_back(corpus.size());
  std::sort(ends.begin(), ends.end());
  parts->views.resize(files);
  size_t begin = 0;
  for (size_t part = 0; part < count; ++part) {
    parts->corpora.emplace_back(corpus.begin() + static_cast<std::ptrdiff_t>(begin),
                                corpus.begin() + static_cast<std::ptrdiff_t>(ends[part]));
    parts->dead.push_back(random_bits(ends[part] - begin, dead, random));
    begin = ends[part];
  }
  for (size_t part = 0; part < count; ++part) {
    for (size_t item = 0; item < parts->corpora[part].size(); ++item) {
      for (const auto& [term, frequency] : parts->corpora[part][item].terms) {
        parts->occurrences[term].push_back({part, item, frequency});
      }
    }
  }
  for (size_t part = 0; part < count; ++part) {
    const ItemBits bits = set_of(parts->dead[part]);
    if (part == files) {
      append_to(parts->tail.get(), parts->corpora[part], 0, parts->corpora[part].size());
      parts->parts.push_back(TermsPart::of(*parts->tail, bits));
    } else {
      parts->files.push_back(std::make_unique<MemoryBlock>());
      build_file(parts->corpora[part], parts->files.back().get());
      parts->views[part] = view_of(*parts->files.back());
      parts->parts.push_back(TermsPart::of(parts->views[part], bits));
    }
    CHECK_OK(parts->snapshot.add(parts->parts.back()));
  }
}

std::vector<QueryTerm> as_terms(const std::vector<std::string>& terms) {
  std::vector<QueryTerm> result;
  for (const std::string& term : terms) result.push_back({{term.data(), term.size()}, 1});
  return result;
}

void check_query(const Parts& parts, const std::vector<std::string>& terms, const std::vector<Bits>* allowed,
                 const std::vector<int64_t>& ks, TermsQuery* query, Random* random) {
  const Oracle oracle = score_all(parts, terms, allowed);
  const std::vector<QueryTerm> bytes = as_terms(terms);
  CHECK_OK(query->prepare(parts.snapshot, bytes.data(), bytes.size()));
  std::vector<ItemBits> sets;
  for (size_t part = 0; allowed != nullptr && part < allowed->size(); ++part) sets.push_back(set_of((*allowed)[part]));
  TermsSearchOptions options;
  options.allowed = allowed == nullptr ? nullptr : sets.data();
  for (const int64_t k : ks) {
    options.k = k;
    std::vector<TermsHit> hits;
    CHECK_OK(query->search(options, &hits));
    CHECK_EQUAL(hits.size(), std::min(oracle.hits.size(), static_cast<size_t>(k)));
    for (size_t rank = 0; rank < hits.size(); ++rank) {
      CHECK_EQUAL(hits[rank].part, oracle.hits[rank].part);
      CHECK_EQUAL(hits[rank].item, oracle.hits[rank].item);
      CHECK(hits[rank].score == oracle.hits[rank].score);
    }
  }
  int64_t matches = -1;
  CHECK_OK(query->count(options, &matches));
  CHECK_EQUAL(matches, static_cast<int64_t>(oracle.hits.size()));
  for (size_t part = 0; part < parts.corpora.size(); ++part) {
    const auto items = static_cast<uint32_t>(parts.corpora[part].size());
    std::vector<uint32_t> wanted;
    for (uint32_t index = 0; items > 0 && index < 20; ++index) wanted.push_back(random->below(items));
    std::vector<double> scores(wanted.size(), -1);
    CHECK_OK(query->score(part, wanted.data(), wanted.size(), scores.data()));
    for (size_t index = 0; index < wanted.size(); ++index) CHECK(scores[index] == oracle.scores[part][wanted[index]]);
  }
}

}  // namespace semantic_index_test
