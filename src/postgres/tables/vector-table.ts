import type { StoredVector, VectorRole } from '../../backend/documents.js';
import type { Space } from '../../backend/space.js';
import { TimeSlice } from '../../time-slice.js';
import type { Database, Row, Statements } from '../connection/database.js';
import { isDeadlock } from '../connection/postgres-error.js';
import { lockWriter, type SchemaNames } from '../connection/schema.js';
import { vectorFromText, vectorsToBinary, vectorToText } from '../connection/vector-formats.js';
import { spaceOf } from './index-state.js';

/** The number of each role in the table. */
export const vectorRoles = { document: 0, query: 1, given: 2 } as const satisfies Record<VectorRole, number>;

const roleNames = Object.keys(vectorRoles) as VectorRole[];

/** Vectors of a statement: its parameter has about five bytes for each number. */
const vectorsPerStatement = 512;

/** Content-addressed vectors in their spaces: the durable cache of embeddings, and what searches by vector read. */
export class VectorTable {
  readonly #database: Database;
  readonly #names: SchemaNames;
  /** Number of the type of pgvector in the database. */
  #type: number | undefined;

  constructor(database: Database, names: SchemaNames) {
    this.#database = database;
    this.#names = names;
  }

  async findSpace(fingerprint: string, statements?: Statements): Promise<Space | undefined> {
    const text = `SELECT * FROM ${this.#names.table('spaces')} WHERE fingerprint = $1`;
    const [row] = await (statements?.query(text, [fingerprint]) ?? this.#database.alone(text, [fingerprint]));
    return row === undefined ? undefined : spaceOf(row);
  }

  /** The space with this fingerprint, made where there is none. */
  async ensureSpace(
    statements: Statements,
    fingerprint: string,
    dimensions: number,
    canaries: string | null,
  ): Promise<Space> {
    const found = await this.findSpace(fingerprint, statements);
    if (found !== undefined) return found;
    const [row] = await statements.query(
      `INSERT INTO ${this.#names.table('spaces')} (fingerprint, dimensions, canaries) VALUES ($1, $2, $3) RETURNING *`,
      [fingerprint, dimensions, canaries],
    );
    return spaceOf(row as Row);
  }

  /** The number of the vector of each hash, 0 where there is none. */
  async find(space: number, role: VectorRole, hashes: readonly string[]): Promise<number[]> {
    const rows = await this.#database.alone(
      `SELECT hash, vector::float8 FROM ${this.#names.table('vectors')} WHERE hash = ANY($1::text[]) AND space = $2 AND role = $3`,
      [hashes, space, vectorRoles[role]],
    );
    const numbers = new Map(rows.map(({ hash, vector }) => [hash as string, vector as number]));
    return hashes.map((hash) => numbers.get(hash) ?? 0);
  }

