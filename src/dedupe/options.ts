import { type DuplicateMeasure, type Listed, longWorkDefaults, type Resolved } from '../options.js';
import type { SemanticIndex } from '../semantic-index.js';
import type { Document, LongWorkOptions, Metadata, WhereOf } from '../types.js';

/** Two documents with the probability that they are duplicates, and their similarity. */
export interface SimilarPair<M extends Metadata = Metadata> {
  readonly first: Document<M>;
  readonly second: Document<M>;
  /** Undefined for the measure `similarity`. */
  readonly probability: number | undefined;
  /** Similarity of their vectors, as a score of the index. */
  readonly similarity: number;
}

/** Which document of a group stands for it. */
export type Representative = 'first' | 'longest' | 'central';

/** Options of `findDuplicates(index, options)`. */
export interface DuplicateOptions<M extends Metadata = Metadata> extends LongWorkOptions {
  /**
   * Min. value of the measure of two duplicates: of the probability, which means the same for every model, or of the similarity (the
   * score of the index; for the angular metric the cosine). With 1, only texts with the same words are duplicates. Default 0.7 for the
   * probability, 0.9 for the similarity, which suits the bundled model only (see `adviseThreshold`).
   */
  threshold?: number | undefined;
  /**
   * `probability`: the words that only one of two texts has decide; vectors only propose which texts to compare. `similarity`: the
   * vectors decide, as far as the model sees the difference (see `EmbeddingProvider.knownWords`): for texts in several languages, and
   * vectors of something else than the text. Default `probability`; `similarity` for vectors of the caller.
   */
  measure?: DuplicateMeasure | undefined;
  /** Only documents that match are compared. Default: all. */
  where?: WhereOf<M> | undefined;
  /** Find texts that say the same in other words, not only those with the same words. Default true. */
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
  threshold: undefined as number | undefined,
  measure: undefined as DuplicateMeasure | undefined,
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

/** {@link ResolvedDuplicateOptions} with the threshold that they stand for. */
export type SearchedDuplicateOptions<M extends Metadata = Metadata> = ResolvedDuplicateOptions<M> & {
  readonly threshold: number;
  readonly measure: DuplicateMeasure;
};

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
  /** Measure that is sampled; see `DuplicateOptions`. Default as there. */
  measure?: DuplicateMeasure | undefined;
  /**
   * Bounds of the bands, ascending. Default for the probability 0.1, 0.3, 0.5 to 0.9 in steps of 0.1, and 1; for the similarity 0.7 to 1
   * in steps of 0.05, and 0.98.
   */
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
  measure: undefined as DuplicateMeasure | undefined,
  bands: undefined as readonly number[] | undefined,
  pairsPerBand: 5,
  where: undefined,
  judge: undefined,
  precision: 0.95,
} satisfies Listed<AdviceOptions>;

/** {@link AdviceOptions}, completed by the defaults. */
export type ResolvedAdviceOptions<M extends Metadata = Metadata> = Resolved<AdviceOptions<M>, typeof adviceDefaults>;
