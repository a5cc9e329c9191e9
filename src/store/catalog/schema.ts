import type { Database } from 'better-sqlite3';
import { crashPoint } from '../../crash-points.js';
import { SemanticIndexError } from '../../errors.js';

/** The application id in SQLite's header ("SIDX"). */
export const applicationId = 0x53494458;

/**
 * The steps that lead from one format to the next; the format of a file is the number of steps it has taken
 * (`PRAGMA user_version`). A released step is never edited: a change of the format is a new step at the end. (Steps 1 and 3
 * no longer create the index of words in FTS5 that step 4 drops: the result is the same, and a new index needs no FTS5.)
 *
 * documents is thin (a filter or a list never reads a text), texts is fat. A changed text gets a new key, so an item
 * of a segment is deleted exactly when no document has its key; other processes read deletions in order from `deletions`.
 * Ids of spaces, vectors, documents and segments are never reused: a stale reference held across a purge must not
 * resolve to another row. A segment keeps the keys of its items as one blob of 32-bit offsets from first_key,
 * ascending: publishing a million items writes one value instead of a million rows. The file of a segment that was
 * replaced is retired until it could be removed (where it is mapped, some systems refuse).
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE settings (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;

  CREATE TABLE spaces (
    space INTEGER PRIMARY KEY AUTOINCREMENT,
    fingerprint TEXT NOT NULL UNIQUE,
    dimensions INTEGER NOT NULL,
    canaries TEXT,
    created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE vectors (
    vector INTEGER PRIMARY KEY AUTOINCREMENT,
    space INTEGER NOT NULL REFERENCES spaces,
    role INTEGER NOT NULL,
    hash BLOB NOT NULL,
    used_at INTEGER NOT NULL,
    data BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX vectors_by_hash ON vectors (hash, space, role);

  CREATE TABLE documents (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id ANY NOT NULL,
    hash BLOB NOT NULL,
    vector INTEGER NOT NULL REFERENCES vectors,
    metadata TEXT
  ) STRICT;
  CREATE UNIQUE INDEX documents_by_id ON documents (id);
  CREATE INDEX documents_by_vector ON documents (vector);

  CREATE TABLE texts (key INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;

  CREATE TABLE deletions (sequence INTEGER PRIMARY KEY AUTOINCREMENT, key INTEGER NOT NULL) STRICT;
  CREATE INDEX deletions_by_key ON deletions (key);

  CREATE TABLE segments (
    segment INTEGER PRIMARY KEY AUTOINCREMENT,
    file TEXT NOT NULL UNIQUE,
    first_key INTEGER NOT NULL,
    last_key INTEGER NOT NULL,
    items INTEGER NOT NULL,
    trees INTEGER NOT NULL,
    file_size INTEGER NOT NULL,
    file_mtime INTEGER NOT NULL,
    checksum TEXT NOT NULL,
    keys BLOB NOT NULL
  ) STRICT;

  CREATE TABLE retired (file TEXT PRIMARY KEY, retired_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    token INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  // 2: the cached vectors of queries are bounded; an index finds the least recently used.
  'CREATE INDEX queries_by_use ON vectors (used_at) WHERE role = 1;',
  // 3: changed an index of words that step 4 drops.
  '',
  // 4: the terms of documents are in a file of each segment, and for the tail in tail_terms, a row for each batch that
  // was committed. A segment without terms_size has no such file yet: it is derived from the texts. Metadata that is replaced
  // leaves the key of its document alone; other processes read such changes in order from metadata_changes. The columns file of a
  // segment has the metadata as of columns_change, a position in that log, and perhaps some later changes.
  `
  DROP TABLE IF EXISTS words;
  CREATE TABLE tail_terms (
    first_key INTEGER PRIMARY KEY, last_key INTEGER NOT NULL, data BLOB NOT NULL
  ) STRICT;
  CREATE TABLE metadata_changes (sequence INTEGER PRIMARY KEY AUTOINCREMENT, key INTEGER NOT NULL) STRICT;
  ALTER TABLE segments ADD COLUMN terms_size INTEGER;
  ALTER TABLE segments ADD COLUMN terms_checksum TEXT;
  ALTER TABLE segments ADD COLUMN columns_size INTEGER;
  ALTER TABLE segments ADD COLUMN columns_checksum TEXT;
  ALTER TABLE segments ADD COLUMN columns_change INTEGER;
  `,
];

/** The format that this version writes. */
export const currentFormat = migrations.length;

