import type { Backend } from '../backend/backend.js';
import type { Space } from '../backend/space.js';

/**
 * Numbers of spaces: those of the home shard stand for the whole index, and each shard has its own ones. What they have in common is the
 * fingerprint.
 */
export class ShardSpaces {
  readonly #shards: readonly Backend[];
  /** Of each shard the numbers that are known, by fingerprint, and back. */
  readonly #numbers: readonly Map<string, number>[];
  readonly #fingerprints: readonly Map<number, string>[];

  constructor(shards: readonly Backend[]) {
    this.#shards = shards;
    this.#numbers = shards.map(() => new Map());
    this.#fingerprints = shards.map(() => new Map());
  }

  note(space: Space, shard = 0): Space {
    this.#numbers[shard]?.set(space.fingerprint, space.space);
    this.#fingerprints[shard]?.set(space.space, space.fingerprint);
    return space;
  }

  /** Of a number of the home shard the number in a shard; 0, which no space has, where either does not know it. */
  async on(shard: number, number: number): Promise<number> {
    if (shard === 0) return number;
    const home = (this.#shards[0] as Backend).space;
    if (home !== undefined) this.note(home);
    const fingerprint = this.#fingerprints[0]?.get(number);
    if (fingerprint === undefined) return 0;
    const known = this.#numbers[shard]?.get(fingerprint);
    if (known !== undefined) return known;
    const found = await (this.#shards[shard] as Backend).migration.findSpace(fingerprint);
    return found === undefined ? 0 : this.note(found, shard).space;
  }

  /** Of a number of a shard that is known by now the number in another one; 0 where it is not known. */
  async from(shard: number, number: number, other: number): Promise<number> {
    const fingerprint = this.#fingerprints[shard]?.get(number);
    const home = fingerprint === undefined ? undefined : this.#numbers[0]?.get(fingerprint);
    return home === undefined ? 0 : this.on(other, home);
  }
}
