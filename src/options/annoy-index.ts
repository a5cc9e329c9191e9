import type { LongWorkOptions, Metric } from '../types.js';
import { type Listed, longWorkDefaults, type Resolved } from './resolve-options.js';

/** `annoy`: search the trees, with the results of Annoy. `graph`: search the graph index, if there is one. */
export type AnnoyEngine = 'annoy' | 'graph';

/** Options of `new AnnoyIndex(f, metric, options)`. */
export interface AnnoyIndexOptions {
  /** Seed of the random choices of `build`: a non-negative safe integer. Default 0. */
  seed?: number | undefined;
  /**
   * Max. distance of a new item number beyond the highest one. Each skipped number takes as much memory as an item, as
   * in Annoy. For sparse ids use SemanticIndex, which maps them to dense items. Default 1,000,000.
   */
  maxGap?: number | undefined;
  /** Receives messages after `verbose(true)`. Default: none. */
  logger?: ((message: string) => void) | undefined;
  /**
   * How to search. `graph` uses the graph index that `buildGraph()` writes to `NAME.ann.accel`; without a valid
   * one (see `info().graph`), it searches as `annoy`. Default `graph`.
   */
  engine?: AnnoyEngine | undefined;
}

/** Defaults of {@link AnnoyIndexOptions}. */
export const annoyIndexDefaults = {
  seed: 0,
  maxGap: 1_000_000,
  logger: undefined,
  engine: 'graph',
} satisfies Listed<AnnoyIndexOptions>;

/** {@link AnnoyIndexOptions}, completed by the defaults. */
export type ResolvedAnnoyIndexOptions = Resolved<AnnoyIndexOptions, typeof annoyIndexDefaults>;

/** Options of `AnnoyIndex.build(nTrees, options)`. */
export interface AnnoyBuildOptions extends LongWorkOptions {
  /** Max. threads; -1 means one per core. The result does not depend on it. Default -1. */
  threads?: number | undefined;
  /** Seed of this build. Default: the seed of the index. */
  seed?: number | undefined;
}

/** Defaults of {@link AnnoyBuildOptions}. */
export const annoyBuildDefaults = {
  ...longWorkDefaults,
  threads: -1,
  seed: undefined,
} satisfies Listed<AnnoyBuildOptions>;

/** {@link AnnoyBuildOptions}, completed by the defaults. */
export type ResolvedAnnoyBuildOptions = Resolved<AnnoyBuildOptions, typeof annoyBuildDefaults>;

/** Options of `AnnoyIndex.buildGraph(options)`. */
export interface AnnoyBuildGraphOptions extends LongWorkOptions {
  /** Max. threads; -1 means one per core. The result does not depend on it. Default -1. */
  threads?: number | undefined;
}

/** Defaults of {@link AnnoyBuildGraphOptions}. */
export const annoyBuildGraphDefaults = { ...longWorkDefaults, threads: -1 } satisfies Listed<AnnoyBuildGraphOptions>;

/** {@link AnnoyBuildGraphOptions}, completed by the defaults. */
export type ResolvedAnnoyBuildGraphOptions = Resolved<AnnoyBuildGraphOptions, typeof annoyBuildGraphDefaults>;

/** Options of `AnnoyIndex.open(path, options)`. */
export interface AnnoyOpenOptions extends AnnoyIndexOptions {
  /**
   * Length of the vectors. Required if the file has no sidecar; must match the sidecar otherwise. Default: from the
   * sidecar.
   */
  f?: number | undefined;
  /** The metric. Required if the file has no sidecar; must match the sidecar otherwise. Default: from the sidecar. */
  metric?: Metric | undefined;
  /** `eager` maps the file immediately, `lazy` at the first search. Default `eager`. */
  loadMode?: 'eager' | 'lazy' | undefined;
  /** Read the whole file into memory when it is mapped. Default false. */
  prefault?: boolean | undefined;
}

/** Defaults of {@link AnnoyOpenOptions}. */
export const annoyOpenDefaults = {
  ...annoyIndexDefaults,
  f: undefined,
  metric: undefined,
  loadMode: 'eager',
  prefault: false,
} satisfies Listed<AnnoyOpenOptions>;

/** {@link AnnoyOpenOptions}, completed by the defaults. */
export type ResolvedAnnoyOpenOptions = Resolved<AnnoyOpenOptions, typeof annoyOpenDefaults>;

/** Options of `AnnoyIndex.save(path, options)` and `AnnoyIndex.load(path, options)`. */
export interface AnnoyMapOptions {
  /** Read the whole file into memory when it is mapped. Default false. */
  prefault?: boolean | undefined;
}

/** Defaults of {@link AnnoyMapOptions}. */
export const annoyMapDefaults = { prefault: false } satisfies Listed<AnnoyMapOptions>;

