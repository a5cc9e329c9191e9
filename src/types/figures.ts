import type { Metric } from './base.js';

/** Agreement of two models on nearest neighbors. */
export interface SpaceOverlap {
  /** Number of nearest documents compared per query. */
  readonly k: number;
  readonly queries: number;
  /** Share of the nearest documents that is the same under both, from 0 to 1: over all queries, and of the worst one. */
  readonly mean: number;
  readonly least: number;
}

/** Result of `migrate`. */
export interface MigrationResult {
  /** Fingerprints of the models. */
  readonly from: string;
  readonly to: string;
  readonly documents: number;
  /** Texts that the new provider embedded in this call. */
  readonly embedded: number;
  /** Documents whose vectors under the new model were known: from a call that was cut short, or from before. */
  readonly reused: number;
  /** Tokens that the provider reports to have used. */
  readonly tokens: number;
  /** Absent where there was nothing to compare. */
  readonly overlap?: SpaceOverlap;
  /** True if the index now uses the new model. */
  readonly cutOver: boolean;
}

/** Bytes on disk. */
export interface DiskUsage {
  /** The database with its log: texts, vectors, ids. */
  readonly database: number;
  /** All files of segments, which can be derived again; of these: */
  readonly segments: number;
  readonly forests: number;
  readonly accelerators: number;
}

/** Statistics of one segment. */
export interface SegmentStats {
  readonly file: string;
  readonly items: number;
  /** Items whose document was deleted or replaced. */
  readonly dead: number;
  readonly trees: number;
  readonly bytes: number;
  /** True if its file is missing or damaged: its documents are searched exactly until it is rebuilt. */
  readonly damaged: boolean;
}

/** Statistics of an index. */
export interface IndexStats {
  readonly documents: number;
  /** Length of the vectors; of an empty index what its provider declares. */
  readonly dimensions: number | undefined;
  readonly metric: Metric;
  /** Fingerprint of the model that made the vectors; of an empty index that of its provider. */
  readonly provider: string | undefined;
  readonly segments: readonly SegmentStats[];
  /** Documents that no segment holds yet; they are scanned. */
  readonly tail: number;
  readonly bytes: DiskUsage;
  readonly instructionSet: string;
  /** Latest measurement of `tune` or `open({ recall })`, and the drift since then; undefined before the first. */
  readonly tuning: (Tuning & Drift) | undefined;
}

/** A share of true neighbours found, with its confidence interval (Wilson 1927, for answers that come in clusters). */
export interface MeasuredRecall {
  readonly recall: number;
  /** One-sided bounds, each at the confidence of the tuning. */
  readonly low: number;
  readonly high: number;
}

/** How an index is searched unless a search says otherwise, and the recall that this was measured to have. */
export interface Tuning extends MeasuredRecall {
  readonly targetRecall: number;
  readonly k: number;
  /** True if all vectors are compared; recall is then 1 by definition. */
  readonly exact: boolean;
  /** The quality knob of approximate searches; undefined for exact ones. */
  readonly searchK: number | undefined;
  readonly confidence: number;
  /** Queries that the figures rest on; they were not used to choose. */
  readonly queries: number;
  readonly queriesFrom: 'documents' | 'given';
  /** Median time of one search, and of an exact one. */
  readonly milliseconds: number;
  readonly exactMilliseconds: number;
  /** Segments that were there, and how many of their items had no document any more. */
  readonly segments: readonly number[];
  readonly dead: number;
  /** ISO 8601. */
  readonly measuredAt: string;
}

/** How far an index has moved since its recall was measured. */
export interface Drift {
  /** Share of the items in forests that came, or whose documents went, since then. */
  readonly drift: number;
  /** True if recall should be measured again. */
  readonly drifted: boolean;
}

/** One setting that `tune` tried. */
export interface TuningPoint extends MeasuredRecall {
  /** Undefined for the exact search. */
  readonly searchK: number | undefined;
  readonly exact: boolean;
  /** Median time of one search. */
  readonly milliseconds: number;
}

/** Cost and recall of a forest of all vectors with one number of trees. */
export interface TreesPoint extends MeasuredRecall {
  readonly trees: number;
  readonly buildMilliseconds: number;
  readonly searchK: number;
  /** Median time of one search. */
  readonly milliseconds: number;
  readonly bytes: number;
}

/** Result of `tune`. */
export interface TuneResult {
  readonly tuning: Tuning;
  /** Recall and time of what was tried, the fastest setting first, exact search last. */
  readonly curve: readonly TuningPoint[];
  /** The table over numbers of trees, where it was asked for. */
  readonly trees: readonly TreesPoint[];
  /** The curve as a picture: a complete SVG document. */
  readonly svg: string;
}

/** Result of `optimize`. */
export interface OptimizeResult {
  /** Deleted items dropped from segments. */
  readonly items: number;
  /** Stored vectors dropped because no document uses them. */
  readonly vectors: number;
  /** Segments after the call. */
  readonly segments: number;
  /** Bytes of the index on disk, database and segments. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}
