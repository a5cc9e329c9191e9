import type { KeyedVectors } from '../backend/documents.js';
import type { MissingText, Remainder, SpaceMigration } from '../backend/migration.js';
import type { KeyedNeighbor } from '../backend/read-snapshot.js';
import type { Space } from '../backend/space.js';
import { SemanticIndexError } from '../errors.js';
import { distanceSign } from '../vectors/metric.js';
import { VectorBuffer } from '../vectors/vector-buffer.js';
import type { Database, Row, Statements } from './connection/database.js';
import { idFromText, textFromBytes } from './connection/names.js';
import { lockWriter, type SchemaNames } from './connection/schema.js';
import type { VectorMetric } from './search/vector-search.js';
import { spaceOf } from './tables/index-state.js';
import { Lease } from './tables/lease.js';
import { type SettingsTable, settingNames } from './tables/settings-table.js';
import { packedVectors, type VectorTable, vectorRoles } from './tables/vector-table.js';

const vectorsPerRead = 2_048;
/** Moves an index to another space. */
export class PostgresMigration implements SpaceMigration {
  readonly #database: Database;
  readonly #names: SchemaNames;
  readonly #settings: SettingsTable;
  readonly #vectors: VectorTable;
  readonly #metric: VectorMetric;
  readonly #refuseReadonly: () => void;
  readonly #lease: Lease;

