import { SemanticIndexError } from '../../errors.js';
import type { Metric } from '../../types.js';
import type { Database, Row, WriteTransaction } from './database.js';
import { quoteName, quoteText } from './names.js';

/** The format of the tables that this version writes and reads. */
export const currentFormat = 2;
/** Iterative scans, which filtered searches need, came with this version of pgvector. */
const [minMajor, minMinor] = [0, 8];

/** Names of the tables of an index, and of the types of pgvector, as they stand in statements. */
export class SchemaNames {
  /** The schema of the index. */
  readonly schema: string;
  readonly #quoted: string;
  /** The schema of pgvector, which need not be in the search path. */
  readonly vector: string;

  constructor(schema: string, extensionSchema: string) {
    this.schema = schema;
    this.#quoted = quoteName(schema);
    this.vector = quoteName(extensionSchema);
  }

  table(
    name:
      | 'settings'
      | 'spaces'
      | 'vectors'
      | 'documents'
      | 'postings'
      | 'term_lists'
      | 'deleted'
      | 'sizes'
      | 'position',
  ): string {
    return `${this.#quoted}.${name}`;
  }

  /** The schema, quoted. */
  get quoted(): string {
    return this.#quoted;
  }
}

/**
 * Finds the index, or creates its tables.
 *
 * @throws NOT_AN_INDEX when there is none and it is not to be created, or the schema holds other tables; NEWER_FORMAT; UNSUPPORTED
 *   without a current pgvector; FORBIDDEN without the rights.
 */
export async function openSchema(
  database: Database,
  name: string,
  options: { readonly create: boolean; readonly metric: Metric },
): Promise<{ readonly names: SchemaNames; readonly format: number }> {
  const state = await serverState(database, name);
  checkServer(state);
  if (state.tables === 0) {
    if (!options.create) {
      throw new SemanticIndexError('NOT_AN_INDEX', `The database has no index with the name "${name}"`, {
        hint: 'Check name and database, or open it without `readonly` and with `create` to create it.',
      });
    }
    const names = new SchemaNames(name, await ensureExtension(database, state));
    await createTables(database, names, state.has_schema === true, options.metric);
    return { names, format: currentFormat };
  }
  const names = new SchemaNames(name, checkExtension(state));
  return { names, format: await checkFormat(database, names) };
}

async function serverState(database: Database, name: string): Promise<Row> {
  const [state] = await database.alone(
    `SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding,
       to_regnamespace($1) IS NOT NULL AS has_schema,
       (SELECT count(*)::int FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $2 AND c.relkind IN ('r', 'p', 'v', 'm')) AS tables,
       (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS extension,
       (SELECT nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'vector') AS extension_schema,
       (SELECT default_version FROM pg_available_extensions WHERE name = 'vector') AS available`,
    [quoteName(name), name],
  );
  return state as Row;
}

function checkServer({ version, encoding }: Row): void {
  if (version < 140_000) {
    throw new SemanticIndexError(
      'UNSUPPORTED',
      `Expected PostgreSQL 14 or later, got ${Math.floor(version / 10_000)}`,
      {
        hint: 'Use a newer server, or an index in a directory.',
      },
    );
  }
  if (encoding !== 'UTF8') {
    throw new SemanticIndexError('UNSUPPORTED', `Expected a database in UTF8, got ${encoding}`, {
      hint: "Create it with: CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0",
    });
  }
}

/** The schema of pgvector. */
function checkExtension({ extension, extension_schema: schema, available }: Row): string {
  if (typeof extension !== 'string') {
    throw new SemanticIndexError('UNSUPPORTED', 'The database does not have the extension vector (pgvector)', {
      hint: isRecent(available)
        ? 'Run as an administrator of the database: CREATE EXTENSION vector'
        : 'Install pgvector 0.8 or later on the server (Debian: postgresql-16-pgvector; managed services offer it), then run: CREATE EXTENSION vector',
    });
  }
  if (!isRecent(extension)) {
    throw new SemanticIndexError(
      'UNSUPPORTED',
      `Expected pgvector ${minMajor}.${minMinor} or later, got ${extension}`,
      {
        hint: isRecent(available)
          ? 'Run as an administrator of the database: ALTER EXTENSION vector UPDATE'
          : 'Install a newer pgvector on the server, then run: ALTER EXTENSION vector UPDATE',
      },
    );
  }
  return schema as string;
}

function isRecent(version: unknown): boolean {
  const [major = 0, minor = 0] = String(version ?? '')
    .split('.')
    .map(Number);
  return major > minMajor || (major === minMajor && minor >= minMinor);
}

/** Creates pgvector in the database where the server has it and the user may; returns its schema. */
async function ensureExtension(database: Database, state: Row): Promise<string> {
  if (state.extension !== null || !isRecent(state.available)) return checkExtension(state);
  try {
    await database.alone('CREATE EXTENSION IF NOT EXISTS vector');
  } catch (error) {
    // Rights are missing, or another process was faster.
    if (!SemanticIndexError.is(error, 'FORBIDDEN') && !SemanticIndexError.is(error, 'BUSY')) throw error;
  }
  const [now] = await database.alone(
    "SELECT extversion AS extension, nspname::text AS extension_schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'vector'",
  );
  return checkExtension({ ...now, available: state.available });
}

