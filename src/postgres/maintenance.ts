import type { BackendFacts } from '../backend/backend.js';
import type { Space } from '../backend/space.js';
import { SemanticIndexError } from '../errors.js';
import type { DiskUsage, ValidationReport } from '../types.js';
import type { Database, Statements } from './connection/database.js';
import { quoteName, quoteText } from './connection/names.js';
import { lockWriter, type SchemaNames } from './connection/schema.js';
import {
  exactEffort,
  hnswExpression,
  hnswOperatorClass,
  maxHnswDimensions,
  type VectorMetric,
} from './search/vector-search.js';
import type { IndexState } from './tables/index-state.js';
import { type SettingsTable, settingNames } from './tables/settings-table.js';

type Check = ValidationReport['checks'][number];

/** Builds and checks what is derived from the documents: the HNSW index, and the sums of counts. */
export class Maintenance {
  readonly #database: Database;
  readonly #names: SchemaNames;
  readonly #settings: SettingsTable;
  readonly #metric: VectorMetric;

  constructor(database: Database, names: SchemaNames, settings: SettingsTable, metric: VectorMetric) {
    this.#database = database;
    this.#names = names;
    this.#settings = settings;
    this.#metric = metric;
  }

  /** Whether vectors of a space can have an HNSW index. */
  canIndex({ dimensions }: Space, precision: 'vector' | 'halfvec'): boolean {
    return dimensions <= maxHnswDimensions[precision];
  }

