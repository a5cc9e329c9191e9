import type { StoredDocument } from '../../backend/documents.js';
import type {
  KeyedNeighbor,
  KeyedVector,
  ReadSnapshot,
  TextMatches,
  TextSearch,
  VectorSearch,
} from '../../backend/read-snapshot.js';
import type { Space } from '../../backend/space.js';
import type { DocumentId } from '../../types.js';
import { addItem, type Bitset, createBitset } from '../../vectors/bitset.js';
import type { MatchingDocuments } from '../catalog/catalog.js';
import { itemOf, itemsOf, type SortedKeys } from '../catalog/sorted-keys.js';
import type { LookUps } from './reads.js';
import type { Snapshot } from './snapshot.js';

/** Vectors and terms in memory and a read of the catalog at the same position. */
export class CatalogSnapshot implements ReadSnapshot {
  readonly space: Space;
  readonly #snapshot: Snapshot;
  readonly #lookUps: LookUps;
  readonly #allowed: readonly Bitset[] | undefined;
  #closed = false;

  /** Takes over the look-ups, and ends them when it is closed. */
  constructor(space: Space, snapshot: Snapshot, lookUps: LookUps, matching?: MatchingDocuments | undefined) {
    snapshot.shared.retain();
    this.space = space;
    this.#snapshot = snapshot;
    this.#lookUps = lookUps;
    this.#allowed = matching === undefined ? undefined : allowedItems(snapshot, matching);
  }

  search(search: VectorSearch): Promise<KeyedNeighbor[][]> {
    return this.#snapshot.search({ ...search, allowed: this.#allowed });
  }

  searchTexts(search: TextSearch): Promise<TextMatches[]> {
    return this.#snapshot.searchTexts({ ...search, allowed: this.#allowed });
  }

  async compare(
    vector: Float32Array,
    keys: readonly number[],
    signal?: AbortSignal | undefined,
  ): Promise<KeyedNeighbor[]> {
    if (keys.length === 0) return [];
    const allowed = this.#snapshot.all.map((segment) => itemsAmong(segment.keys, keys));
    const search = { queries: vector, count: 1, k: keys.length, exact: true, allowed, signal };
    const [found = []] = await this.#snapshot.search(search);
    return found;
  }

  byKeys(keys: readonly number[], signal?: AbortSignal): Promise<(StoredDocument | undefined)[]> {
    return this.#lookUps.byKeys(keys, signal);
  }

  bytesByKeys(keys: readonly number[]): Promise<number> {
    return this.#lookUps.bytesByKeys(keys);
  }

  vectorsByKeys(keys: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    return this.#lookUps.vectorsByKeys(keys, this.space.dimensions, signal);
  }

  vectorOf(id: DocumentId): Promise<KeyedVector | undefined> {
    return this.#lookUps.vectorOf(id);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#snapshot.shared.release();
    this.#lookUps.end();
  }
}

/** The items with these keys: few among many. */
function itemsAmong(sorted: SortedKeys, keys: readonly number[]): Bitset {
  const bits = createBitset(sorted.offsets.length, false);
  for (const key of keys) {
    const item = itemOf(sorted, key);
    if (item >= 0) addItem(bits, item);
  }
  return bits;
}

/** Items of intact segments were matched along with the filter; tail and damaged segments have items of their own, and are short. */
function allowedItems({ segments, tail }: Snapshot, { keys, items }: MatchingDocuments): Bitset[] {
  const allowed = segments.map((segment, position) => {
    const matched = segment.damaged ? undefined : items[position];
    return matched ?? itemsOf(segment.keys, keys);
  });
  return tail === undefined ? allowed : [...allowed, itemsOf(tail.keys, keys)];
}
