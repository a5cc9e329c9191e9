import { type ErrorCode, SemanticIndexError } from '../../errors.js';
import { isSqliteError } from './sqlite.js';

/** What an error of SQLite means for an index, and what to do about it. */
interface Meaning {
  readonly code: ErrorCode;
  readonly hint?: string;
}

// SQLite reports a device that cannot read a page (EIO) as damage, too.
const damaged =
  "index.db itself is damaged, or its disk cannot read it. If opening the index again does not help, restore a backup, or save what can be read into a new index with `salvage(from, to)`. `validate({ level: 'full' })` says what is affected.";
const failingDisk =
  'The file system failed to read or write index.db. Look at the disk, then open the index again: what was acknowledged is there if its disk is sound.';

/** By the beginning of the code; the first that fits counts. */
const meanings: readonly (readonly [prefix: string, meaning: Meaning])[] = [
  ['SQLITE_BUSY', { code: 'BUSY' }],
  ['SQLITE_LOCKED', { code: 'BUSY' }],
  // A race for the log that SQLite gave up after many tries.
  ['SQLITE_PROTOCOL', { code: 'BUSY', hint: 'Many processes are opening the index at once. Try again.' }],
  // An index that was opened `readonly` is refused before SQLite is asked: this is about permissions of the files.
  [
    'SQLITE_READONLY',
    {
      code: 'IO',
      hint: 'Check that directory and files are writable. An index whose maker died is set up when it is opened without `readonly`.',
    },
  ],
  ['SQLITE_NOTADB', { code: 'CORRUPT', hint: damaged }],
  ['SQLITE_CORRUPT', { code: 'CORRUPT', hint: damaged }],
  // No statement of this package can break a constraint of a sound database.
  ['SQLITE_CONSTRAINT', { code: 'CORRUPT', hint: damaged }],
  ['SQLITE_MISMATCH', { code: 'CORRUPT', hint: damaged }],
  ['SQLITE_FULL', { code: 'IO', hint: 'The disk is full. Free some room and try again; nothing is lost.' }],
  ['SQLITE_IOERR_NOMEM', { code: 'OUT_OF_MEMORY' }],
  ['SQLITE_IOERR', { code: 'IO', hint: failingDisk }],
  ['SQLITE_CANTOPEN', { code: 'IO' }],
  ['SQLITE_PERM', { code: 'IO' }],
  ['SQLITE_AUTH', { code: 'IO' }],
  ['SQLITE_NOLFS', { code: 'IO' }],
  ['SQLITE_NOMEM', { code: 'OUT_OF_MEMORY' }],
  ['SQLITE_TOOBIG', { code: 'TOO_LARGE', hint: 'One text, metadata or query is larger than SQLite can store (1 GB).' }],
];

/** The typed error for what SQLite reported; other errors pass through unchanged. */
export function fromSqliteError(error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  const [, { code, hint }] = meanings.find(([prefix]) => error.code.startsWith(prefix)) ?? ['', { code: 'INTERNAL' }];
  return new SemanticIndexError(code, `SQLite: ${error.message}`, {
    cause: error,
    ...(hint !== undefined && { hint }),
    details: { sqlite: error.code },
  });
}