  /** Vectors by their numbers, with what they are stored under; undefined for unknown numbers. */
  async readNumbers(numbers: readonly number[]): Promise<(StoredVector | undefined)[]> {
    const rows = await this.#database.alone(
      `SELECT vector::float8, space, role, hash, data::text FROM ${this.#names.table('vectors')} WHERE vector = ANY($1::bigint[])`,
      [numbers],
    );
    const found = new Map(
      rows.map(({ vector, space, role, hash, data }) => [
        vector as number,
        {
          space: space as number,
          role: roleNames[role as number] as VectorRole,
          hash: hash as string,
          vector: Float32Array.from(JSON.parse(data as string) as number[]),
        },
      ]),
    );
    return numbers.map((number) => found.get(number));
  }

  /** Stores vectors (packed) under their hashes; a hash that is there keeps its vector. Returns their numbers. */
  async put(space: number, role: VectorRole, hashes: readonly string[], vectors: Float32Array): Promise<number[]> {
    const dimensions = hashes.length === 0 ? 0 : vectors.length / hashes.length;
    const numbers = new Map<string, number>();
    for (let first = 0; first < hashes.length; first += vectorsPerStatement) {
      const some = [...hashes.keys()].slice(first, first + vectorsPerStatement);
      const rows = await this.#insert(space, role, hashes, some, { vectors, dimensions });
      for (const { hash, vector } of rows) numbers.set(hash as string, vector as number);
    }
    // Those that were there are looked up by the unique index: a join would be planned by statistics, which lag behind a load.
    return hashes.every((hash) => numbers.has(hash))
      ? hashes.map((hash) => numbers.get(hash) as number)
      : this.find(space, role, hashes);
  }

  /**
   * Inserts some rows in their order: documents that follow each other are often alike, and a walk along an HNSW index, which is built in
   * the order of the table, finds more of what it visits on one page. Where another writer inserts the same ones in another order, both
   * wait for each other, and the server ends one: it goes on in the order of the hashes, which is the same for all.
   */
  async #insert(
    space: number,
    role: VectorRole,
    hashes: readonly string[],
    rows: readonly number[],
    packed: { readonly vectors: Float32Array; readonly dimensions: number },
  ): Promise<Row[]> {
    const { type, value } = await this.#parameter(packed.vectors, rows, packed.dimensions);
    try {
      // Nothing is lost when it is repeated, so it needs no transaction of its own.
      return await this.#database.again(() =>
        this.#database.alone(
          `INSERT INTO ${this.#names.table('vectors')} (space, role, hash, data)
           SELECT $1::int, $2::smallint, hash, data::${this.#names.vector}.vector
           FROM unnest($3::text[], $4::${type}[]) AS t(hash, data)
           ON CONFLICT (hash, space, role) DO NOTHING RETURNING hash, vector::float8`,
          [space, vectorRoles[role], rows.map((row) => hashes[row]), value],
        ),
      );
    } catch (error) {
      if (!isDeadlock(error)) throw error;
      const byHash = rows.toSorted((one, other) => ((hashes[one] as string) < (hashes[other] as string) ? -1 : 1));
      return this.#insert(space, role, hashes, byHash, packed);
    }
  }

  /** Vectors as a parameter: as bytes where they can be, which neither side has to parse. */
  async #parameter(
    vectors: Float32Array,
    rows: readonly number[],
    dimensions: number,
  ): Promise<{ readonly type: string; readonly value: Buffer | string[] }> {
    if (this.#database.hasBinaryParameters) {
      const type = `${this.#names.vector}.vector`;
      this.#type ??= (
        await this.#database.alone(`SELECT '${type.replaceAll("'", "''")}'::regtype::oid::bigint::float8 AS type`)
      )[0]?.type as number;
      return { type, value: vectorsToBinary(this.#type, vectors, rows, dimensions) };
    }
    const slice = new TimeSlice();
    const texts: string[] = [];
    for (const row of rows) {
      texts.push(vectorToText(vectors, row * dimensions, dimensions));
      if (slice.due()) await slice.yieldIfDue();
    }
    return { type: 'text', value: texts };
  }

  /** Replaces the vectors of documents. */
  async replace(space: number, keys: readonly number[], vectors: Float32Array): Promise<void> {
    const dimensions = keys.length === 0 ? 0 : vectors.length / keys.length;
    const texts = keys.map((_, row) => vectorToText(vectors, row * dimensions, dimensions));
    await this.#database.write(async (statements) => {
      await lockWriter(statements, this.#names);
      await statements.query(
        `UPDATE ${this.#names.table('vectors')} v SET data = t.data::${this.#names.vector}.vector
         FROM ${this.#names.table('documents')} d JOIN unnest($1::bigint[], $2::text[]) AS t(key, data) ON d.key = t.key
         WHERE v.vector = d.vector AND v.space = $3`,
        [keys, texts, space],
      );
    });
  }

  /** Removes the vectors that no document has; those of the space that is being filled stay. Returns their number. */
  async purge(): Promise<number> {
    const settings = this.#names.table('settings');
    return this.#database.write(async (statements) => {
      // A commit that has found its vectors holds the lock until it refers to them.
      await lockWriter(statements, this.#names);
      const [row] = await statements.query(
        `WITH gone AS (DELETE FROM ${this.#names.table('vectors')} v WHERE role <> 1
           AND space IS DISTINCT FROM (SELECT value::int FROM ${settings} WHERE name = 'migrating_to')
           AND NOT EXISTS (SELECT 1 FROM ${this.#names.table('documents')} d WHERE d.vector = v.vector) RETURNING 1)
         SELECT count(*)::int AS count FROM gone`,
      );
      return row?.count as number;
    });
  }
}

/** Vectors of rows, packed; zeros for keys without a row. */
export async function packedVectors(
  keys: readonly number[],
  rows: readonly Row[],
  dimensions: number,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const slice = new TimeSlice();
  const texts = new Map(rows.map(({ key, data }) => [key as number, data as string]));
  const packed = new Float32Array(keys.length * dimensions);
  for (const [place, key] of keys.entries()) {
    const text = texts.get(key);
    if (text !== undefined) vectorFromText(text, packed, place * dimensions);
    if (slice.due()) await slice.yieldIfDue(signal);
  }
  return packed;
}
