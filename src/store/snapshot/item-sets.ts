import type { DocumentSet } from '../../backend/read-snapshot.js';
import { addItem, type Bitset, countItems, hasItem, removeItem } from '../../vectors/bitset.js';
import { itemOf, keyAt, type SortedKeys } from '../catalog/sorted-keys.js';

/** A run of documents by ascending key. */
interface Run {
  readonly keys: SortedKeys;
}

/** Documents of a snapshot: the items of each of its segments, and of its tail. */
export class ItemSets implements DocumentSet {
  readonly size: number;
  readonly items: readonly Bitset[];
  readonly #runs: readonly Run[];

  /** @param runs segments and tail, in the order of their keys, and of each a set of items. */
  constructor(runs: readonly Run[], items: readonly Bitset[]) {
    this.#runs = runs;
    this.items = items;
    this.size = items.reduce((sum, set) => sum + countItems(set), 0);
  }

  *keys(): IterableIterator<number> {
    for (const [place, { keys }] of this.#runs.entries()) {
      const set = this.items[place] as Bitset;
      for (let word = 0; word < set.length; word++) {
        if (set[word] === 0) continue;
        const end = Math.min(word * 32 + 32, keys.offsets.length);
        for (let item = word * 32; item < end; item++) if (hasItem(set, item)) yield keyAt(keys, item);
      }
    }
  }

  without(keys: Iterable<number>): ItemSets {
    const items = this.items.map((set) => set.slice());
    for (const [place, item] of this.#places(keys)) removeItem(items[place] as Bitset, item);
    return new ItemSets(this.#runs, items);
  }

  only(keys: Iterable<number>): ItemSets {
    const items = this.items.map(({ length }) => new Uint32Array(length));
    for (const [place, item] of this.#places(keys)) {
      if (hasItem(this.items[place] as Bitset, item)) addItem(items[place] as Bitset, item);
    }
    return new ItemSets(this.#runs, items);
  }

  /** Where documents are: the place of a run, and an item. */
  *#places(keys: Iterable<number>): IterableIterator<readonly [number, number]> {
    for (const key of keys) {
      for (const [place, run] of this.#runs.entries()) {
        const item = itemOf(run.keys, key);
        if (item >= 0) yield [place, item];
      }
    }
  }
}
