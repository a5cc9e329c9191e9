import type { QueryVectors } from '../backend/backend.js';
import { packVectors } from '../vectors/pack-vectors.js';
import type { Database } from './connection/database.js';
import type { ReadRouter } from './connection/read-router.js';
import type { SchemaNames } from './connection/schema.js';
import type { BackendOptions } from './postgres-options.js';
import { type VectorTable, vectorRoles } from './tables/vector-table.js';

/** Queries that are kept in memory, and that are written at a time. */
const [maxRecent, maxUnwritten] = [1_000, 64];

interface CachedQuery {
  readonly space: number;
  readonly hash: string;
  readonly vector: Float32Array;
}

/**
 * Cached vectors of queries, in the table of all vectors. Bounded: the least recently used are removed first. Writes happen in the
 * background, many at a time and when the index is closed, and a failed one fails no search.
 */
export class PostgresQueryCache implements QueryVectors {
  readonly #database: Database;
  readonly #router: ReadRouter;
  readonly #names: SchemaNames;
  readonly #vectors: VectorTable;
  readonly #maxVectors: number;
  readonly #isReadonly: boolean;
  /** Hashes that were found since the last write. */
  readonly #touched = new Map<string, number>();
  /** Those that were asked for last, least recently first. */
  readonly #recent = new Map<string, CachedQuery>();
  /** Those that the database does not have yet. */
  readonly #unwritten = new Map<string, CachedQuery>();
  #writing: Promise<unknown> = Promise.resolve();

  constructor(
    database: Database,
    router: ReadRouter,
    names: SchemaNames,
    vectors: VectorTable,
    { queryCache, readonly }: BackendOptions,
  ) {
    this.#database = database;
    this.#router = router;
    this.#names = names;
    this.#vectors = vectors;
    this.#maxVectors = queryCache;
    this.#isReadonly = readonly;
  }

  async find(space: number, hashes: readonly string[]): Promise<(Float32Array | undefined)[]> {
    if (this.#maxVectors === 0) return hashes.map(() => undefined);
    const known = hashes.map((hash) => this.#recent.get(`${space} ${hash}`)?.vector);
    const missing = [...known.keys()].filter((place) => known[place] === undefined);
    if (missing.length > 0) {
      const read = await this.#read(
        space,
        missing.map((place) => hashes[place] as string),
      );
      for (const [position, place] of missing.entries()) known[place] = read[position];
    }
    for (const [place, vector] of known.entries()) {
      if (vector !== undefined) this.#remember({ space, hash: hashes[place] as string, vector }, true);
    }
    return known;
  }

  async #read(space: number, hashes: readonly string[]): Promise<(Float32Array | undefined)[]> {
    const rows = await this.#router.readAnywhere(
      `SELECT hash, data::text FROM ${this.#names.table('vectors')} WHERE hash = ANY($1::text[]) AND space = $2 AND role = ${vectorRoles.query}`,
      [hashes, space],
    );
    const found = new Map(
      rows.map(({ hash, data }) => [hash as string, Float32Array.from(JSON.parse(data) as number[])]),
    );
    return hashes.map((hash) => found.get(hash));
  }

  keep(space: number, hashes: readonly string[], vectors: readonly Float32Array[]): void {
    if (this.#isReadonly || this.#maxVectors === 0) return;
    for (const [place, hash] of hashes.entries()) {
      this.#remember({ space, hash, vector: vectors[place] as Float32Array }, false);
    }
    if (this.#unwritten.size >= maxUnwritten) this.#flush();
  }

  /** @param isStored whether the database has it: it is noted then that it was used. */
  #remember(query: CachedQuery, isStored: boolean): void {
    const name = `${query.space} ${query.hash}`;
    this.#recent.delete(name);
    this.#recent.set(name, query);
    if (this.#recent.size > maxRecent) this.#recent.delete(this.#recent.keys().next().value as string);
    if (isStored) this.#touched.set(query.hash, query.space);
    else this.#unwritten.set(name, query);
  }

  #flush(): void {
    const queries = [...this.#unwritten.values()];
    const touched = [...this.#touched];
    this.#unwritten.clear();
    this.#touched.clear();
    if (this.#isReadonly || (queries.length === 0 && touched.length === 0)) return;
    const write = this.#write(queries, touched);
    this.#writing = Promise.allSettled([this.#writing, write]);
  }

  async #write(queries: readonly CachedQuery[], touched: readonly (readonly [string, number])[]): Promise<void> {
    for (const space of new Set(queries.map((query) => query.space))) {
      const own = queries.filter((query) => query.space === space);
      const hashes = own.map(({ hash }) => hash);
      await this.#vectors.put(space, 'query', hashes, packVectors(own.map(({ vector }) => vector)));
    }
    const table = this.#names.table('vectors');
    await this.#database.alone(
      `UPDATE ${table} v SET used_at = now() FROM unnest($1::text[], $2::int[]) AS t(hash, space)
       WHERE v.role = ${vectorRoles.query} AND v.hash = t.hash AND v.space = t.space`,
      [touched.map(([hash]) => hash), touched.map(([, space]) => space)],
    );
    if (queries.length === 0) return;
    await this.#database.alone(
      `DELETE FROM ${table} WHERE vector IN (SELECT vector FROM ${table} WHERE role = ${vectorRoles.query} ORDER BY used_at DESC, vector DESC OFFSET $1)`,
      [this.#maxVectors],
    );
  }

  /** Waits for pending writes. */
  async settle(): Promise<void> {
    this.#flush();
    await this.#writing;
  }
}
