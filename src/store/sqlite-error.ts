import { type ErrorCode, SemanticIndexError } from '../errors.js';
import { isSqliteError } from './sqlite.js';

const codes: readonly (readonly [prefix: string, code: ErrorCode])[] = [
  ['SQLITE_BUSY', 'BUSY'],
  ['SQLITE_LOCKED', 'BUSY'],
  // Whoever opened the index `readonly` is refused before SQLite is asked: this is about the rights of the files.
  ['SQLITE_READONLY', 'IO'],
  ['SQLITE_NOTADB', 'NOT_AN_INDEX'],
  ['SQLITE_CORRUPT', 'CORRUPT'],
  ['SQLITE_FULL', 'IO'],
  ['SQLITE_IOERR', 'IO'],
  ['SQLITE_CANTOPEN', 'IO'],
  ['SQLITE_PERM', 'IO'],
  // A race for the log that SQLite gave up after many tries.
  ['SQLITE_PROTOCOL', 'BUSY'],
  ['SQLITE_NOMEM', 'OUT_OF_MEMORY'],
];

/** The typed error for what SQLite reported; other errors pass through unchanged. */
export function fromSqliteError(error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  const known = codes.find(([prefix]) => error.code.startsWith(prefix));
  return new SemanticIndexError(known?.[1] ?? 'INTERNAL', `SQLite: ${error.message}`, {
    cause: error,
    ...(error.code.startsWith('SQLITE_READONLY') && {
      hint: 'Check that folder and files can be written. An index whose maker died is set up when it is opened without `readonly`.',
    }),
    details: { sqlite: error.code },
  });
}