  /**
   * Builds the HNSW index of a space where there is none that can be used, while searches and writes go on. An index that another
   * process is building is waited for. @param again replaces the one that is there.
   */
  async buildHnsw(space: Space, precision: 'vector' | 'halfvec', again: boolean): Promise<void> {
    if (!this.canIndex(space, precision)) return;
    const name = this.#names.hnsw(space.space);
    const qualified = `${this.#names.quoted}.${quoteName(name)}`;
    const [found] = await this.#database.alone(
      `SELECT (SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)) AS valid`,
      [qualified],
    );
    const before = (await this.#settings.read(this.#database, settingNames.hnsw)) ?? 'vector';
    if (found?.valid === true && before === precision) {
      if (again) await this.#database.alone(`REINDEX INDEX CONCURRENTLY ${qualified}`);
      return;
    }
    // One that is not valid was left by a build that died.
    if (found?.valid !== null) await this.#database.alone(`DROP INDEX CONCURRENTLY IF EXISTS ${qualified}`);
    await this.#settings.set(settingNames.hnsw, precision);
    const expression = hnswExpression(this.#names, space, precision);
    const operators = hnswOperatorClass(this.#names, this.#metric, precision);
    await this.#database.alone(
      `CREATE INDEX CONCURRENTLY IF NOT EXISTS ${quoteName(name)} ON ${this.#names.table('vectors')}
       USING hnsw (${expression} ${operators}) WITH (m = 16, ef_construction = 64) WHERE space = ${space.space} AND role <> 1`,
    );
    // Readers look whether there is an index when the version is another one.
    await this.#database.write((statements) => lockWriter(statements, this.#names));
  }

  /** Removes the indexes of other spaces, whose vectors are not searched. */
  async dropOthers(space: Space, migratingTo: number): Promise<void> {
    const rows = await this.#database.alone(
      `SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = $1 AND c.relkind = 'i' AND c.relname LIKE 'vectors\\_hnsw\\_%'`,
      [this.#names.schema],
    );
    const kept = [this.#names.hnsw(space.space), this.#names.hnsw(migratingTo)];
    for (const { name } of rows) {
      if (kept.includes(name as string)) continue;
      await this.#database.alone(
        `DROP INDEX CONCURRENTLY IF EXISTS ${this.#names.quoted}.${quoteName(name as string)}`,
      );
    }
  }

  async vacuum(): Promise<void> {
    // Differences that were summed up have left the index larger than its rows.
    await this.#database.alone(`REINDEX INDEX CONCURRENTLY ${this.#names.quoted}.term_lists_by_term`);
    for (const table of ['documents', 'postings', 'vectors', 'term_lists', 'deleted', 'sizes', 'position'] as const) {
      await this.#database.alone(`VACUUM (ANALYZE) ${this.#names.table(table)}`);
    }
  }

  async facts(statements: Statements, state: IndexState): Promise<BackendFacts> {
    const { space, documents, hnsw } = state;
    if (space === undefined || hnsw === undefined) return { segments: [], tail: documents, maxNodes: exactEffort };
    const file = this.#names.hnsw(space.space);
    const [row] = await statements.query('SELECT pg_relation_size(to_regclass($1))::float8 AS bytes', [
      `${this.#names.quoted}.${quoteName(file)}`,
    ]);
    const segment = {
      segment: space.space,
      file,
      items: documents,
      dead: 0,
      trees: 0,
      bytes: row?.bytes ?? 0,
      damaged: false,
    };
    return { segments: [segment], tail: 0, maxNodes: exactEffort };
  }

  async bytes(statements: Statements): Promise<DiskUsage> {
    const [row] = await statements.query(
      `SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::float8 AS total,
         (SELECT coalesce(sum(pg_relation_size(i.oid)), 0)::float8 FROM pg_class i
          WHERE i.relnamespace = to_regnamespace($1) AND i.relkind = 'i' AND i.relname LIKE 'vectors\\_hnsw\\_%') AS graphs
       FROM pg_class c WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r'`,
      [this.#names.quoted],
    );
    const graphs = row?.graphs as number;
    return {
      database: (row?.total as number) - graphs,
      segments: graphs,
      forests: 0,
      graphs,
      terms: 0,
      columns: 0,
      tailImage: 0,
    };
  }

  /** Compares what is derived with the documents. */
  async validate(statements: Statements, state: IndexState, level: 'quick' | 'full'): Promise<ValidationReport> {
    const checks: Check[] = [];
    const add = (check: string, passed: boolean, message: string, hint: string): void => {
      checks.push({ check, passed, severity: 'error', message, hint });
    };
    const [row] = await statements.query(
      `SELECT (SELECT count(*)::float8 FROM ${this.#table('documents')}) AS documents,
         (SELECT count(*)::float8 FROM ${this.#table('postings')}) AS postings,
         (SELECT coalesce(sum(length), 0)::float8 FROM ${this.#table('postings')}) AS length,
         (SELECT count(*)::float8 FROM ${this.#table('documents')} d JOIN ${this.#table('vectors')} v ON v.vector = d.vector
          WHERE v.space IS DISTINCT FROM $1::int OR ${this.#names.vector}.vector_dims(v.data) <> $2::int) AS foreign_vectors,
         (SELECT count(*)::float8 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
          WHERE c.relnamespace = to_regnamespace(${quoteText(this.#names.quoted)}) AND NOT i.indisvalid) AS invalid`,
      [state.space?.space ?? null, state.space?.dimensions ?? null],
    );
    const { documents, postings, length, foreign_vectors: foreign, invalid } = row as Record<string, number>;
    const again = 'Run `rebuild()`: it derives them from the documents.';
    add('documents', documents === state.documents, `${documents} documents, ${state.documents} counted`, again);
    add(
      'terms',
      postings === documents && length === state.length,
      `${postings} documents have terms, ${length} in all; ${state.length} counted`,
      again,
    );
    add(
      'vectors',
      foreign === 0,
      `${foreign} documents have a vector of another space or length`,
      'Restore a backup of the database.',
    );
    add(
      'indexes',
      invalid === 0,
      `${invalid} indexes are not valid`,
      'Run `optimize()`: an index that was not completed is built again.',
    );
    if (level === 'full') {
      const [wrong] = await statements.query(
        `WITH truth AS (SELECT term, count(*)::float8 AS n FROM ${this.#table('postings')}, unnest(terms) AS term GROUP BY term),
           kept AS (SELECT term, sum(documents)::float8 AS n FROM ${this.#table('term_lists')} GROUP BY term HAVING sum(documents) <> 0)
         SELECT count(*)::float8 AS wrong FROM truth FULL JOIN kept USING (term) WHERE truth.n IS DISTINCT FROM kept.n`,
      );
      add('term counts', wrong?.wrong === 0, `${wrong?.wrong} terms are counted wrong`, again);
    }
    return { valid: checks.every(({ passed }) => passed), checks };
  }

  #table(name: Parameters<SchemaNames['table']>[0]): string {
    return this.#names.table(name);
  }
}

/** What only a directory can do. @throws UNSUPPORTED, always. */
export function refuseInPostgres(what: string, hint: string): never {
  throw new SemanticIndexError('UNSUPPORTED', `${what} is not possible for an index in PostgreSQL`, { hint });
}
