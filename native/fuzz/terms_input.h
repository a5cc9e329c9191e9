#ifndef SEMANTIC_INDEX_FUZZ_TERMS_INPUT_H_
#define SEMANTIC_INDEX_FUZZ_TERMS_INPUT_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "support/signed_bytes.h"
#include "terms/build/terms_merge.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t maximum);

namespace semantic_index_fuzz {

[[noreturn]] inline void give_up(const char* reason) {
  std::fprintf(stderr, "%s\n", reason);
  std::abort();
}

/** A file with lists of all kinds: short, long, with full and partial last blocks, of stems and of exact forms. */
inline const semantic_index::MemoryBlock& valid_terms_file() {
  using namespace semantic_index;
  static MemoryBlock file;
  if (file.size() > 0) return file;
  Random random(1);
  TermsBuilder builder;
  for (uint32_t item = 0; item < 700; ++item) {
    std::vector<std::string> names = {"all"};
    if (item % 2 == 0) names.push_back("even");
    if (item < 256) names.push_back("blocks");
    if (item % 7 == 0) names.push_back("\xc3\xa9t\xc3\xa9");
    for (int word = 0; word < 3; ++word) {
      names.push_back((random.below(4) == 0 ? "\xee\x80\x81w" : "w") + std::to_string(random.below(30)));
    }
    std::vector<DocumentTerm> terms;
    for (const std::string& name : names) terms.push_back({{name.data(), name.size()}, 1 + random.below(4)});
    const TermsDocument document = {terms.data(), terms.size(), 5 + random.below(90)};
    if (!builder.add(&document, 1).ok()) give_up("no document");
  }
  TermsMergeOptions options;
  options.threads = 1;
  if (!builder.finish(options, &file).ok()) give_up("no file");
  return file;
}

/**
 * The terms file in an input, behind `choices` bytes that choose what is asked of it. Its checksums are put right, for
 * they would keep out nearly everything.
 */
class TermsInput {
 public:
  TermsInput(const uint8_t* data, size_t size, size_t choices) {
    const size_t length = size - choices;
    // On the heap, so that a step beyond is seen; aligned as the kernel asks for.
    memory_.reset(new uint64_t[(length + 7) / 8]);
    auto* const bytes = reinterpret_cast<uint8_t*>(memory_.get());
    if (length > 0) std::memcpy(bytes, data + choices, length);
    semantic_index_test::sign<semantic_index::TermsHeader>(bytes, length);
    is_open_ = semantic_index::TermsView::open(bytes, static_cast<int64_t>(length), &view_).ok();
  }

  bool is_open() const { return is_open_; }
  const semantic_index::TermsView& view() const { return view_; }

 private:
  std::unique_ptr<uint64_t[]> memory_;
  semantic_index::TermsView view_;
  bool is_open_ = false;
};

/** Some items, of those behind the 160th none. */
inline semantic_index::ItemBits some_items() {
  static const uint32_t kWords[] = {0x12345678u, 0xffff0fffu, 0x7fff7777u, 0xffffffffu, 0x00000001u};
  return {kWords, 5};
}

/**
 * Changes what is asked, in one of `rarity` cases each byte of it, and bytes of the file in one of its sections, or,
 * now and then, in its header; begins again with the valid file from time to time.
 */
inline size_t mutate_terms_input(uint8_t* data, size_t size, size_t maximum, unsigned int seed, size_t choices,
                                 uint32_t rarity) {
  using namespace semantic_index;
  Random random(seed);
  const MemoryBlock& file = valid_terms_file();
  if (choices + file.size() > maximum) return LLVMFuzzerMutate(data, size, maximum);
  for (size_t place = 0; place < choices && place < size; ++place) {
    if (random.below(rarity) == 0) data[place] = static_cast<uint8_t>(random.next());
  }
  if (size < choices + sizeof(TermsHeader) || random.below(30) == 0) {
    for (size_t place = 0; place < choices; ++place) data[place] = static_cast<uint8_t>(random.next());
    std::memcpy(data + choices, file.data(), file.size());
    return choices + file.size();
  }
  if (random.below(8) == 0) return LLVMFuzzerMutate(data, size, maximum);
  TermsHeader header;
  std::memcpy(&header, file.data(), sizeof header);
  for (uint32_t change = random.below(8); change > 0; --change) {
    const SectionRange& section = header.sections[random.below(kTermsSections)];
    if (section.bytes == 0) continue;
    const size_t place = random.below(12) == 0
                             ? random.below(sizeof header)
                             : static_cast<size_t>(section.offset) + random.below(static_cast<uint32_t>(section.bytes));
    if (choices + place >= size) continue;
    const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff, 31, 32, static_cast<uint8_t>(random.next())};
    data[choices + place] = values[random.below(8)];
  }
  return size;
}

}  // namespace semantic_index_fuzz

#endif  // SEMANTIC_INDEX_FUZZ_TERMS_INPUT_H_
