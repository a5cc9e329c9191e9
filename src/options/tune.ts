import type { LongWorkOptions, Query } from '../types.js';
import { type Listed, longWorkDefaults, type Resolved } from './resolve-options.js';

/** Options of `tune(options)`. */
export interface TuneOptions extends LongWorkOptions {
  /** Mean share of the true nearest neighbors that searches find, above 0 and at most 1. Default 0.95. */
  recall?: number | undefined;
  /** Number of neighbors per search. Searches for more examine proportionally more. Default 10. */
  k?: number | undefined;
  /**
   * Typical queries: some hundred texts, vectors or ids. Default: documents of the index (each excluded from its own result), and a few
   * words from each of them, embedded as queries; without texts or provider, mixtures of two vectors. Each of the two kinds has to
   * reach the recall.
   */
  queries?: readonly Query[] | undefined;
  /** Number of documents used as queries. Default: as many as the recall requires, at least 400. */
  sample?: number | undefined;
  /** Confidence of the one-sided lower bound, from 0.5 to below 1. Default 0.99. */
  confidence?: number | undefined;
  /** Numbers of trees to compare in a table: a forest of all vectors is built in memory for each. Default: none. */
  trees?: readonly number[] | undefined;
  /** Seed of the random choice of documents. Default 0. */
  seed?: number | undefined;
  /** Measure without storing the result. Default false. */
  dryRun?: boolean | undefined;
}

/** Defaults of {@link TuneOptions}. */
export const tuneDefaults = {
  ...longWorkDefaults,
  recall: 0.95,
  k: 10,
  queries: undefined,
  sample: undefined,
  confidence: 0.99,
  trees: undefined,
  seed: 0,
  dryRun: false,
} satisfies Listed<TuneOptions>;

/** {@link TuneOptions}, completed by the defaults. */
export type ResolvedTuneOptions = Resolved<TuneOptions, typeof tuneDefaults>;
