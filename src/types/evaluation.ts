import type { DocumentId } from './base.js';
import type { Query } from './search.js';

/**
 * A question with the documents that answer it. As a list each of them has grade 1; as an object or map it has the grade given, 0
 * for a document that was judged and does not answer. The keys of an object are ids: if the index does not have the string, but has
 * the integer of the same digits, that is meant.
 *
 * @example
 * const question: JudgedQuestion = { query: 'Where do ships rest?', relevant: ['harbour', 'port'] };
 * const graded: JudgedQuestion = { query: 'calm port', relevant: { harbour: 2, port: 1 } };
 */
export interface JudgedQuestion {
  /** Name of the question in the result. Default: its number, from 1. */
  readonly id?: string | undefined;
  readonly query: Query;
  readonly relevant: readonly DocumentId[] | Readonly<Record<string, number>> | ReadonlyMap<DocumentId, number>;
}

/** A measure of ranking quality, from 0 to 1. The names of trec_eval are `ndcg_cut_K`, `recall_K`, `recip_rank`, `success_K`, `P_K`, `map_cut_K`. */
export type RankingMeasure = 'ndcg' | 'recall' | 'mrr' | 'hitRate' | 'precision' | 'map';

/** A mean with its bootstrap interval. */
export interface MeanEstimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** How well one question was answered. */
export interface QuestionResult {
  readonly id: string;
  /** The documents found, best first, up to `k`. */
  readonly found: readonly DocumentId[];
  readonly measures: Readonly<Record<RankingMeasure, number>>;
}

/** How well one way of searching answered all questions. */
export interface VariantResult {
  readonly name: string;
  /** Means over the questions. */
  readonly measures: Readonly<Record<RankingMeasure, MeanEstimate>>;
  /** In the order of the questions. */
  readonly questions: readonly QuestionResult[];
  /** Mean time of a search, in batches. */
  readonly milliseconds: number;
}

/** A variant beside the first one, on the same questions. */
export interface VariantComparison {
  readonly name: string;
  readonly baseline: string;
  /** Measure minus that of the baseline, with its interval. */
  readonly difference: MeanEstimate;
  /** Questions where it is better, equal and worse. */
  readonly better: number;
  readonly equal: number;
  readonly worse: number;
  /**
   * Probability of a difference at least as large if both were equally good: paired randomization test, two-sided, corrected for the
   * number of comparisons (Holm 1979).
   */
  readonly p: number;
  /** Which of the two is better; undefined if the difference may be chance at the confidence asked for. */
  readonly winner: string | undefined;
}

/** The weights of hybrid searches that fit the questions best. */
export interface FittedWeights {
  /** The best weight on all questions. */
  readonly vectorWeight: number;
  /** The weight used before. */
  readonly previous: number;
  /** The best share of the new score of `rerank: 'tokens'` on all questions, 0 where reranking does not help; with `fit: 'rerank'`. */
  readonly rerankWeight?: number;
  /** The share used before; with `fit: 'rerank'`. */
  readonly previousRerankWeight?: number;
  /** The measure with weights chosen on other questions than those measured (cross-validation). */
  readonly heldOut: MeanEstimate;
  /** `heldOut` minus the measure with the previous weight, with its interval. */
  readonly gain: MeanEstimate;
  /** Probability of a gain at least as large, or a loss, if it were chance: paired randomization test, two-sided. */
  readonly p: number;
  /** Whether the index uses the weights from now on: they are kept if the gain is above 0, and `p` at most 0.1. */
  readonly kept: boolean;
  /** The mean of the measure with each weight of vectors tried, and the best share of `rerank: 'tokens'` for it. */
  readonly curve: readonly { readonly vectorWeight: number; readonly mean: number }[];
}

/** Result of `evaluate`. */
export interface EvaluationResult {
  /** Length of the result lists. */
  readonly k: number;
  /** The measure that decides comparisons and fitting. */
  readonly measure: RankingMeasure;
  /** One for each entry of `compare`, in its order. */
  readonly variants: readonly VariantResult[];
  /** The first variant with each of the others. */
  readonly comparisons: readonly VariantComparison[];
  /** Present with `fit`. */
  readonly fitted?: FittedWeights;
  /** Judged documents that the index does not have. Empty unless `onUnknownId` is `keep`. */
  readonly unknownIds: readonly DocumentId[];
}
