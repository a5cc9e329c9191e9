import { TimeSlice } from '../time-slice.js';
import { addItem, type Bitset, countItems, createBitset, removeItem } from '../vectors/bitset.js';

const keysPerLook = 256;

/** Counts the users of something that must be closed after the last one. */
export class Shared {
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

/** Nearest items of one part: `k` columns a query, item -1 where there are fewer. */
export interface PartNeighbors {
  readonly k: number;
  readonly items: Int32Array;
  readonly distances: Float32Array;
}

/** How a part is to be searched. */
export interface PartSearch {
  /** Packed, one query after the other. */
  readonly queries: Float32Array;
  readonly count: number;
  readonly k: number;
  readonly exact: boolean;
  /** Nodes of the forest to look at; undefined takes the default of the part. */
  readonly searchK: number | undefined;
  /** Share of the items that is allowed: a walk among few allowed ones has to be longer. */
  readonly share: number;
  readonly allowed: Bitset | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * A run of documents by ascending key that is searched as one: a segment with its forest, or rows that are scanned (the
 * tail, and a segment whose file is damaged). Immutable.
 */
export interface Part {
  /** Number of the segment; 0 for the tail. */
  readonly segment: number;
  readonly damaged: boolean;
  /** Whether its accelerator is missing or wrong: it is searched without until it is derived again. */
  readonly unaccelerated: boolean;
  /** Whether it can be searched without comparing every item. */
  readonly hasForest: boolean;
  /** It answers for all documents with firstKey <= key <= lastKey. */
  readonly firstKey: number;
  readonly lastKey: number;
  readonly keys: SortedKeys;
  /** Items whose document exists; undefined when all do. */
  readonly alive: Bitset | undefined;
  readonly dead: number;
  readonly shared: Shared;
  /** Items that a search without comparing all would look at; at least as many as are allowed make a scan the better choice. */
  walkLength(request: Pick<PartSearch, 'k' | 'searchK' | 'share'>): number;
  search(request: PartSearch): Promise<PartNeighbors>;
  /** Compares the files behind it with what was published, and leaves out what is damaged. Absent where there are none. */
  verify?(signal?: AbortSignal): Promise<void>;
}

/** Ascending keys, either as they are or as 32-bit offsets from a first one. */
export interface SortedKeys {
  readonly first: number;
  readonly offsets: Uint32Array | Float64Array;
}

export function keyAt(keys: SortedKeys, item: number): number {
  return keys.first + (keys.offsets[item] as number);
}

/** The item with this key, or -1. */
export function itemOf(keys: SortedKeys, key: number): number {
  const { offsets } = keys;
  const wanted = key - keys.first;
  let low = 0;
  let high = offsets.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = offsets[middle] as number;
    if (found === wanted) return middle;
    if (found < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/**
 * The part without the items of some keys; the same part when it holds none of them. Among hundreds of thousands it lets
 * other things happen in between.
 */
export async function withoutKeys(part: Part, deadKeys: Float64Array): Promise<Part> {
  let alive: Bitset | undefined;
  const slice = new TimeSlice();
  for (let position = 0; position < deadKeys.length; position++) {
    if (position % keysPerLook === keysPerLook - 1 && slice.due()) await slice.breathe();
    const item = itemOf(part.keys, deadKeys[position] as number);
    if (item < 0) continue;
    alive ??= part.alive === undefined ? createBitset(part.keys.offsets.length, true) : part.alive.slice();
    removeItem(alive, item);
  }
  if (alive === undefined) return part;
  return { ...part, alive, dead: part.keys.offsets.length - countItems(alive) };
}

/** The items whose keys are among `wanted` (ascending). Takes milliseconds for millions of either. */
export function itemsOf({ first, offsets }: SortedKeys, wanted: Float64Array): Bitset {
  const bits = createBitset(offsets.length, false);
  let position = lowerBound(wanted, first);
  let item = 0;
  while (item < offsets.length && position < wanted.length) {
    const difference = first + (offsets[item] as number) - (wanted[position] as number);
    if (difference === 0) {
      addItem(bits, item);
      position++;
      item++;
    } else if (difference < 0) {
      item++;
    } else {
      position++;
    }
  }
  return bits;
}

function lowerBound(sorted: Float64Array, wanted: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
