import type { Database } from 'better-sqlite3';
import { SemanticIndexError } from '../../errors.js';
import { type FileIdentity, requireSameFile } from '../directory/file-identity.js';
import { addCancelling } from './cancelling.js';
import { isSqliteError, sqlite } from './sqlite.js';

/** How a connection to the catalog is opened. */
export interface CatalogOptions {
  /** Path of index.db, or ':memory:'. */
  readonly path: string;
  readonly readonly: boolean;
  /** 'process': a commit survives the death of the process. 'full': also a power cut (an fsync per commit). */
  readonly durability: 'process' | 'full';
  /** How long a write waits for another writer, in milliseconds. */
  readonly busyTimeout: number;
  /** Memory for pages of the database, in KiB. Default 16384. */
  readonly pageCache?: number | undefined;
  /** The file that it must be: nothing is created, and another file is refused. */
  readonly file?: FileIdentity | undefined;
}

const pageSize = 16_384;
const defaultPageCache = 16_384;

/**
 * Opens a connection that can write, unless it is to be `readonly`.
 *
 * @throws IO when the file, or for readers its folder, can only be read; otherwise what SQLite reports.
 */
export function connect(options: CatalogOptions): Database {
  try {
    return open(options);
  } catch (error) {
    if (!isRefusedWrite(error)) throw error;
    if (options.readonly) throw refusal(options, error);
  }
  // One call that failed is enough to come here, so it is tried once more.
  try {
    return open(options);
  } catch (error) {
    if (!isRefusedWrite(error)) throw error;
    throw refusal(options, error);
  }
}

function refusal({ path, readonly }: CatalogOptions, cause: unknown): SemanticIndexError {
  const [message, hint] = readonly
    ? [
        `The directory of ${path} is not writable`,
        'In WAL mode SQLite creates -wal and -shm files next to the database, even for readers. Copy the index to a writable directory.',
      ]
    : [
        `${path} is not writable`,
        'Check the permissions of the directory and its files, and whether its disk is mounted read-only. With `readonly: true` the index is only read.',
      ];
  return new SemanticIndexError('IO', message, {
    cause,
    hint,
    details: isSqliteError(cause) ? { sqlite: cause.code } : {},
  });
}

function open(options: CatalogOptions): Database {
  const { path, readonly, durability, busyTimeout, pageCache = defaultPageCache, file } = options;
  if (file !== undefined) requireSameFile(path, file);
  const db = new (sqlite())(path, { readonly, timeout: busyTimeout, fileMustExist: file !== undefined });
  try {
    if (file !== undefined) requireSameFile(path, file);
    if (!readonly) {
      db.pragma(`page_size = ${pageSize}`);
      db.pragma('journal_mode = WAL');
      requireWriting(db, busyTimeout);
    }
    db.pragma(`synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`);
    db.pragma(`cache_size = -${pageCache}`);
    db.pragma('temp_store = MEMORY');
    // The file may come from someone else: expressions in its schema call no function that could do harm.
    db.pragma('trusted_schema = OFF');
    addCancelling(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Runs reads in the transaction that has begun, or in one of their own. */
export function inOneTransaction<T>(db: Database, read: () => T): T {
  return db.inTransaction ? read() : db.transaction(read)();
}

/**
 * SQLite opens a file that it may not write, or whose log it may not write, for reading, without a word; and every
 * write of that connection is refused for good, even if it was one call that failed once. `BEGIN IMMEDIATE` says
 * nothing of it either: it takes a write to see.
 */
function requireWriting(db: Database, busyTimeout: number): void {
  db.pragma('busy_timeout = 0');
  try {
    db.exec('BEGIN; PRAGMA user_version = 0');
  } catch (error) {
    // SQLite checks the permission to write before the lock: a connection that waits for another writer has it.
    if (!(isSqliteError(error) && error.code.startsWith('SQLITE_BUSY'))) throw error;
  } finally {
    if (db.inTransaction) db.exec('ROLLBACK');
    db.pragma(`busy_timeout = ${busyTimeout}`);
  }
}

function isRefusedWrite(error: unknown): boolean {
  return isSqliteError(error) && error.code.startsWith('SQLITE_READONLY');
}
