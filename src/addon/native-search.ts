import type { NativeIndex, NativeVectorBuffer } from './native-index.js';
import type { NativeTask } from './native-task.js';
import type { NativeTermsFile, NativeTermsTail } from './native-terms.js';

/** A part of an index: its keys, and what its documents are found by. */
export interface NativeSearchPart {
  /** Releases what it shares; snapshots and running searches keep it. */
  close(): void;
}

/** Numbers of a part in `NativeSearchResult.parts`, in this order: allowed, searched, exact, milliseconds, changed. */
export const reportNumbers = 5;

/** The answers to a batch of queries. Hits of all queries come one after the other, best first. */
export interface NativeSearchResult {
  readonly keys: Float64Array;
  readonly scores: Float64Array;
  readonly distances: Float32Array;
  readonly termScores: Float64Array;
  /** Number of hits of each query. */
  readonly counts: Int32Array;
  /** For each query, what a document with all its terms approaches. */
  readonly maxScores: Float64Array;
  readonly parts: Float64Array;
  /** The part whose damaged bytes ended the search: then there are no hits. */
  readonly fault?: { readonly part: number; readonly side: 'vectors' | 'terms'; readonly message: string };
}

/** Documents at one point in time, immutable. */
export interface NativeSearchSnapshot {
  search(
    vectors: readonly (Float32Array | undefined)[],
    terms: readonly (Uint8Array | undefined)[],
    k: number,
    depth: number,
    exact: boolean,
    searchK: number,
    vectorWeight: number,
    allowed: readonly (Uint32Array | undefined)[] | undefined,
    threads: number,
    task: NativeTask,
  ): Promise<NativeSearchResult>;
  /** Releases the parts; running searches keep them. */
  close(): void;
}

/** Exports of the addon for searches of a whole index. */
export interface SearchAddon {
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