/**
 * Creates the tables of an empty database, or takes an older one to the current format, in one transaction.
 *
 * @throws NOT_AN_INDEX when the database belongs to another program, NEWER_FORMAT when a later version wrote it.
 */
export function migrateSchema(db: Database, readonly: boolean): void {
  const format = checkFormat(db);
  if (format === currentFormat) {
    requireColumns(db);
    return;
  }
  if (readonly) {
    throw new SemanticIndexError('READ_ONLY', `The index has format ${format} and must be taken to ${currentFormat}`, {
      hint: 'Open it once without `readonly`: that migrates it.',
    });
  }
  db.transaction(() => {
    // Another process may have migrated it before this one got the lock.
    for (const step of migrations.slice(checkFormat(db))) db.exec(step);
    db.pragma(`application_id = ${applicationId}`);
    db.pragma(`user_version = ${currentFormat}`);
  }).immediate();
  crashPoint('open.tables-made');
}

/** The columns of the current format, by table. */
const columns: Readonly<Record<string, string>> = {
  settings: 'name, value',
  spaces: 'space, fingerprint, dimensions, canaries, created_at',
  vectors: 'vector, space, role, hash, used_at, data',
  documents: 'key, id, hash, vector, metadata',
  texts: 'key, text',
  deletions: 'sequence, key',
  segments:
    'segment, file, first_key, last_key, items, trees, file_size, file_mtime, checksum, keys, terms_size, terms_checksum, ' +
    'columns_size, columns_checksum, columns_change',
  retired: 'file, retired_at',
  leases: 'name, owner, token, expires_at',
  tail_terms: 'first_key, last_key, data',
  metadata_changes: 'sequence, key',
};

/** The unique keys that rows are replaced by. */
const uniqueKeys: readonly (readonly [table: string, key: string])[] = [
  ['settings', 'name'],
  ['vectors', 'hash, space, role'],
  ['leases', 'name'],
];

/**
 * Statements of a catalog are compiled when they are first used. What all of them need is looked for when it is opened.
 *
 * @throws what SQLite reports.
 */
function requireColumns(db: Database): void {
  const selects = Object.entries(columns).map(([table, names]) => `SELECT coalesce(${names}) FROM ${table}`);
  db.prepare(selects.join(' UNION ALL '));
  for (const [table, key] of uniqueKeys) {
    db.prepare(`INSERT INTO ${table} (${key}) SELECT ${key} FROM ${table} WHERE 1 ON CONFLICT (${key}) DO NOTHING`);
  }
}

function checkFormat(db: Database): number {
  const owner = db.pragma('application_id', { simple: true }) as number;
  const format = db.pragma('user_version', { simple: true }) as number;
  if (owner === 0 && format === 0) {
    const tables = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() as number;
    if (tables === 0) return 0;
  }
  if (owner !== applicationId) {
    throw new SemanticIndexError('NOT_AN_INDEX', 'index.db is a SQLite database of another program');
  }
  // Triggers and views run statements of their author: an index has neither.
  const foreign = db.prepare("SELECT type, name FROM sqlite_schema WHERE type IN ('trigger', 'view')").get();
  if (foreign !== undefined) {
    const { type, name } = foreign as { type: string; name: string };
    throw new SemanticIndexError(
      'NOT_AN_INDEX',
      `Expected index.db to hold tables of an index, got a ${type}: ${name}`,
      {
        hint: 'Another program changed it, or it comes from someone else. Drop it with the sqlite3 command if you trust the rest.',
      },
    );
  }
  if (format > currentFormat) {
    throw new SemanticIndexError(
      'NEWER_FORMAT',
      `The index has format ${format}; this version reads up to ${currentFormat}`,
      {
        details: { format, supported: currentFormat },
      },
    );
  }
  return format;
}
