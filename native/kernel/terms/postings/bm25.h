#ifndef SEMANTIC_INDEX_KERNEL_TERMS_POSTINGS_BM25_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_POSTINGS_BM25_H_

#include <cmath>
#include <cstdint>

namespace semantic_index {

constexpr double kBm25K1 = 1.2;
constexpr double kBm25B = 0.75;

/** ln(1 + (N - df + 0.5) / (df + 0.5)): the IDF of Robertson in the form of Lucene, above 0 for every df <= N. */
static inline double inverse_document_frequency(double documents, double frequency) {
  return std::log(1.0 + (documents - frequency + 0.5) / (frequency + 0.5));
}

/**
 * What a term adds to the score of a document: weight * tf / (tf + k1 (1 - b + b length / average)), rounded to a
 * multiple of a quantum that depends on the query alone. Sums of multiples are exact in 53 bits, so a score does not
 * depend on the order in which terms are added, and every algorithm gives the same bits. Never below one quantum: what
 * has a term has a score above 0.
 */
class Bm25 {
 public:
  Bm25() = default;

  /** `total_weight` is the sum of the weights of the query's terms: no score is above it. */
  Bm25(double documents, double total_length, double total_weight) {
    if (total_length > 0) per_length_ = kBm25K1 * kBm25B * (documents / total_length);
    int exponent = 0;
    std::frexp(total_weight, &exponent);
    // Below 2^exponent, adding 1.5 * 2^(exponent + 1) leaves a last bit of 2^(exponent - 51).
    rounder_ = std::ldexp(1.5, exponent + 1);
    quantum_ = std::ldexp(1.0, exponent - 51);
  }

  double score(double weight, uint32_t frequency, uint32_t length) const {
    const double score = round(weight * share(frequency, length));
    return score > quantum_ ? score : quantum_;
  }

  /** What a term adds before rounding, as a share of its weight. */
  double share(uint32_t frequency, uint32_t length) const {
    // Valid values have 31 bits, which every instruction set converts at once.
    const double tf = static_cast<int32_t>(frequency & 0x7fffffffu);
    const double norm = kBase + per_length_ * static_cast<int32_t>(length & 0x7fffffffu);
    return tf / (tf + norm);
  }

  /** Not below the score of any posting with at most this frequency and at least this length. */
  double bound(double weight, uint32_t frequency, uint32_t length) const {
    if (frequency == 0) return 0;
    // Rounding may break monotonicity by some last bits: the margin is wider.
    return round(score(weight, frequency, length) * (1.0 + 1e-14)) + quantum_;
  }

  /** Scores are multiples of it. */
  double quantum() const { return quantum_; }

  /** How much a share falls with the length of a document: less where documents are longer on average. */
  double per_length() const { return per_length_; }

 private:
  static constexpr double kBase = kBm25K1 * (1.0 - kBm25B);

  double round(double value) const { return (value + rounder_) - rounder_; }

  double per_length_ = 0;
  double rounder_ = 3;
  double quantum_ = 0;
};

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_POSTINGS_BM25_H_
