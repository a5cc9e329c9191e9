import type { LongWorkOptions } from '../types.js';
import { type Listed, longWorkDefaults } from './resolve-options.js';

/** What `tune(options)` takes. */
export interface TuneOptions<Query = unknown> extends Listed<LongWorkOptions> {
  /** Share of the true neighbours that searches are to find on average, above 0 and at most 1. Default 0.95. */
  targetRecall: number;
  /** Neighbours of a search. A search for more looks proportionally longer. Default 10. */
  k: number;
  /**
   * Questions such as will be asked: texts, vectors or ids; some hundreds of them. Default: documents of the index (each
   * without itself), and a few words out of each, embedded as queries; where there are no texts or no provider, mixtures of
   * two vectors. Each of the two kinds has to reach the target.
   */
  queries: readonly Query[] | undefined;
  /** Own documents that are asked for their neighbours. Default: as many as the target needs, at least 400. */
  sample: number | undefined;
  /** How sure it has to be that the target is reached: a one-sided bound. Default 0.99. */
  confidence: number;
  /** Numbers of trees to compare in a table: a forest of all vectors is built in memory for each. Default: none. */
  trees: readonly number[] | undefined;
  /** Where the random choice of documents starts. Default 0. */
  seed: number;
  /** Whether to measure only, without keeping the result for searches to come. Default false. */
  dryRun: boolean;
}

/** Defaults of {@link TuneOptions}. */
export const tuneDefaults: TuneOptions<never> = {
  ...longWorkDefaults,
  targetRecall: 0.95,
  k: 10,
  queries: undefined,
  sample: undefined,
  confidence: 0.99,
  trees: undefined,
  seed: 0,
  dryRun: false,
};
