import type { QueryVectors } from '../backend/backend.js';
import { packVectors } from '../vectors/pack-vectors.js';
import type { Database } from './connection/database.js';
import type { SchemaNames } from './connection/schema.js';
import { type VectorTable, vectorRoles } from './tables/vector-table.js';

/**
 * Cached vectors of queries, in the table of all vectors. Bounded: the least recently used are removed first. Writes happen in the
 * background, and a failed one fails no search.
 */
export class PostgresQueryCache implements QueryVectors {
  readonly #database: Database;
  readonly #names: SchemaNames;
  readonly #vectors: VectorTable;
  readonly #maxVectors: number;
  readonly #isReadonly: boolean;
  /** Hashes that were found since the last write. */
  readonly #touched = new Map<string, number>();
  #writing: Promise<unknown> = Promise.resolve();

  /** @param maxVectors 0 disables the cache. */
  constructor(database: Database, names: SchemaNames, vectors: VectorTable, maxVectors: number, isReadonly: boolean) {
    this.#database = database;
    this.#names = names;
    this.#vectors = vectors;
    this.#maxVectors = maxVectors;
    this.#isReadonly = isReadonly;
  }

  async find(space: number, hashes: readonly string[]): Promise<(Float32Array | undefined)[]> {
    if (this.#maxVectors === 0) return hashes.map(() => undefined);
    const found = await this.#vectors.read(space, 'query', hashes);
    for (const [place, vector] of found.entries())
      if (vector !== undefined) this.#touched.set(hashes[place] as string, space);
    return found;
  }

  keep(space: number, hashes: readonly string[], vectors: readonly Float32Array[]): void {
    if (this.#isReadonly || this.#maxVectors === 0 || hashes.length === 0) return;
    const write = this.#write(space, hashes, packVectors(vectors));
    this.#writing = Promise.allSettled([this.#writing, write]);
  }

  async #write(space: number, hashes: readonly string[], vectors: Float32Array): Promise<void> {
    await this.#vectors.put(space, 'query', hashes, vectors);
    const touched = [...this.#touched.keys()];
    this.#touched.clear();
    const table = this.#names.table('vectors');
    await this.#database.alone(
      `UPDATE ${table} SET used_at = now() WHERE role = ${vectorRoles.query} AND hash = ANY($1::text[]) AND space = $2`,
      [touched, space],
    );
    await this.#database.alone(
      `DELETE FROM ${table} WHERE vector IN (SELECT vector FROM ${table} WHERE role = ${vectorRoles.query} ORDER BY used_at DESC, vector DESC OFFSET $1)`,
      [this.#maxVectors],
    );
  }

  /** Waits for pending writes. */
  async settle(): Promise<void> {
    await this.#writing;
  }
}
