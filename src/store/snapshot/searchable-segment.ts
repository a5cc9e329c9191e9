import { SearchPart } from '../../search/search-part.js';
import { TimeSlice } from '../../time-slice.js';
import { type Bitset, countItems, createBitset, removeItem } from '../../vectors/bitset.js';
import { itemOf, type SortedKeys } from '../catalog/sorted-keys.js';
import type { SegmentVectors, VectorSource } from './segment-vectors.js';
import type { SegmentColumns } from './stored-columns.js';
import type { SegmentTerms, TermsSource } from './stored-file.js';

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

/** A run of documents by ascending key: a segment, or the tail. Immutable. */
export interface SearchableSegment {
  /** Number of the segment; 0 for the tail. */
  readonly segment: number;
  /** It covers all documents with firstKey <= key <= lastKey. */
  readonly firstKey: number;
  readonly lastKey: number;
  readonly keys: SortedKeys;
  /** Items whose document exists; undefined when all do. */
  readonly alive: Bitset | undefined;
  readonly dead: number;
  readonly vectors: SegmentVectors;
  readonly terms: SegmentTerms;
  /** Undefined for the tail. */
  readonly columns: SegmentColumns | undefined;
  /** The parts that it is searched as. */
  readonly parts: NativeParts;
  /** Closes vectors, terms and columns. */
  readonly shared: RefCounted;
}

/** The parts of a segment for the native search, made when they are first used; a part keeps what it was made of open. */
export class NativeParts {
  readonly #keys: SortedKeys;
  readonly #made: { readonly vectors?: VectorSource; readonly terms?: TermsSource; readonly part: SearchPart }[] = [];

  constructor(keys: SortedKeys) {
    this.#keys = keys;
  }

  /** One part with vectors and terms, or, where the vectors have other items, one of each. */
  of(vectors: VectorSource, terms: TermsSource | undefined): readonly SearchPart[] {
    if (terms === undefined) return [this.#part(vectors, undefined)];
    if (vectors.keys === this.#keys) return [this.#part(vectors, terms)];
    return [this.#part(vectors, undefined), this.#part(undefined, terms)];
  }

  #part(vectors: VectorSource | undefined, terms: TermsSource | undefined): SearchPart {
    const known = this.#made.find((made) => made.vectors === vectors && made.terms === terms);
    if (known !== undefined) return known.part;
    const part = new SearchPart({ vectors: vectors?.vectors, terms, keys: vectors?.keys ?? this.#keys });
    this.#made.push({ ...(vectors && { vectors }), ...(terms && { terms }), part });
    return part;
  }

  close(): void {
    for (const { part } of this.#made) part.close();
    this.#made.length = 0;
  }
}

/**
 * The segment without the items of some keys; the same segment if it has none of them. Yields to the event loop for long lists.
 */
export async function withoutKeys<T extends SearchableSegment>(part: T, deadKeys: Float64Array): Promise<T> {
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
