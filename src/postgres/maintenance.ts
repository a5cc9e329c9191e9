import type { BackendFacts } from '../backend/backend.js';
import { SemanticIndexError } from '../errors.js';
import type { DiskUsage, ValidationReport } from '../types.js';
import type { Database, Statements } from './connection/database.js';
import { quoteName, quoteText } from './connection/names.js';
import type { SchemaNames } from './connection/schema.js';
import { countIndexes } from './hnsw-builder.js';
import { exactEffort } from './search/vector-search.js';
import { hnswPrefix } from './tables/hnsw-index.js';
import type { IndexState } from './tables/index-state.js';

type Check = ValidationReport['checks'][number];

/** Measures and checks what is derived from the documents: the HNSW indexes, and the sums of counts. */
export class Maintenance {
  readonly #database: Database;
  readonly #names: SchemaNames;

  constructor(database: Database, names: SchemaNames) {
    this.#database = database;
    this.#names = names;
  }

  async vacuum(): Promise<void> {
    // Differences that were summed up have left the index larger than its rows.
    await this.#database.alone(`REINDEX INDEX CONCURRENTLY ${this.#names.quoted}.term_lists_by_term`);
    for (const table of ['documents', 'postings', 'vectors', 'term_lists', 'deleted', 'sizes', 'position'] as const) {
      await this.#database.alone(`VACUUM (ANALYZE) ${this.#names.table(table)}`);
    }
  }

  async facts(statements: Statements, state: IndexState): Promise<BackendFacts> {
    if (state.hnsw.length === 0) return { segments: [], tail: state.documents, maxNodes: exactEffort };
    const { cover, tail } = await countIndexes(statements, this.#names, state.hnsw);
    const rows = await statements.query(
      'SELECT pg_relation_size(to_regclass(name))::float8 AS bytes FROM unnest($1::text[]) WITH ORDINALITY AS t(name, place) ORDER BY place',
      [cover.map(({ name }) => `${this.#names.quoted}.${quoteName(name)}`)],
    );
    const segments = cover.map(({ name, documents }, place) => ({
      segment: place + 1,
      file: name,
      items: documents,
      dead: 0,
      trees: 0,
      bytes: (rows[place]?.bytes ?? 0) as number,
      damaged: false,
    }));
    return { segments, tail: tail.documents, maxNodes: exactEffort };
  }

  async bytes(statements: Statements): Promise<DiskUsage> {
    const [row] = await statements.query(
      `SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::float8 AS total,
         (SELECT coalesce(sum(pg_relation_size(i.oid)), 0)::float8 FROM pg_class i
          WHERE i.relnamespace = to_regnamespace($1) AND i.relkind = 'i' AND starts_with(i.relname::text, '${hnswPrefix}')) AS graphs
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
