import type { Metric } from './base.js';

/** Agreement of two models on the nearest neighbors of documents. */
export interface SpaceOverlap {
  /** Number of nearest documents compared per query. */
  readonly k: number;
  readonly queries: number;
  /** Share of common nearest documents, from 0 to 1: mean over all queries, and of the worst query. */
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
  /** Documents with stored vectors of the new model, from an interrupted call or an earlier migration. */
  readonly reused: number;
  /** Tokens reported by the provider. */
  readonly tokens: number;
  /** Absent if there was nothing to compare. */
  readonly overlap?: SpaceOverlap;
  /** Whether the index has switched to the new model. */
  readonly cutOver: boolean;
}

/** Bytes on disk. */
export interface DiskUsage {
  /** The database with its log: texts, vectors, ids. */
  readonly database: number;
  /** All segment files, which can be rebuilt; they consist of: */
  readonly segments: number;
  /** Annoy files. */
  readonly forests: number;
  /** Graph indexes with their quantized vectors. */
  readonly graphs: number;
  /** Terms files. */
  readonly terms: number;
  /** Columns files. */
  readonly columns: number;
  /** The tail image, which opening an index reads in place of the newest rows; not one of the segment files. */
  readonly tailImage: number;
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
  /** Length of the vectors; for an empty index, as declared by the provider. */
  readonly dimensions: number | undefined;
  readonly metric: Metric;
  /** Fingerprint of the model of the vectors; for an empty index, of the provider. */
  readonly provider: string | undefined;
  readonly segments: readonly SegmentStats[];
  /** Documents without a segment; they are searched exactly. */
  readonly tail: number;
  readonly bytes: DiskUsage;
  readonly instructionSet: string;
  /** Weights of the fields of texts, and what is embedded of them. Absent in an index whose texts are strings. */
  readonly textFields?: Readonly<Record<string, number>>;
  readonly textTemplate?: string;
  /** The last measurement of `tune` or `open({ recall })`, and the drift since then; undefined before the first. */
  readonly tuning: (Tuning & Drift) | undefined;
}

/** A recall with its confidence interval (Wilson 1927, for correlated observations). */
export interface MeasuredRecall {
  readonly recall: number;
  /** One-sided bounds at the confidence of the tuning. */
  readonly low: number;
  readonly high: number;
}

/** The default search setting of an index, with its measured recall. */
export interface Tuning extends MeasuredRecall {
  readonly targetRecall: number;
  readonly k: number;
  /** Whether searches are exact; the recall is 1 then. */
  readonly exact: boolean;
  /** `searchK` of approximate searches; undefined for exact ones. */
  readonly searchK: number | undefined;
  readonly confidence: number;
  /** Number of held-out queries. */
  readonly queries: number;
  readonly queriesFrom: 'documents' | 'given';
  /** Median time of a search, and of an exact search. */
  readonly milliseconds: number;
  readonly exactMilliseconds: number;
  /** The measured segments, and the number of their deleted items. */
  readonly segments: readonly number[];
  readonly dead: number;
  /** Time of the measurement, ISO 8601. */
  readonly measuredAt: string;
}

/** Changes of an index since its recall was measured. */
export interface Drift {
  /** Share of items in segments that were added, or whose documents were deleted, since then. */
  readonly drift: number;
  /** Whether the drift requires a new measurement. */
  readonly drifted: boolean;
}

/** A setting measured by `tune`. */
export interface TuningPoint extends MeasuredRecall {
  /** Undefined for the exact search. */
  readonly searchK: number | undefined;
  readonly exact: boolean;
  /** Median time of one search. */
  readonly milliseconds: number;
}

/** Cost and recall of a forest of all vectors with a number of trees. */
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
  /** Recall and time of each setting, fastest first, exact search last. */
  readonly curve: readonly TuningPoint[];
  /** The table for the option `trees`. */
  readonly trees: readonly TreesPoint[];
  /** The curve as an SVG document. */
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
