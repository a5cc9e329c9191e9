import type { Bitset } from '../vectors/bitset.js';
import type { MatchingDocuments } from './catalog.js';
import { itemsOf } from './part.js';
import type { KeyedNeighbor, Snapshot, SnapshotSearch } from './snapshot.js';

/** What to look for in a view. */
export type ViewSearch = Omit<SnapshotSearch, 'allowed'>;

/**
 * What a search sees: all documents at one moment, and of that same moment which of them match its filter. Keeps the
 * snapshot from being closed until `close`.
 */
export class View {
  readonly #snapshot: Snapshot;
  readonly #allowed: readonly Bitset[] | undefined;

  constructor(snapshot: Snapshot, matching?: MatchingDocuments) {
    snapshot.shared.retain();
    this.#snapshot = snapshot;
    this.#allowed = matching === undefined ? undefined : allowedItems(snapshot, matching);
  }

  /** The highest key given by then: documents with a higher one came later. */
  get lastKey(): number {
    return this.#snapshot.position.lastKey;
  }

  /** The nearest documents of each query, of those that match. */
  search(search: ViewSearch): Promise<KeyedNeighbor[][]> {
    return this.#snapshot.search({ ...search, allowed: this.#allowed });
  }

  close(): void {
    this.#snapshot.shared.release();
  }
}

/** Segments have been matched where the catalog was read; what is scanned has items of its own, and is short. */
function allowedItems({ parts }: Snapshot, { keys, items }: MatchingDocuments): Bitset[] {
  return parts.map((part, position) => {
    const matched = part.segment === 0 || part.damaged ? undefined : items[position];
    return matched ?? itemsOf(part.keys, keys);
  });
}
