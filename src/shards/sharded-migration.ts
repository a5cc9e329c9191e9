import type { Backend } from '../backend/backend.js';
import type { KeyedVectors, StoredVector } from '../backend/documents.js';
import type { MissingText, Remainder, SpaceMigration } from '../backend/migration.js';
import type { KeyedNeighbor } from '../backend/read-snapshot.js';
import type { Space } from '../backend/space.js';
import type { Metric } from '../types.js';
import { distanceSign } from '../vectors/metric.js';
import { mergedPage, type Placement, settled } from './placement.js';
import type { ShardSpaces } from './shard-spaces.js';

/**
 * Moves all shards to another space. The home shard moves last, when the others have: a search in between fails with BUSY, and after an
 * interruption the same migration goes on where it was.
 */
export class ShardedMigration implements SpaceMigration {
  readonly #placement: Placement;
  readonly #metric: Metric;
  readonly #shards: readonly Backend[];
  readonly #spaces: ShardSpaces;

  constructor(placement: Placement, metric: Metric, shards: readonly Backend[], spaces: ShardSpaces) {
    this.#placement = placement;
    this.#metric = metric;
    this.#shards = shards;
    this.#spaces = spaces;
  }

  get #home(): SpaceMigration {
    return (this.#shards[0] as Backend).migration;
  }

  #ask<T>(ask: (migration: SpaceMigration, shard: number) => Promise<T>): Promise<T[]> {
    return settled(this.#shards.map(({ migration }, shard) => ask(migration, shard)));
  }

  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#home.exclusively(work);
  }

  async begin(fingerprint: string, dimensions: number, canaries: string): Promise<Space> {
    const space = this.#spaces.note(await this.#home.begin(fingerprint, dimensions, canaries));
    await this.#ask(async (migration, shard) => {
      if (shard === 0) return;
      this.#spaces.note(await migration.begin(fingerprint, space.dimensions, space.canaries ?? canaries), shard);
    });
    return space;
  }

  async findSpace(fingerprint: string): Promise<Space | undefined> {
    const found = await this.#home.findSpace(fingerprint);
    return found && this.#spaces.note(found);
  }

  async abandon(): Promise<void> {
    await this.#ask((migration) => migration.abandon());
  }

  async remainder(space: number): Promise<Remainder> {
    return sum(await this.#ask(async (migration, shard) => migration.remainder(await this.#spaces.on(shard, space))));
  }

  async missingAfter(space: number, afterKey: number, limit: number): Promise<MissingText[]> {
    for (let after = afterKey; ; ) {
      const pages = await this.#ask(async (migration, shard) => {
        const own = await this.#spaces.on(shard, space);
        const rows = await migration.missingAfter(own, this.#placement.after(after, shard), limit);
        const global = rows.map((row) => ({ ...row, key: this.#placement.global(row.key, shard) }));
        return { rows: global, hasMore: rows.length === limit };
      });
      const { rows } = mergedPage(pages, limit);
      const last = rows.at(-1);
      if (last === undefined) return [];
      const missing = await this.#withoutKnown(space, rows);
      if (missing.length > 0) return missing;
      after = last.key;
    }
  }

  /** The texts that no shard has a vector of; one that another shard has is copied to where it is missing. */
  async #withoutKnown(space: number, rows: readonly MissingText[]): Promise<MissingText[]> {
    const hashes = rows.map(({ hash }) => hash);
    const known = await settled(
      this.#shards.map(async (shard, place) =>
        shard.findVectors(await this.#spaces.on(place, space), 'document', hashes),
      ),
    );
    const missing: MissingText[] = [];
    for (const [place, row] of rows.entries()) {
      const source = known.findIndex((numbers) => (numbers[place] as number) > 0);
      const [vector] =
        source < 0 ? [] : await (this.#shards[source] as Backend).readVectors([known[source]?.[place] as number]);
      if (vector === undefined) missing.push(row);
      else await this.#copy(space, vector, row);
    }
    return missing;
  }

  async #copy(space: number, { role, hash, vector }: StoredVector, { key, id }: MissingText): Promise<void> {
    const shard = this.#placement.of(key);
    await (this.#shards[shard] as Backend).putVectors(
      await this.#spaces.on(shard, space),
      role,
      [hash],
      [vector],
      [id],
    );
  }

  async cutOver(space: number): Promise<Remainder> {
    const before = await this.remainder(space);
    if (before.missing > 0 || before.given > 0) return before;
    const others = sum(
      await this.#ask(async (migration, shard) =>
        shard === 0 ? { missing: 0, given: 0 } : migration.cutOver(await this.#spaces.on(shard, space)),
      ),
    );
    // Documents that were added meanwhile to one that has not moved: it is tried again once they have vectors.
    if (others.missing > 0 || others.given > 0) return others;
    return this.#home.cutOver(space);
  }

  async sample(space: number, count: number): Promise<KeyedVectors> {
    const each = Math.ceil(count / this.#shards.length);
    const parts = await this.#ask(async (migration, shard) => {
      const { keys, vectors } = await migration.sample(await this.#spaces.on(shard, space), each);
      const dimensions = keys.length === 0 ? 0 : vectors.length / keys.length;
      return Array.from(keys, (key, row) => ({
        key: this.#placement.global(key, shard),
        vector: vectors.subarray(row * dimensions, (row + 1) * dimensions),
      }));
    });
    const rows = parts.flat().sort((a, b) => a.key - b.key);
    const dimensions = rows[0]?.vector.length ?? 0;
    const vectors = new Float32Array(rows.length * dimensions);
    for (const [row, { vector }] of rows.entries()) vectors.set(vector, row * dimensions);
    return { keys: Float64Array.from(rows, ({ key }) => key), vectors };
  }

  async nearest(space: Space, queries: Float32Array, k: number): Promise<KeyedNeighbor[][]> {
    const sign = distanceSign(this.#metric);
    const lists = await this.#ask(async (migration, shard) => {
      const own = { ...space, space: await this.#spaces.on(shard, space.space) };
      return migration.nearest(own, queries, k);
    });
    return Array.from({ length: queries.length / space.dimensions }, (_, query) =>
      lists
        .flatMap((list, shard) =>
          (list[query] ?? []).map(({ key, distance }) => ({ key: this.#placement.global(key, shard), distance })),
        )
        .sort((a, b) => sign * (a.distance - b.distance) || a.key - b.key)
        .slice(0, k),
    );
  }
}

function sum(remainders: readonly Remainder[]): Remainder {
  return remainders.reduce(
    (all, { missing, given }) => ({ missing: all.missing + missing, given: all.given + given }),
    { missing: 0, given: 0 },
  );
}
