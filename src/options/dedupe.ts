import type { LongWorkOptions, Where } from '../types.js';
import { type Listed, longWorkDefaults } from './resolve-options.js';

/** Which document of a group stands for it. */
export type Representative = 'first' | 'longest' | 'central';

/** What `findDuplicates(index, options)` takes. */
export interface DuplicateOptions<Index = unknown> extends Listed<LongWorkOptions> {
  /**
   * Similarity (the score of the index; for the angular metric the cosine) from which two texts count as duplicates.
   * With 1 only texts with the same words do. Default 0.9, which suits the bundled model; other models spread differently: see
   * `adviseThreshold`.
   */
  threshold: number;
  /** Only documents that match are compared. Default: all. */
  where: Where | undefined;
  /**
   * Whether texts that are alike in meaning count, or only those with the same words. Texts that differ only in what the model
   * does not see are not alike: signs, numbers, the order of words (see `EmbeddingProvider.knownWords`). Default true.
   */
  near: boolean;
  /**
   * `first`: the oldest document stands for its group; `longest`: the one with the longest text; `central`: the one with the
   * most and nearest duplicates. Default first.
   */
  representative: Representative;
  /** Most neighbours that are looked at for each text; those of representatives are looked at as far as needed. Default 64. */
  neighbors: number;
  /** Whether neighbours are found by comparing all vectors. Default false: that takes a time that grows with the square. */
  exact: boolean;
  /** Another index, of the same model: documents of the first that the other has too are duplicates. Default: none. */
  against: Index | undefined;
}

/** Defaults of {@link DuplicateOptions}. */
export const duplicateDefaults: DuplicateOptions<never> = {
  ...longWorkDefaults,
  threshold: 0.9,
  where: undefined,
  near: true,
  representative: 'first',
  neighbors: 64,
  exact: false,
  against: undefined,
};

/** What `Duplicates.outliers(options)` takes. */
export interface OutlierOptions {
  /** Only documents whose nearest neighbour is less similar than this. Default: no bound. */
  below: number;
  /** How many at most. Default 10. */
  limit: number;
}

/** Defaults of {@link OutlierOptions}. */
export const outlierDefaults: OutlierOptions = { below: Number.POSITIVE_INFINITY, limit: 10 };

/** What `Duplicates.apply(action, options)` takes. */
export type ApplyOptions = Listed<LongWorkOptions>;

/** Defaults of {@link ApplyOptions}. */
export const applyDefaults: ApplyOptions = longWorkDefaults;

/** What `adviseThreshold(index, options)` takes. */
export interface AdviceOptions<Pair = unknown> extends Listed<LongWorkOptions> {
  /** Documents whose neighbours are looked at, spread evenly over the index. Default 500. */
  sample: number;
  /** Neighbours looked at for each of them. Default 10. */
  neighbors: number;
  /** Bounds of the bands of similarity, ascending. Default 0.7 to 1 in steps of 0.05, and 0.98. */
  bands: readonly number[];
  /** Pairs that are shown, or judged, for each band. Default 5. */
  pairsPerBand: number;
  /** Only documents that match. Default: all. */
  where: Where | undefined;
  /** Says of a pair whether it is one of duplicates; asked of each pair shown. Default: nobody is asked. */
  judge: ((pair: Pair) => boolean | Promise<boolean>) | undefined;
  /** Share of true duplicates that the suggested threshold is to reach. Default 0.95. */
  precision: number;
}

/** Defaults of {@link AdviceOptions}. */
export const adviceDefaults: AdviceOptions<never> = {
  ...longWorkDefaults,
  sample: 500,
  neighbors: 10,
  bands: [0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 1],
  pairsPerBand: 5,
  where: undefined,
  judge: undefined,
  precision: 0.95,
};
