import { TimeSlice } from '../../time-slice.js';
import { type Bitset, countItems, createBitset, removeItem } from '../../vectors/bitset.js';
import { itemOf, type SortedKeys } from '../catalog/sorted-keys.js';
import type { SegmentTerms } from './segment-terms.js';

const keysPerLook = 256;

/** Counts users of a resource, and closes it after the last one. */
export class RefCounted {
  #users = 1;
  readonly #close: () => void;

  constructor(close: () => void) {
    this.#close = close;
  }

  retain(): void {
    this.#users++;
  }

  release(): void {
    if (--this.#users === 0) this.#close();
  }
}

/** Nearest items of one segment: `k` columns a query, item -1 where there are fewer. */
export interface SegmentNeighbors {
  readonly k: number;
  readonly items: Int32Array;
  readonly distances: Float32Array;
}

/** A search of one segment. */
export interface SegmentSearch {
  /** Packed, one query after the other. */
  readonly queries: Float32Array;
  readonly count: number;
  readonly k: number;
  readonly exact: boolean;
  /** Nodes of the forest to look at; undefined for the default of the segment. */
  readonly searchK: number | undefined;
  /** Share of the items that is allowed: a walk among few allowed ones has to be longer. */
  readonly share: number;
  readonly allowed: Bitset | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * The vectors of a run of documents by ascending key that is searched as one: a segment with its forest, or rows that are
 * scanned (the tail, and a segment whose file is damaged). Immutable.
 */
export interface VectorSegment {
  /** Number of the segment; 0 for the tail. */
  readonly segment: number;
  readonly damaged: boolean;
  /** Whether its graph is missing or wrong: it is searched without it until it is rebuilt. */
  readonly graphMissing: boolean;
  /** Whether it can be searched without comparing every item. */
  readonly hasForest: boolean;
  /** It answers for all documents with firstKey <= key <= lastKey. */
  readonly firstKey: number;
  readonly lastKey: number;
  readonly keys: SortedKeys;
  /** Items whose document exists; undefined when all do. */
  readonly alive: Bitset | undefined;
  readonly dead: number;
  readonly shared: RefCounted;
  /** Items that a search without comparing all would look at; at least as many as are allowed make a scan the better choice. */
  walkLength(request: Pick<SegmentSearch, 'k' | 'searchK' | 'share'>): number;
  search(request: SegmentSearch): Promise<SegmentNeighbors>;
  /** Compares the files behind it with what was published, and leaves out what is damaged. Absent where there are none. */
  verify?(signal?: AbortSignal): Promise<void>;
}

/** Vectors and terms of a run of documents. */
export interface SearchableSegment extends VectorSegment {
  readonly terms: SegmentTerms;
}

/** Adds terms to vectors; both are closed after the last use. */
export function withTerms(part: VectorSegment, terms: SegmentTerms): SearchableSegment {
  const shared = new RefCounted(() => {
    part.shared.release();
    terms.close();
  });
  const verify = async (signal?: AbortSignal): Promise<void> => {
    await part.verify?.(signal);
    await terms.verify(signal);
  };
  return { ...part, shared, terms, verify };
}

/**
 * The segment without the items of some keys; the same segment if it has none of them. Yields to the event loop for long lists.
 */
export async function withoutKeys<T extends VectorSegment>(part: T, deadKeys: Float64Array): Promise<T> {
  let alive: Bitset | undefined;
  const slice = new TimeSlice();
  for (let position = 0; position < deadKeys.length; position++) {
    if (position % keysPerLook === keysPerLook - 1 && slice.due()) await slice.yieldIfDue();
    const item = itemOf(part.keys, deadKeys[position] as number);
    if (item < 0) continue;
    alive ??= part.alive === undefined ? createBitset(part.keys.offsets.length, true) : part.alive.slice();
    removeItem(alive, item);
  }
  if (alive === undefined) return part;
  return { ...part, alive, dead: part.keys.offsets.length - countItems(alive) };
}
