import type { Backend } from '../backend/backend.js';
import type { KnownDuplicates, StoredVector, VectorRole } from '../backend/documents.js';
import type { DocumentId } from '../types.js';
import { askByNumber, type Placement, settled } from './placement.js';
import type { ShardSpaces } from './shard-spaces.js';

/** Looks for documents with identical vectors: the same content may be stored in several shards. */
export class ShardedDuplicates {
  readonly #placement: Placement;
  readonly #shards: readonly Backend[];
  readonly #spaces: ShardSpaces;

  constructor(placement: Placement, shards: readonly Backend[], spaces: ShardSpaces) {
    this.#placement = placement;
    this.#shards = shards;
    this.#spaces = spaces;
  }

  /** See `Backend.findDuplicates`. */
  async find(ids: readonly DocumentId[], numbers: readonly number[], dimensions: number): Promise<KnownDuplicates> {
    const vectors = await askByNumber(this.#placement, numbers, (shard, locals) =>
      (this.#shards[shard] as Backend).readVectors(locals),
    );
    const packed = new Float32Array(ids.length * dimensions);
    for (const [place, stored] of vectors.entries())
      if (stored !== undefined) packed.set(stored.vector, place * dimensions);
    const found = await settled(
      this.#shards.map(async (shard, place) => {
        const own = await this.#numbersOn(place, numbers, vectors);
        const { known, same } = await shard.findDuplicates(ids, own, dimensions);
        return { known, same: same.map((keys) => keys.map((key) => this.#placement.global(key, place))) };
      }),
    );
    return {
      known: ids.map((_, place) => found.some(({ known }) => known[place])),
      vectors: packed,
      same: ids.map((_, place) => found.flatMap(({ same }) => same[place] ?? []).sort((a, b) => a - b)),
    };
  }

  /** The numbers of the same contents in a shard. */
  async #numbersOn(
    shard: number,
    numbers: readonly number[],
    vectors: readonly (StoredVector | undefined)[],
  ): Promise<number[]> {
    const own = numbers.map((number) =>
      number > 0 && this.#placement.of(number) === shard ? this.#placement.local(number) : 0,
    );
    for (const role of ['document', 'given'] as const satisfies readonly VectorRole[]) {
      const places = [...numbers.keys()].filter((place) => own[place] === 0 && vectors[place]?.role === role);
      const [first] = places;
      if (first === undefined) continue;
      const { space } = vectors[first] as StoredVector;
      const there = await this.#spaces.from(this.#placement.of(numbers[first] as number), space, shard);
      const hashes = places.map((place) => (vectors[place] as StoredVector).hash);
      const found = await (this.#shards[shard] as Backend).findVectors(there, role, hashes);
      for (const [position, place] of places.entries()) own[place] = found[position] as number;
    }
    return own;
  }
}