/** The tables that came with format 2. */
export function listTables(names: SchemaNames): string {
  const table = names.table.bind(names);
  return `
    CREATE TABLE ${table('term_lists')} (
      term text COLLATE "C" NOT NULL,
      last_key bigint NOT NULL,
      documents int NOT NULL,
      data bytea NOT NULL
    );
    ALTER TABLE ${table('term_lists')} ALTER COLUMN data SET STORAGE EXTERNAL;
    CREATE INDEX term_lists_by_term ON ${table('term_lists')} (term, last_key);
    CREATE TABLE ${table('deleted')} (deletion bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key bigint NOT NULL);
    CREATE TABLE ${table('position')} (version bigint NOT NULL, epoch bigint NOT NULL);
    INSERT INTO ${table('position')} VALUES (0, 0)`;
}

/**
 * postings has the terms of documents; what a search by text reads are term_lists, the same by term, with keys of documents in deleted
 * that are gone. A changed text gets a new key, so keys in the rows of a term ascend. Sums of sizes count. position has the version of the
 * index, and is the lock of writers. Vectors are named by their content.
 */
async function createTables(database: Database, names: SchemaNames, hasSchema: boolean, metric: Metric): Promise<void> {
  const table = names.table.bind(names);
  await database.write(async (statements) => {
    await statements.query(`SELECT pg_advisory_xact_lock(hashtext($1))`, [`semantic-index:${names.schema}`]);
    const [found] = await statements.query('SELECT to_regclass($1) IS NOT NULL AS exists', [table('settings')]);
    if (found?.exists === true) return;
    if (!hasSchema) await statements.query(`CREATE SCHEMA IF NOT EXISTS ${names.quoted}`);
    const text = 'text COLLATE "C"';
    await statements.query(`
      CREATE TABLE ${table('settings')} (name ${text} PRIMARY KEY, value text NOT NULL);
      CREATE TABLE ${table('spaces')} (
        space int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        fingerprint ${text} NOT NULL UNIQUE,
        dimensions int NOT NULL,
        canaries text,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE TABLE ${table('vectors')} (
        vector bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        space int NOT NULL REFERENCES ${table('spaces')},
        role smallint NOT NULL,
        hash ${text} NOT NULL,
        used_at timestamptz NOT NULL DEFAULT now(),
        data ${names.vector}.vector NOT NULL,
        UNIQUE (hash, space, role)
      );
      CREATE TABLE ${table('documents')} (
        key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id ${text} NOT NULL UNIQUE,
        hash ${text} NOT NULL,
        vector bigint NOT NULL REFERENCES ${table('vectors')},
        metadata text,
        fields jsonb,
        text bytea NOT NULL
      );
      CREATE INDEX documents_by_vector ON ${table('documents')} (vector);
      CREATE TABLE ${table('postings')} (
        key bigint PRIMARY KEY,
        length int NOT NULL,
        terms text[] COLLATE "C" NOT NULL,
        frequencies int[] NOT NULL
      );
      CREATE TABLE ${table('sizes')} (documents bigint NOT NULL, length bigint NOT NULL);
      INSERT INTO ${table('settings')} VALUES
        ('format', '${currentFormat}'), ('metric', ${quoteText(JSON.stringify(metric))});
      ${listTables(names)}`);
  });
}

async function checkFormat(database: Database, names: SchemaNames): Promise<number> {
  const [found] = await database.alone('SELECT to_regclass($1) IS NOT NULL AS exists', [names.table('settings')]);
  const [row] = found?.exists === true ? await formatRow(database, names) : [];
  const format = Number(row?.value);
  if (row === undefined || !Number.isInteger(format)) {
    throw new SemanticIndexError('NOT_AN_INDEX', `The schema "${names.schema}" has tables of another program`, {
      hint: 'Choose another `name`: the index has a schema of its own.',
    });
  }
  if (format > currentFormat) {
    throw new SemanticIndexError(
      'NEWER_FORMAT',
      `The index has format ${format}; this version reads up to ${currentFormat}`,
      { details: { format, supported: currentFormat } },
    );
  }
  return format;
}

async function formatRow(database: Database, names: SchemaNames): Promise<Row[]> {
  try {
    return await database.alone(`SELECT value FROM ${names.table('settings')} WHERE name = 'format'`);
  } catch (error) {
    // A table of that name with other columns.
    if (SemanticIndexError.is(error, 'INTERNAL')) return [];
    throw error;
  }
}

/** Lets one writer of the index in at a time: keys are visible in their order, and no two writers wait for each other's rows. */
export async function lockWriter(transaction: WriteTransaction, names: SchemaNames): Promise<void> {
  const [row] = await transaction.query(
    `UPDATE ${names.table('position')} SET version = version + 1 RETURNING version::float8`,
  );
  transaction.version = row?.version as number;
}
