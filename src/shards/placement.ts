import { contentHashes } from '../backend/content-hash.js';
import type { DocumentId } from '../types.js';

/**
 * Which shard has what. A document is on the shard that the hash of its id names. Numbers of a shard (of documents and of vectors) are
 * made numbers of the whole index by `local * shards + shard`: those of each shard ascend, and those of all interleave, so equal scores are
 * ordered by the place in their shards, then by shard.
 */
export class Placement {
  constructor(readonly shards: number) {}

  /** The shard of each document. */
  ofIds(ids: readonly DocumentId[]): number[] {
    const names = ids.map((id) => (typeof id === 'number' ? `n${id}` : `s${id}`));
    return contentHashes(names).map((hash) => Buffer.from(hash, 'base64url').readUIntBE(0, 6) % this.shards);
  }

  ofId(id: DocumentId): number {
    return this.ofIds([id])[0] as number;
  }

  /** The shard that a number is of. */
  of(number: number): number {
    return number % this.shards;
  }

  local(number: number): number {
    return Math.floor(number / this.shards);
  }

  global(local: number, shard: number): number {
    return local * this.shards + shard;
  }

  /** The number of a shard after which its numbers of the whole index are above this one. */
  after(number: number, shard: number): number {
    return Math.max(0, Math.floor((number - shard) / this.shards));
  }

  /** The numbers of each shard, as its own. */
  locals(numbers: readonly number[]): number[][] {
    const lists: number[][] = Array.from({ length: this.shards }, () => []);
    for (const number of numbers) lists[this.of(number)]?.push(this.local(number));
    return lists;
  }
}

/** The places of a list by the shard of what is there. */
export function placesByShard(shardOf: readonly number[], shards: number): number[][] {
  const places: number[][] = Array.from({ length: shards }, () => []);
  for (const [place, shard] of shardOf.entries()) places[shard]?.push(place);
  return places;
}

/**
 * Asks each shard that has some of the numbers for a result of each of them, and returns all results in the order of the numbers.
 */
export async function askByNumber<T>(
  placement: Placement,
  numbers: readonly number[],
  ask: (shard: number, locals: readonly number[]) => Promise<readonly T[]>,
): Promise<T[]> {
  const results = new Array<T>(numbers.length);
  const places = placesByShard(
    numbers.map((number) => placement.of(number)),
    placement.shards,
  );
  await settled(
    places.map(async (own, shard) => {
      if (own.length === 0) return;
      const locals = own.map((place) => placement.local(numbers[place] as number));
      for (const [position, result] of (await ask(shard, locals)).entries()) results[own[position] as number] = result;
    }),
  );
  return results;
}

/** Waits for all, so that nothing goes on after an error, and throws the first one. */
export async function settled<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

/** The rows of packed vectors of the shards, in the order of the numbers. */
export async function packedByNumber(
  placement: Placement,
  numbers: readonly number[],
  dimensions: number,
  ask: (shard: number, locals: readonly number[]) => Promise<Float32Array>,
): Promise<Float32Array> {
  const rows = await askByNumber(placement, numbers, async (shard, locals) => {
    const packed = await ask(shard, locals);
    return locals.map((_, row) => packed.subarray(row * dimensions, (row + 1) * dimensions));
  });
  const all = new Float32Array(numbers.length * dimensions);
  for (const [place, row] of rows.entries()) all.set(row, place * dimensions);
  return all;
}

/** A page of a list in the order of keys, from the pages of the shards. */
export interface ShardPage<T> {
  readonly rows: readonly T[];
  /** Whether the shard has more behind them. */
  readonly hasMore: boolean;
}

/** The first rows of all pages in the order of their keys, of which none of a shard is left out. */
export function mergedPage<T extends { readonly key: number }>(
  pages: readonly ShardPage<T>[],
  limit: number,
): ShardPage<T> {
  const ends = pages.flatMap(({ rows, hasMore }) => (hasMore ? [rows.at(-1)?.key ?? 0] : []));
  const end = Math.min(...ends);
  const all = pages.flatMap(({ rows }) => rows).sort((a, b) => a.key - b.key);
  const reached = all.filter(({ key }) => key <= end);
  const rows = reached.slice(0, limit);
  return { rows, hasMore: ends.length > 0 || rows.length < all.length };
}
