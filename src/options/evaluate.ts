import type { EmbeddingProvider, LongWorkOptions, Metadata, RankingMeasure } from '../types.js';
import { type Listed, longWorkDefaults, type Resolved } from './resolve-options.js';
import type { SearchOptions } from './search.js';

/**
 * A way of searching to evaluate. Options of `search` that are left out are as the index has them.
 *
 * @example
 * const variant: EvaluateVariant = { name: 'mostly meaning', mode: 'hybrid', vectorWeight: 0.8 };
 */
export interface EvaluateVariant<M extends Metadata = Metadata>
  extends Pick<
    SearchOptions<M>,
    | 'mode'
    | 'vectorWeight'
    | 'where'
    | 'diversity'
    | 'minScore'
    | 'rerank'
    | 'rerankWeight'
    | 'rerankDepth'
    | 'exact'
    | 'searchK'
    | 'typos'
  > {
  /** Default: the options that are given, such as `vector` or `diversity 0.5`. */
  name?: string | undefined;
  /**
   * Another model: all documents are embedded with it into an index in memory, and the index itself is not changed. The caller
   * closes it. With `cache.embeddings` a later `migrate` does not embed them again. Default: the model of the index.
   */
  provider?: EmbeddingProvider | undefined;
}

/** Options of `evaluate(questions, options)`. */
export interface EvaluateOptions<M extends Metadata = Metadata> extends LongWorkOptions {
  /** Length of the result lists: every measure reads the first `k` hits. Default 10. */
  k?: number | undefined;
  /** Ways of searching; the first one is what the others are compared with. Default: one, as the index searches. */
  compare?: readonly EvaluateVariant<M>[] | undefined;
  /** The measure that decides comparisons and `fit`. Default `ndcg`. */
  measure?: RankingMeasure | undefined;
  /**
   * Choose the weight of vectors in hybrid searches by cross-validation on the questions, and keep it for all searches that
   * do not set `vectorWeight`. `'rerank'` chooses with it the `rerankWeight` of searches with `rerank: 'tokens'`, for these searches.
   * Default false.
   */
  fit?: boolean | 'rerank' | undefined;
  /** Parts of the cross-validation. Default 5. */
  folds?: number | undefined;
  /** With `fit`, change nothing in the index. Default false. */
  dryRun?: boolean | undefined;
  /** `error`: a judged id that the index does not have is refused. `keep`: it counts as a document that is not found. Default `error`. */
  onUnknownId?: 'error' | 'keep' | undefined;
  /** Confidence of intervals and comparisons, from 0.5 to below 1. Default 0.95. */
  confidence?: number | undefined;
  /** Resamples of the bootstrap and permutations of the test. Default 2,000. */
  resamples?: number | undefined;
  /** Seed of resamples, permutations and parts. Default 0. */
  seed?: number | undefined;
}

/** Defaults of {@link EvaluateOptions}. */
export const evaluateDefaults = {
  ...longWorkDefaults,
  k: 10,
  compare: undefined,
  measure: 'ndcg',
  fit: false,
  folds: 5,
  dryRun: false,
  onUnknownId: 'error',
  confidence: 0.95,
  resamples: 2000,
  seed: 0,
} satisfies Listed<EvaluateOptions>;

/** {@link EvaluateOptions}, completed by the defaults. */
export type ResolvedEvaluateOptions = Resolved<EvaluateOptions, typeof evaluateDefaults>;

/** Defaults of {@link EvaluateVariant}: undefined leaves an option to the index. */
export const variantDefaults = {
  name: undefined,
  provider: undefined,
  mode: undefined,
  vectorWeight: undefined,
  where: undefined,
  diversity: undefined,
  minScore: undefined,
  rerank: undefined,
  rerankWeight: undefined,
  rerankDepth: undefined,
  exact: undefined,
  searchK: undefined,
  typos: undefined,
} satisfies Listed<EvaluateVariant>;
