import type { LongWorkOptions, Metric } from '../types.js';
import { type Listed, longWorkDefaults, type Resolved } from './resolve-options.js';

/** `annoy`: a walk over the trees, with Annoy's own results. `accelerated`: with the accelerator, where there is one. */
export type AnnoyEngine = 'annoy' | 'accelerated';

/** Options of `new AnnoyIndex(f, metric, options)`. */
export interface AnnoyIndexOptions {
  /** Where the random choices of `build` start: a safe integer, not negative. Default 0. */
  seed?: number | undefined;
  /**
   * How far beyond the highest item a new item number may lie. Each number left out costs as much memory as an item, as
   * in Annoy. Default 1,000,000. For sparse ids use SemanticIndex, which maps them to dense items.
   */
  maxGap?: number | undefined;
  /** Receives progress messages after `verbose(true)`. Default: none are sent. */
  logger?: ((message: string) => void) | undefined;
  /**
   * How to search. `accelerated` uses the accelerator of the forest, which `accelerate()` derives and `NAME.ann.accel` holds;
   * without one, or with one that is stale or damaged (`info().accelerator` says so), it searches as `annoy` does.
   * Default accelerated.
   */
  engine?: AnnoyEngine | undefined;
}

/** Defaults of {@link AnnoyIndexOptions}. */
export const annoyIndexDefaults = {
  seed: 0,
  maxGap: 1_000_000,
  logger: undefined,
  engine: 'accelerated',
} satisfies Listed<AnnoyIndexOptions>;

/** {@link AnnoyIndexOptions}, completed by the defaults. */
export type ResolvedAnnoyIndexOptions = Resolved<AnnoyIndexOptions, typeof annoyIndexDefaults>;

/** Options of `AnnoyIndex.build(nTrees, options)`. */
export interface AnnoyBuildOptions extends LongWorkOptions {
  /** Most threads to use; -1 means one for each core. The result does not depend on it. Default -1. */
  threads?: number | undefined;
  /** Seed of this build; without it the seed of the index holds. */
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

/** Options of `AnnoyIndex.accelerate(options)`. */
export interface AnnoyAccelerateOptions extends LongWorkOptions {
  /** Most threads to use; -1 means one for each core. The result does not depend on it. Default -1. */
  threads?: number | undefined;
}

/** Defaults of {@link AnnoyAccelerateOptions}. */
export const annoyAccelerateDefaults = { ...longWorkDefaults, threads: -1 } satisfies Listed<AnnoyAccelerateOptions>;

/** {@link AnnoyAccelerateOptions}, completed by the defaults. */
export type ResolvedAnnoyAccelerateOptions = Resolved<AnnoyAccelerateOptions, typeof annoyAccelerateDefaults>;

/** Options of `AnnoyIndex.open(path, options)`. */
export interface AnnoyOpenOptions extends AnnoyIndexOptions {
  /** Length of the vectors. Needed only when the file has no sidecar; must agree with it otherwise. */
  f?: number | undefined;
  /** The metric. Needed only when the file has no sidecar; must agree with it otherwise. */
  metric?: Metric | undefined;
  /** `eager` maps the file now, `lazy` at the first search. Default eager. */
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
   * How many candidates to look at: more is slower and finds more. Default: trees times n; with an accelerator, about 640
   * or, for large n, 8 times n.
   */
  searchK?: number | undefined;
  /** Return the distances too. Default false. */
  includeDistances?: boolean | undefined;
  /** Bit i (bit `i & 31` of word `i >>> 5`) says whether item i may be found. Items past its end may not. Default: all. */
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
  /** How many candidates to look at for each query, as in {@link AnnoySearchOptions}. */
  searchK?: number | undefined;
  /** As in {@link AnnoySearchOptions}. */
  allowed?: Uint32Array | undefined;
  /** Compare with every item, which finds the true neighbors. Default false. */
  exact?: boolean | undefined;
  /**
   * Exclude item i from the result of query i: for searches with the rows that the index was built from. Default false.
   */
  excludeSelf?: boolean | undefined;
  /** Most threads to use; -1 means one for each core. Default -1. */
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
  /** Load the index as well. Default false: the handle is not changed. */
  load?: boolean | undefined;
}

/** Defaults of {@link AnnoyValidateOptions}. */
export const annoyValidateDefaults = { strict: false, load: false } satisfies Listed<AnnoyValidateOptions>;

/** {@link AnnoyValidateOptions}, completed by the defaults. */
export type ResolvedAnnoyValidateOptions = Resolved<AnnoyValidateOptions, typeof annoyValidateDefaults>;

/** Options of `AnnoyIndex.serialize(options)`. */
export interface AnnoySerializeOptions {
  /** Compression of the bytes. Default none. */
  compress?: 'none' | 'gzip' | 'zlib' | undefined;
}

/** Defaults of {@link AnnoySerializeOptions}. */
export const annoySerializeDefaults = { compress: 'none' } satisfies Listed<AnnoySerializeOptions>;

/** {@link AnnoySerializeOptions}, completed by the defaults. */
export type ResolvedAnnoySerializeOptions = Resolved<AnnoySerializeOptions, typeof annoySerializeDefaults>;

/** Options for `AnnoyIndex.deserialize(bytes, options)`. */
export interface AnnoyDeserializeOptions {
  /**
   * Most bytes that compressed data may expand to. Default: 32 times the size of the data, at least 64 MiB; raise it for an
   * index of few items with many numbers left out.
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
   * `byte`: the data travels. `disk`: only the path of the file travels. `auto`: disk where there is a file, byte otherwise.
   * Default auto.
   */
  mode?: 'byte' | 'disk' | 'auto' | undefined;
}

/** Defaults of {@link AnnoySnapshotOptions}. */
export const annoySnapshotDefaults = { compress: 'none', mode: 'auto' } satisfies Listed<AnnoySnapshotOptions>;

/** {@link AnnoySnapshotOptions}, completed by the defaults. */
export type ResolvedAnnoySnapshotOptions = Resolved<AnnoySnapshotOptions, typeof annoySnapshotDefaults>;