/** Options of `getNnsByVector` and `getNnsByItem`. */
export interface AnnoySearchOptions {
  /**
   * Number of candidates to examine. Higher values are slower and find more. Default: trees times n; with a graph
   * index, about 640 or, for large n, 8 times n.
   */
  searchK?: number | undefined;
  /** Return distances as well. Default false. */
  includeDistances?: boolean | undefined;
  /** Bit i (bit `i & 31` of word `i >>> 5`) allows item i. Items past the end are not allowed. Default: all items. */
  allowed?: Uint32Array | undefined;
}

/** Defaults of {@link AnnoySearchOptions}. */
export const annoySearchDefaults = {
  searchK: undefined,
  includeDistances: false,
  allowed: undefined,
} satisfies Listed<AnnoySearchOptions>;

/** {@link AnnoySearchOptions}, completed by the defaults. */
export type ResolvedAnnoySearchOptions = Resolved<AnnoySearchOptions, typeof annoySearchDefaults>;

/** Options of `getNnsByVectors`. */
export interface AnnoyBatchOptions extends LongWorkOptions {
  /** Candidates per query, as in {@link AnnoySearchOptions}. Default: as there. */
  searchK?: number | undefined;
  /** Allowed items, as in {@link AnnoySearchOptions}. Default: all items. */
  allowed?: Uint32Array | undefined;
  /** Compare with every item (exact results). Default false. */
  exact?: boolean | undefined;
  /**
   * Exclude item i from the results of query i, for searching with the rows that the index was built from. Default
   * false.
   */
  excludeSelf?: boolean | undefined;
  /** Max. threads; -1 means one per core. Default -1. */
  threads?: number | undefined;
}

/** Defaults of {@link AnnoyBatchOptions}. */
export const annoyBatchDefaults = {
  ...longWorkDefaults,
  searchK: undefined,
  allowed: undefined,
  exact: false,
  excludeSelf: false,
  threads: -1,
} satisfies Listed<AnnoyBatchOptions>;

/** {@link AnnoyBatchOptions}, completed by the defaults. */
export type ResolvedAnnoyBatchOptions = Resolved<AnnoyBatchOptions, typeof annoyBatchDefaults>;

/** Options of `AnnoyIndex.validate(options)`. */
export interface AnnoyValidateOptions {
  /** Throw INVALID_FILE, with the report in `details`, if a check of severity `error` fails. Default false. */
  strict?: boolean | undefined;
  /** Load the index as well. Default false. */
  load?: boolean | undefined;
}

/** Defaults of {@link AnnoyValidateOptions}. */
export const annoyValidateDefaults = { strict: false, load: false } satisfies Listed<AnnoyValidateOptions>;

/** {@link AnnoyValidateOptions}, completed by the defaults. */
export type ResolvedAnnoyValidateOptions = Resolved<AnnoyValidateOptions, typeof annoyValidateDefaults>;

/** Options of `AnnoyIndex.serialize(options)`. */
export interface AnnoySerializeOptions {
  /** Compression of the bytes. Default: none. */
  compress?: 'none' | 'gzip' | 'zlib' | undefined;
}

/** Defaults of {@link AnnoySerializeOptions}. */
export const annoySerializeDefaults = { compress: 'none' } satisfies Listed<AnnoySerializeOptions>;

/** {@link AnnoySerializeOptions}, completed by the defaults. */
export type ResolvedAnnoySerializeOptions = Resolved<AnnoySerializeOptions, typeof annoySerializeDefaults>;

/** Options of `AnnoyIndex.deserialize(bytes, options)`. */
export interface AnnoyDeserializeOptions {
  /**
   * Max. bytes of decompressed data. Raise it for an index with many skipped item numbers. Default: 32 times the size
   * of the data, at least 64 MiB.
   */
  maxBytes?: number | undefined;
}

/** Defaults of {@link AnnoyDeserializeOptions}. */
export const annoyDeserializeDefaults = { maxBytes: undefined } satisfies Listed<AnnoyDeserializeOptions>;

/** {@link AnnoyDeserializeOptions}, completed by the defaults. */
export type ResolvedAnnoyDeserializeOptions = Resolved<AnnoyDeserializeOptions, typeof annoyDeserializeDefaults>;

/** Options of `AnnoyIndex.toSnapshot(options)`. */
export interface AnnoySnapshotOptions extends AnnoySerializeOptions {
  /**
   * `byte`: the snapshot contains the data. `disk`: it contains only the path of the file. `auto`: `disk` if there is a
   * file, otherwise `byte`. Default `auto`.
   */
  mode?: 'byte' | 'disk' | 'auto' | undefined;
}

/** Defaults of {@link AnnoySnapshotOptions}. */
export const annoySnapshotDefaults = { compress: 'none', mode: 'auto' } satisfies Listed<AnnoySnapshotOptions>;

/** {@link AnnoySnapshotOptions}, completed by the defaults. */
export type ResolvedAnnoySnapshotOptions = Resolved<AnnoySnapshotOptions, typeof annoySnapshotDefaults>;
