import { type Listed, longWorkDefaults, type Resolved } from '../options.js';
import type { SemanticIndex } from '../semantic-index.js';
import type { Document, LongWorkOptions, Metadata, WhereOf } from '../types.js';

/** Two documents and their similarity. */
export interface SimilarPair<M extends Metadata = Metadata> {
  readonly first: Document<M>;
  readonly second: Document<M>;
  readonly similarity: number;
}

/** Which document of a group stands for it. */
export type Representative = 'first' | 'longest' | 'central';

/** Options of `findDuplicates(index, options)`. */
export interface DuplicateOptions<M extends Metadata = Metadata> extends LongWorkOptions {
  /**
   * Min. similarity of duplicates (the score of the index; for the angular metric the cosine). With 1, only texts with
   * the same words are duplicates. The default suits the bundled model; for others see `adviseThreshold`. Default 0.9.
   */
  threshold?: number | undefined;
  /** Only documents that match are compared. Default: all. */
  where?: WhereOf<M> | undefined;
  /**
   * Find texts with a similar meaning, not only with the same words. Texts that differ only in what the model ignores,
   * such as punctuation, numbers and word order, are not duplicates (see `EmbeddingProvider.knownWords`). Default true.
   */
  near?: boolean | undefined;
  /**
   * `first`: the oldest document stands for its group; `longest`: the one with the longest text; `central`: the one
   * with the most and nearest duplicates. Default first.
   */
  representative?: Representative | undefined;
  /** Max. neighbors examined per text; those of representatives are examined as far as needed. Default 64. */
  neighbors?: number | undefined;
  /** Find neighbors by comparing all vectors, in quadratic time. Default false. */
  exact?: boolean | undefined;
  /** Another index of the same model: documents that it contains as well are duplicates. Default: none. */
  against?: SemanticIndex<M> | undefined;
}

/** Defaults of {@link DuplicateOptions}. */
export const duplicateDefaults = {
  ...longWorkDefaults,
  threshold: 0.9,
  where: undefined,
  near: true,
  representative: 'first',
  neighbors: 64,
  exact: false,
  against: undefined,
} satisfies Listed<DuplicateOptions>;

/** {@link DuplicateOptions}, completed by the defaults. */
export type ResolvedDuplicateOptions<M extends Metadata = Metadata> = Resolved<
  DuplicateOptions<M>,
  typeof duplicateDefaults
>;

/** Options of `Duplicates.outliers(options)`. */
export interface OutlierOptions {
  /** Only documents whose nearest neighbor is less similar. Default: no bound. */
  below?: number | undefined;
  /** Max. number of documents. Default 10. */
  limit?: number | undefined;
}

/** Defaults of {@link OutlierOptions}. */
export const outlierDefaults = { below: Number.POSITIVE_INFINITY, limit: 10 } satisfies Listed<OutlierOptions>;

/** {@link OutlierOptions}, completed by the defaults. */
export type ResolvedOutlierOptions = Resolved<OutlierOptions, typeof outlierDefaults>;

/** Options of `Duplicates.apply(action, options)`. */
export type ApplyOptions = LongWorkOptions;

/** Defaults of {@link ApplyOptions}. */
export const applyDefaults = longWorkDefaults;

/** {@link ApplyOptions}, completed by the defaults. */
export type ResolvedApplyOptions = Resolved<ApplyOptions, typeof applyDefaults>;

/** Options of `adviseThreshold(index, options)`. */
export interface AdviceOptions<M extends Metadata = Metadata> extends LongWorkOptions {
  /** Number of sampled documents, spread evenly over the index. Default 500. */
  sample?: number | undefined;
  /** Neighbors examined for each of them. Default 10. */
  neighbors?: number | undefined;
  /** Bounds of the bands of similarity, ascending. Default 0.7 to 1 in steps of 0.05, and 0.98. */
  bands?: readonly number[] | undefined;
  /** Example pairs per band. Default 5. */
  pairsPerBand?: number | undefined;
  /** Only documents that match. Default: all. */
  where?: WhereOf<M> | undefined;
  /** Decides whether a pair is a duplicate; called for each example pair. Default: no suggested threshold. */
  judge?: ((pair: SimilarPair<M>) => boolean | Promise<boolean>) | undefined;
  /** Precision that the suggested threshold must reach. Default 0.95. */
  precision?: number | undefined;
}

/** Defaults of {@link AdviceOptions}. */
export const adviceDefaults = {
  ...longWorkDefaults,
  sample: 500,
  neighbors: 10,
  bands: [0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 1],
  pairsPerBand: 5,
  where: undefined,
  judge: undefined,
  precision: 0.95,
} satisfies Listed<AdviceOptions>;

/** {@link AdviceOptions}, completed by the defaults. */
export type ResolvedAdviceOptions<M extends Metadata = Metadata> = Resolved<AdviceOptions<M>, typeof adviceDefaults>;
