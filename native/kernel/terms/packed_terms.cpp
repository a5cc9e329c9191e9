#include "terms/packed_terms.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/status.h"
#include "terms/postings/posting_codec.h"

namespace semantic_index {

namespace {

/** The fewest bytes that a document, a term of a document, or a term of the batch takes. */
constexpr size_t kLeastDocumentBytes = 3;
constexpr size_t kLeastPairBytes = 2;

bool is_below(const TermBytes& left, const TermBytes& right) {
  const size_t shared = std::min(left.size, right.size);
  const int order = shared == 0 ? 0 : std::memcmp(left.bytes, right.bytes, shared);
  return order != 0 ? order < 0 : left.size < right.size;
}

/** Reads a varint of at most 2^53 and returns the byte behind it, nullptr when there is none. */
const uint8_t* read_key(const uint8_t* at, const uint8_t* end, uint64_t* value) {
  uint64_t result = 0;
  for (uint32_t shift = 0; shift < 56 && at < end; shift += 7) {
    const uint64_t byte = *at++;
    result |= (byte & 0x7f) << shift;
    if (byte >= 0x80) continue;
    *value = result;
    return result <= kMaxPackedKey ? at : nullptr;
  }
  return nullptr;
}

/** Reads the bytes of a term behind their number. */
const uint8_t* read_term(const uint8_t* at, const uint8_t* end, TermBytes* term) {
  uint32_t size = 0;
  at = read_varint(at, end, &size);
  if (at == nullptr || size > kMaxTermBytes || size > static_cast<size_t>(end - at)) return nullptr;
  *term = {at, size};
  return at + size;
}

}  // namespace

Status PackedTerms::decode(const uint8_t* bytes, size_t size, PackedTerms* packed) try {
  if (size == 0 || bytes[0] != kPackedTermsVersion) {
    return Status::failure(StatusCode::wrong_layout, "the packed terms have another version");
  }
  const uint8_t* at = bytes + 1;
  const uint8_t* const end = bytes + size;
  uint32_t documents = 0;
  uint32_t terms = 0;
  at = read_varint(at, end, &documents);
  if (at != nullptr) at = read_varint(at, end, &terms);
  if (at == nullptr) return corrupt("the packed terms end in their header");
  PackedTerms result;
  Status status = result.decode_terms(&at, end, terms);
  if (status.ok()) status = result.decode_documents(&at, end, documents);
  if (!status.ok()) return status;
  if (at != end) return corrupt("the packed terms have bytes behind their last document");
  *packed = std::move(result);
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status PackedTerms::decode_terms(const uint8_t** at, const uint8_t* end, uint32_t count) {
  if (count > static_cast<size_t>(end - *at)) return corrupt("the packed terms end before their last term");
  terms_.reserve(count);
  for (uint32_t number = 0; number < count; ++number) {
    TermBytes term;
    *at = read_term(*at, end, &term);
    if (*at == nullptr) return corrupt("a packed term is damaged");
    if (number > 0 && !is_below(terms_.back(), term)) return corrupt("the packed terms do not ascend");
    terms_.push_back(term);
  }
  return Status::success();
}

Status PackedTerms::decode_documents(const uint8_t** begin, const uint8_t* end, uint32_t count) {
  const uint8_t* at = *begin;
  if (count > static_cast<size_t>(end - at) / kLeastDocumentBytes) {
    return corrupt("the packed terms end before their last document");
  }
  documents_.reserve(count);
  uint64_t key = 0;
  for (uint32_t number = 0; number < count; ++number) {
    uint64_t gap = 0;
    uint32_t length = 0;
    uint32_t pairs = 0;
    at = read_key(at, end, &gap);
    if (at != nullptr) at = read_varint(at, end, &length);
    if (at != nullptr) at = read_varint(at, end, &pairs);
    if (at == nullptr) return corrupt("a packed document is damaged");
    if ((number > 0 && gap == 0) || gap > kMaxPackedKey - key) return corrupt("the packed keys do not ascend");
    if (length > kMaxDocumentLength) return corrupt("a document length is impossible");
    if (pairs > terms_.size() || pairs > static_cast<size_t>(end - at) / kLeastPairBytes) {
      return corrupt("a packed document has more terms than there are");
    }
    key += gap;
    documents_.push_back({key, document_terms_.size(), pairs, length});
    uint32_t term = 0;
    for (uint32_t pair = 0; pair < pairs; ++pair) {
      uint32_t step = 0;
      uint32_t frequency = 0;
      at = read_varint(at, end, &step);
      if (at != nullptr) at = read_varint(at, end, &frequency);
      if (at == nullptr) return corrupt("a packed document is damaged");
      if ((pair > 0 && step == 0) || step >= terms_.size() - term) return corrupt("a packed document has a wrong term");
      if (frequency < 1 || frequency > kMaxTermFrequency) return corrupt("a term frequency is impossible");
      term += step;
      document_terms_.push_back({term, frequency});
    }
  }
  *begin = at;
  return Status::success();
}

Status decode_query_terms(const uint8_t* bytes, size_t size, std::vector<QueryTerm>* terms) {
  terms->clear();
  const uint8_t* const end = bytes + size;
  for (const uint8_t* at = bytes; at < end;) {
    QueryTerm term;
    at = read_term(at, end, &term.term);
    if (at != nullptr) at = read_varint(at, end, &term.times);
    term.joins = at != nullptr && term.times == kJoinedTerm && !terms->empty();
    const bool is_counted = term.times >= 1 || !terms->empty();
    if (at == nullptr || !is_counted || (term.times > kMaxTermFrequency && !term.joins)) {
      return corrupt("the terms of the query are damaged");
    }
    terms->push_back(term);
  }
  return Status::success();
}

}  // namespace semantic_index
