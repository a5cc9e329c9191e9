import type { DocumentSet } from '../backend/read-snapshot.js';
import type { Placement } from './placement.js';

/** A set of documents as the sets of the shards. */
export class ShardedSet implements DocumentSet {
  readonly #placement: Placement;
  /** By shard. */
  readonly sets: readonly DocumentSet[];

  constructor(placement: Placement, sets: readonly DocumentSet[]) {
    this.#placement = placement;
    this.sets = sets;
  }

  get size(): number {
    return this.sets.reduce((sum, set) => sum + set.size, 0);
  }

  keys(): Iterable<number> {
    return this.sets
      .flatMap((set, shard) => Array.from(set.keys(), (key) => this.#placement.global(key, shard)))
      .sort((a, b) => a - b);
  }

  without(keys: Iterable<number>): ShardedSet {
    return this.#changed(keys, (set, own) => set.without(own));
  }

  only(keys: Iterable<number>): ShardedSet {
    return this.#changed(keys, (set, own) => set.only(own));
  }

  /** What becomes of each set by those of the keys that are of its shard. */
  #changed(keys: Iterable<number>, change: (set: DocumentSet, own: readonly number[]) => DocumentSet): ShardedSet {
    const locals = this.#placement.locals([...keys]);
    return new ShardedSet(
      this.#placement,
      this.sets.map((set, shard) => change(set, locals[shard] as number[])),
    );
  }
}
