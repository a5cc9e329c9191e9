import { type ErrorCode, SemanticIndexError } from '../../errors.js';

/** An error of a failed statement or connection, as far as `pg` describes it. */
interface ServerError {
  readonly code?: string;
  readonly message?: string;
}

interface Meaning {
  readonly code: ErrorCode;
  readonly hint: string;
}

const lost: Meaning = {
  code: 'UNAVAILABLE',
  hint: 'Check that the server runs, and try again. A change whose commit was not confirmed is stored as a whole or not at all; adds and deletes can be repeated.',
};
const rights: Meaning = {
  code: 'FORBIDDEN',
  hint: 'The user needs CREATE on the database for a new index, and USAGE and CREATE on the schema of the index: see docs/postgres.md, "Permissions".',
};
const replaced: Meaning = {
  code: 'NOT_AN_INDEX',
  hint: 'The tables of the index are missing: was it dropped meanwhile? Open it again to create a new one.',
};

/** By SQLSTATE, or by the class that its first two characters name (PostgreSQL manual, appendix A). */
const meanings: Readonly<Record<string, Meaning>> = {
  '08': lost,
  '57P01': lost,
  '57P02': lost,
  '57P03': lost,
  '57P05': lost,
  '58': { code: 'IO', hint: 'The server reports a failure of its system: see its log.' },
  '53': { code: 'IO', hint: 'The server is short of disk, memory or another resource: see its log.' },
  '53300': {
    code: 'BUSY',
    hint: 'The server has no connection left: lower `maxConnections`, or raise `max_connections`.',
  },
  '28': {
    code: 'UNAUTHORIZED',
    hint: 'Check user and password of the connection string, and pg_hba.conf of the server.',
  },
  '3D000': { code: 'NOT_FOUND', hint: 'Check the database in the connection string, or run: createdb NAME' },
  '42501': rights,
  '42P01': replaced,
  '3F000': replaced,
  '25006': {
    code: 'READ_ONLY',
    hint: 'The server is a replica, or the transaction is read-only: write to the primary.',
  },
  '57014': { code: 'TIMEOUT', hint: 'The statement was cancelled: raise `statementTimeout`, or that of the server.' },
  '55P03': { code: 'BUSY', hint: 'Another writer holds the index; try again later or raise `storage.busyTimeout`.' },
  '40': { code: 'BUSY', hint: 'Other writers kept changing the same rows; try again.' },
  '23505': { code: 'BUSY', hint: 'Other writers kept changing the same rows; try again.' },
  XX001: { code: 'CORRUPT', hint: 'The server found damaged data: restore a backup of the server.' },
  XX002: { code: 'CORRUPT', hint: 'The server found a damaged index: run `rebuild()`, or REINDEX SCHEMA.' },
  '54': {
    code: 'TOO_LARGE',
    hint: 'The statement is above a limit of the server: use a smaller filter or shorter texts.',
  },
};

const networkCodes = /^E(?:CONN|HOST|NET|PIPE|TIMEDOUT|NOTFOUND|AI_AGAIN)/;
const lostMessages = /connection (?:terminated|ended|closed)|client has encountered a connection error|not queryable/i;
const poolTimeout = /timeout exceeded when trying to connect/i;

/** Whether an error, of the server or of this package, means that the connection cannot be used any more. */
export function isLostConnection(error: unknown): boolean {
  const first = SemanticIndexError.is(error) ? error.cause : error;
  return first instanceof Error && !SemanticIndexError.is(first) && meaningOf(first as ServerError) === lost;
}

/** The error of a connection that was lost while a transaction was committed. */
export function commitUnknown(error: unknown): SemanticIndexError {
  const message = 'PostgreSQL: the connection was lost during a commit: it is not known whether the change is stored';
  return new SemanticIndexError('UNAVAILABLE', message, {
    hint: 'It is stored as a whole or not at all. Add or delete the same documents again: that does no harm.',
    cause: error,
  });
}

/** Whether a transaction that failed so may succeed when it is tried again: serialization failures, deadlocks, and rows inserted meanwhile. */
export function isRetryable(error: unknown): boolean {
  const { code } = error as ServerError;
  return code === '40001' || code === '40P01' || code === '23505';
}

/** Whether an error, of the server or of this package, means that writers waited for each other in a circle. */
export function isDeadlock(error: unknown): boolean {
  const first = SemanticIndexError.is(error) ? error.cause : error;
  return (first as ServerError | undefined)?.code === '40P01';
}

function meaningOf({ code, message = '' }: ServerError): Meaning | undefined {
  if (poolTimeout.test(message)) {
    return {
      code: 'BUSY',
      hint: 'All connections of the pool are in use: raise `maxConnections`, or close snapshots.',
    };
  }
  if (code !== undefined) {
    if (networkCodes.test(code)) return lost;
    const known = meanings[code] ?? (code.length === 5 ? meanings[code.slice(0, 2)] : undefined);
    if (known !== undefined) return known;
  }
  return lostMessages.test(message) ? lost : undefined;
}

/** The error of PostgreSQL as one of this package; errors of this package, and others such as reasons of signals, as they are. */
export function fromPostgresError(error: unknown): unknown {
  if (!(error instanceof Error) || SemanticIndexError.is(error)) return error;
  const { code } = error as ServerError;
  const meaning = meaningOf(error as ServerError);
  if (meaning === undefined) {
    // A SQLSTATE that has no meaning here: a statement that is wrong.
    if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) return error;
    return new SemanticIndexError('INTERNAL', `PostgreSQL: ${error.message} (${code})`, { cause: error });
  }
  const message = `PostgreSQL: ${error.message || code}${code === undefined ? '' : ` (${code})`}`;
  return new SemanticIndexError(meaning.code, message, { hint: meaning.hint, cause: error });
}
