import type { NativeIndex, NativeVectorBuffer } from './native-index.js';
import type { NativeTask } from './native-task.js';
import type { NativeTermsFile, NativeTermsTail, WrittenTerms } from './native-terms.js';

/** A part of an index: its keys, and what its documents are found by. */
export interface NativeSearchPart {
  /** Releases what it shares; snapshots and running searches keep it. */
  close(): void;
}

/** Numbers of a query, of a part, and of a hit in `NativeSearchNumbers`. */
export const [queryNumbers, partNumbers, hitNumbers] = [6, 5, 5];

/**
 * The answers to a batch of queries: the milliseconds that it took; for each query the number of its hits, what a document with all its
 * terms approaches, its terms that no document has, the scale of similarities, whether it is complete, and what its terms say
 * (`SnapshotHits.evidence`); for each part what a `PartReport` has, in that order; then of all hits, best first and one query after the
 * other, first all keys, then all scores, all distances, all BM25 scores, and all factors.
 */
export type NativeSearchNumbers = Float64Array;

/** Damaged bytes that ended a reading. */
export interface NativeFault {
  readonly part: number;
  readonly side: 'vectors' | 'terms';
  readonly message: string;
}

/** A search that damaged bytes ended: there are no hits. */
export interface NativeFailedSearch {
  readonly numbers: NativeSearchNumbers;
  readonly fault: NativeFault;
}

/** The answers alone, as objects cost more than they are worth, unless there is a fault. */
export type NativeSearchResult = NativeSearchNumbers | NativeFailedSearch;

/** A term of the dictionary of a snapshot. */
export interface NativeFoundTerm {
  readonly term: string;
  /** Edits from the term that was looked up; 0 for a prefix. */
  readonly distance: number;
  /** Living, allowed documents that have it. */
  readonly documents: number;
  /** Keys of the first of these. */
  readonly keys: Float64Array;
}

/** What a reading of terms found, and the parts whose files have changed or are damaged. */
export interface NativeTermsReading<T> {
  readonly found: readonly T[];
  readonly changed: readonly number[];
  readonly fault?: NativeFault;
}

/** The best terms of a look-up, and whether there are more. */
export interface NativeTermList {
  readonly terms: readonly NativeFoundTerm[];
  readonly isCut: boolean;
}

/** The values of the items of a part, NaN for none, with their levels and the limits of these if they are known. */
export type NativeItemNumbers = readonly [
  values: Float64Array,
  levels: Uint8Array | undefined,
  limits: Float64Array | undefined,
];

/**
 * A factor of scores; see native/kernel/factors/item_factors.h. Arrays, as an object costs a microsecond for its names. `kind`: the place
 * among decay, saturation, set. `parts`: for each part the numbers of its items, or the items of the set.
 */
export type NativeBoost =
  | readonly [kind: 0 | 1, scale: number, operand: number, parts: readonly (NativeItemNumbers | undefined)[]]
  | readonly [kind: 2, scale: number, operand: number, parts: readonly (Uint32Array | undefined)[]];

/** The factors of a search, and the greatest product that an item of each part can have. */
export type NativeBoosts = readonly [boosts: readonly NativeBoost[], greatest: Float64Array];

/** The arguments of a search. */
export type NativeSearchRequest = [
  vectors: readonly (Float32Array | undefined)[],
  terms: readonly (Uint8Array | undefined)[],
  k: number,
  depth: number,
  exact: boolean,
  searchK: number,
  vectorWeight: number,
  allowed: readonly (Uint32Array | undefined)[] | undefined,
  threads: number,
  boosts: NativeBoosts | undefined,
  skipsMissing: boolean,
  /** Of each query what `countTerms` returns for its terms, or the sum over several snapshots. */
  statistics: readonly (Float64Array | undefined)[] | undefined,
  evidence: number | undefined,
];

/** Documents at one point in time, immutable. */
export interface NativeSearchSnapshot {
  /** @param task undefined for a search that is not cancelled. */
  search(...request: [...NativeSearchRequest, task: NativeTask | undefined]): Promise<NativeSearchResult>;
  /** The same in this thread, which waits for it. */
  searchHere(...request: NativeSearchRequest): NativeSearchResult;
  /**
   * Orders the items of each graph by the levels of boosts, where that was not done yet: searches by vector with these boosts find more
   * afterwards. About 10 ns for each item, once for an array of numbers, on another thread. undefined if there is nothing to do.
   */
  orderLevels(boosts: NativeBoosts): Promise<void> | undefined;
  /**
   * Looks packed terms up: those that begin with each, or, with `distances`, those that are at most so many edits away from a term
   * that no document has. A list for each term.
   */
  lookUpTerms(
    terms: Uint8Array,
    distances: Uint32Array | undefined,
    sameFirst: boolean,
    limit: number,
    sample: number,
    allowed: readonly (Uint32Array | undefined)[] | undefined,
    task: NativeTask,
  ): Promise<NativeTermsReading<NativeTermList>>;
  /** The number of documents, their length, and the number of documents of each term; 0 for one that joins another. */
  countTerms(
    terms: Uint8Array,
    task: NativeTask,
  ): Promise<Omit<NativeTermsReading<never>, 'found'> & { readonly found: Float64Array }>;
  /** For each part with terms, the items that have all required terms and no excluded one. */
  filterByTerms(
    required: Uint8Array,
    excluded: Uint8Array,
    allowed: readonly (Uint32Array | undefined)[] | undefined,
    task: NativeTask,
  ): Promise<NativeTermsReading<Uint32Array | undefined>>;
  /** Releases the parts; running searches keep them. */
  close(): void;
}

/** What a tail image holds besides vectors and terms. */
export interface NativeTail {
  readonly checksum: string;
  readonly keys: Float64Array;
  readonly alive?: Uint32Array;
}

/** Exports of the addon for searches of a whole index. */
export interface SearchAddon {
  /** Writes the first documents of vectors and terms, those with these keys, to a file that is replaced at once or not at all. */
  writeTailImage(
    path: string,
    vectors: NativeIndex | NativeVectorBuffer,
    terms: NativeTermsTail,
    keys: Float64Array,
    alive: Uint32Array | undefined,
    task: NativeTask,
  ): Promise<WrittenTerms>;
  /** Fills vectors and terms, which must be empty. Throws INVALID_FILE or IO. */
  readTailImage(
    path: string,
    vectors: NativeIndex | NativeVectorBuffer,
    terms: NativeTermsTail,
    threads: number,
    task: NativeTask,
  ): Promise<NativeTail>;
  readonly SearchPart: new (
    vectors: NativeIndex | NativeVectorBuffer | undefined,
    terms: NativeTermsFile | NativeTermsTail | undefined,
    first: number,
    offsets: Uint32Array | Float64Array,
  ) => NativeSearchPart;
  readonly SearchSnapshot: new (
    metric: number,
    dimensions: number,
    parts: readonly NativeSearchPart[],
    alive: readonly (Uint32Array | undefined)[],
  ) => NativeSearchSnapshot;
}
