import { addItem, type Bitset, createBitset } from '../../vectors/bitset.js';
import type { MatchingDocuments } from '../catalog/catalog.js';
import { itemOf, itemsOf, type SortedKeys } from '../catalog/sorted-keys.js';
import { rankedWords, type TextMatches, type WordMatches } from '../catalog/words/text-table.js';
import type { KeyedNeighbor, Snapshot, SnapshotSearch } from './snapshot.js';

/** What to look for in a view. */
export type ReadSnapshotSearch = Omit<SnapshotSearch, 'allowed'>;

/**
 * What a search sees: all documents at one moment, and of that same moment which of them match its filter and share words
 * with its queries. Keeps the snapshot from being closed until `close`.
 */
export class ReadSnapshot {
  readonly #snapshot: Snapshot;
  readonly #allowed: readonly Bitset[] | undefined;

  /** For each query that there was time for, the documents that share words with it. */
  readonly words: readonly WordMatches[];

  constructor(snapshot: Snapshot, matching?: MatchingDocuments, words: readonly TextMatches[] = []) {
    snapshot.shared.retain();
    this.words = words.map(rankedWords);
    this.#snapshot = snapshot;
    this.#allowed = matching === undefined ? undefined : allowedItems(snapshot, matching);
  }

  /** The nearest documents of each query, of those that match. */
  search(search: ReadSnapshotSearch): Promise<KeyedNeighbor[][]> {
    return this.#snapshot.search({ ...search, allowed: this.#allowed });
  }

  /** The distance of a vector to each of these documents, nearest first, whatever became of them since. */
  async compare(
    vector: Float32Array,
    keys: readonly number[],
    signal?: AbortSignal | undefined,
  ): Promise<KeyedNeighbor[]> {
    if (keys.length === 0) return [];
    const allowed = this.#snapshot.parts.map((part) => itemsAmong(part.keys, keys));
    const [found = []] = await this.#snapshot.search({
      queries: vector,
      count: 1,
      k: keys.length,
      exact: true,
      allowed,
      signal,
    });
    return found;
  }

  close(): void {
    this.#snapshot.shared.release();
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

/** Segments have been matched where the catalog was read; what is scanned has items of its own, and is short. */
function allowedItems({ parts }: Snapshot, { keys, items }: MatchingDocuments): Bitset[] {
  return parts.map((part, position) => {
    const matched = part.segment === 0 || part.damaged ? undefined : items[position];
    return matched ?? itemsOf(part.keys, keys);
  });
}