  constructor(
    database: Database,
    names: SchemaNames,
    settings: SettingsTable,
    vectors: VectorTable,
    metric: VectorMetric,
    refuseReadonly: () => void,
  ) {
    this.#database = database;
    this.#names = names;
    this.#settings = settings;
    this.#vectors = vectors;
    this.#metric = metric;
    this.#refuseReadonly = refuseReadonly;
    this.#lease = new Lease(database, names, 'migration_lease');
  }

  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    this.#refuseReadonly();
    // Should the lease be lost meanwhile: the cut-over compares vectors in its own transaction anyway.
    const done = await this.#lease.hold(work);
    if (done !== undefined) return done.result;
    throw new SemanticIndexError('BUSY', 'Another migration of this index is running', {
      hint: 'Wait for it to finish, or abort it.',
    });
  }

  begin(fingerprint: string, dimensions: number, canaries: string): Promise<Space> {
    return this.#database.write(async (statements) => {
      await lockWriter(statements, this.#names);
      const space = await this.#vectors.ensureSpace(statements, fingerprint, dimensions, canaries);
      await this.#settings.write(statements, settingNames.migratingTo, space.space);
      return space;
    });
  }

  findSpace(fingerprint: string): Promise<Space | undefined> {
    return this.#vectors.findSpace(fingerprint);
  }

  async abandon(): Promise<void> {
    await this.#settings.set(settingNames.migratingTo, 0);
  }

  remainder(space: number): Promise<Remainder> {
    return this.#database.read('SELECT 1', (transaction) => this.#remainder(transaction, space));
  }

  async #remainder(statements: Statements, space: number): Promise<Remainder> {
    const [row] = await statements.query(
      `SELECT count(*) FILTER (WHERE v.role = ${vectorRoles.given})::float8 AS given,
         count(*) FILTER (WHERE v.role <> ${vectorRoles.given} AND n.vector IS NULL)::float8 AS missing
       FROM ${this.#names.table('documents')} d JOIN ${this.#names.table('vectors')} v ON v.vector = d.vector
         LEFT JOIN ${this.#names.table('vectors')} n ON n.hash = d.hash AND n.space = $1 AND n.role = ${vectorRoles.document}`,
      [space],
    );
    return { missing: row?.missing as number, given: row?.given as number };
  }

  async missingAfter(space: number, afterKey: number, limit: number): Promise<MissingText[]> {
    const rows = await this.#database.alone(
      `SELECT d.key::float8, d.id, d.hash, d.text FROM ${this.#names.table('documents')} d
         JOIN ${this.#names.table('vectors')} v ON v.vector = d.vector
       WHERE d.key > $1 AND v.role <> ${vectorRoles.given} AND NOT EXISTS (
         SELECT 1 FROM ${this.#names.table('vectors')} n WHERE n.hash = d.hash AND n.space = $2 AND n.role = ${vectorRoles.document})
       ORDER BY d.key LIMIT $3`,
      [afterKey, space, limit],
    );
    return rows.map(({ key, id, hash, text }) => ({
      key,
      id: idFromText(id as string),
      hash,
      text: textFromBytes(text),
    }));
  }

  cutOver(space: number): Promise<Remainder> {
    return this.#database.write(async (statements) => {
      await lockWriter(statements, this.#names);
      const remainder = await this.#remainder(statements, space);
      if (remainder.missing > 0 || remainder.given > 0) return remainder;
      await statements.query(
        `UPDATE ${this.#names.table('documents')} d SET vector = n.vector FROM ${this.#names.table('vectors')} n
         WHERE n.hash = d.hash AND n.space = $1 AND n.role = ${vectorRoles.document}`,
        [space],
      );
      await this.#settings.write(statements, settingNames.space, space);
      await this.#settings.write(statements, settingNames.migratingTo, 0);
      return remainder;
    });
  }

  async sample(space: number, count: number): Promise<KeyedVectors> {
    const rows = await this.#database.alone(
      `WITH numbered AS (
         SELECT d.key, n.data, row_number() OVER (ORDER BY d.key) - 1 AS place, count(*) OVER () AS total
         FROM ${this.#names.table('documents')} d JOIN ${this.#names.table('vectors')} n
           ON n.hash = d.hash AND n.space = $1 AND n.role = ${vectorRoles.document})
       SELECT key::float8, data::text FROM numbered WHERE place % greatest(1, total / $2) = 0 ORDER BY key LIMIT $2`,
      [space, count],
    );
    return this.#packed(space, rows);
  }

  async #packed(space: number, rows: readonly Row[]): Promise<KeyedVectors> {
    const [row] = await this.#database.alone(`SELECT * FROM ${this.#names.table('spaces')} WHERE space = $1`, [space]);
    const dimensions = row === undefined ? 0 : spaceOf(row).dimensions;
    const keys = rows.map(({ key }) => key as number);
    return { keys: Float64Array.from(keys), vectors: await packedVectors(keys, rows, dimensions) };
  }

  async nearest({ space, dimensions }: Space, queries: Float32Array, k: number): Promise<KeyedNeighbor[][]> {
    const count = queries.length / dimensions;
    const sign = distanceSign(this.#metric);
    const best: KeyedNeighbor[][] = Array.from({ length: count }, () => []);
    for (let after = 0; ; ) {
      const found = await this.#database.alone(
        `SELECT d.key::float8, n.data::text FROM ${this.#names.table('documents')} d JOIN ${this.#names.table('vectors')} n
           ON n.hash = d.hash AND n.space = $1 AND n.role = ${vectorRoles.document}
         WHERE d.key > $2 ORDER BY d.key LIMIT $3`,
        [space, after, vectorsPerRead],
      );
      if (found.length === 0) return best;
      const keys = found.map(({ key }) => key as number);
      const buffer = new VectorBuffer(dimensions, this.#metric);
      try {
        buffer.append(await packedVectors(keys, found, dimensions));
        const wanted = Math.min(k, keys.length);
        const { items, distances } = await buffer.search(queries, wanted);
        best.forEach((list, query) => {
          for (let place = query * wanted; place < (query + 1) * wanted; place++) {
            list.push({ key: keys[items[place] as number] as number, distance: distances[place] as number });
          }
          list.sort((a, b) => sign * (a.distance - b.distance) || a.key - b.key);
          list.length = Math.min(list.length, k);
        });
      } finally {
        buffer.close();
      }
      after = keys.at(-1) as number;
    }
  }
}
