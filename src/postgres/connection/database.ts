import { SemanticIndexError } from '../../errors.js';
import type { PostgresClient } from '../../options.js';
import { cancellable } from './cancellation.js';
import { canCopy, copyRows } from './copy.js';
import { inlined } from './literals.js';
import { OptimisticRead } from './optimistic-read.js';
import { hearErrors, type OpenPool } from './pool.js';
import { commitUnknown, fromPostgresError, isLostConnection, isRetryable } from './postgres-error.js';
import { PreparedStatements } from './prepared-statements.js';

// biome-ignore lint/suspicious/noExplicitAny: rows have the columns that the statement asks for.
export type Row = Record<string, any>;

/** How a statement is run. */
export interface StatementOptions {
  /** `SET LOCAL` statements for its transaction; they travel with it. */
  readonly settings?: string;
  /** Whether a connection may plan it once, whatever its values are: for few different texts. Default false. */
  readonly isPlannedOnce?: boolean;
}

/** Runs statements in one transaction, or each in its own. */
export interface Statements {
  /** @throws errors of this package; a statement that fails ends its transaction. */
  query(text: string, values?: readonly unknown[], options?: StatementOptions): Promise<Row[]>;
}

/** A transaction that writes. */
export interface WriteTransaction extends Statements {
  /** The version of the index that its commit makes; undefined until it holds the lock of writers. */
  version?: number;
  /** Copies rows in the binary format into a table with its columns, as they stand in COPY; undefined where clients cannot. */
  readonly copy?: (target: string, rows: Buffer) => Promise<void>;
}

/** A transaction that sees one point in time. */
export interface ReadTransaction extends Statements {
  /** The rows of the statement that began it. */
  readonly first: Row;
  /** Whether its connection was lost, or what it has assumed has changed. */
  readonly isLost: boolean;
  /** Checks what it has assumed, if it has. */
  confirm?(): Promise<void>;
  close(): void;
}

/** Columns by which a transaction that runs can be found, and cancelled: no other one of the same process began at the same time. */
export const runningColumns = 'pg_backend_pid() AS process, now()::text AS began';

/** How transactions are run. */
export interface DatabaseOptions {
  /** Milliseconds that a write waits for the locks of others. */
  readonly lockTimeout: number;
  /** Milliseconds of a statement; 0 for the setting of the server. */
  readonly statementTimeout: number;
}

/** Attempts of a write that others get in the way of. */
const maxAttempts = 12;
/** Attempts of what a lost connection cannot have changed: a pool may lend several connections that are lost already. */
const maxConnections = 7;

/** Statements are short, so compiling them costs more than it saves; what they read is in memory, or on disks without moving parts. */
const costs = 'SET LOCAL jit = off; SET LOCAL random_page_cost = 1.1;';

/** Reads and writes through a pool. Only `SET LOCAL` is used, so a pooler in transaction mode may lie in between. */
export class Database {
  readonly #pool: OpenPool;
  readonly #options: DatabaseOptions;
  readonly #prepared = new PreparedStatements();
  #shared: SharedRead | undefined;
  #isClosed = false;
  #committedVersion = 0;

  constructor(pool: OpenPool, options: DatabaseOptions) {
    this.#pool = pool;
    this.#options = options;
  }

  /** Whether parameters that are Buffers travel as the binary format of their types, as `pg` sends them. */
  get hasBinaryParameters(): boolean {
    return this.#pool.pool.isSingle !== true;
  }

  /** The last version of the index that a write of this process has made; 0 before the first one. */
  get committedVersion(): number {
    return this.#committedVersion;
  }

  async #connect(): Promise<PostgresClient> {
    if (this.#isClosed) throw new SemanticIndexError('CLOSED', 'The index is closed');
    try {
      const client = await this.#pool.pool.connect();
      hearErrors(client);
      return client;
    } catch (error) {
      throw fromPostgresError(error);
    }
  }

  /** Runs one statement in a transaction of its own, without limits of time: for builds, which cannot be part of another one. */
  async alone(text: string, values?: readonly unknown[]): Promise<Row[]> {
    // Readers have the only connection; they see the newest commit, as none was possible since they began.
    if (this.#shared !== undefined && isRead(text)) {
      const transaction = await this.#shared.join();
      return transaction.query(text, values).finally(() => transaction.close());
    }
    return isRead(text) ? this.again(() => this.aloneOnce(text, values)) : this.aloneOnce(text, values);
  }

  /** The same, not repeated when the connection is lost. */
  async aloneOnce(text: string, values: readonly unknown[] | undefined): Promise<Row[]> {
    const client = await this.#connect();
    let failure: unknown;
    try {
      return await run(client, text, values);
    } catch (error) {
      failure = error;
      throw fromPostgresError(error);
    } finally {
      client.release(failure !== undefined && isLostConnection(failure));
    }
  }

  /** Repeats what only reads when its connection was lost: an idle connection may have been, before it was lent. */
  async again<T>(read: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await read();
      } catch (error) {
        if (attempt >= maxConnections || this.#isClosed || !isLostConnection(error)) throw error;
      }
      await pause(attempt);
    }
  }

  /**
   * Begins a transaction that sees the newest commit, and nothing later; not repeated when the connection is lost. `first` is a statement
   * that gives one row; it has no parameters.
   */
  async beginRead(first: string, signal?: AbortSignal): Promise<ReadTransaction> {
    if (this.#pool.pool.isSingle !== true) return this.#beginOwnRead(first, signal);
    // One connection for all readers: a second one would wait for the first one indefinitely.
    this.#shared ??= new SharedRead(
      () => this.#beginOwnRead(first),
      () => {
        this.#shared = undefined;
      },
    );
    return this.#shared.join();
  }

  async #beginOwnRead(first: string, signal?: AbortSignal): Promise<ReadTransaction> {
    const client = await this.#connect();
    try {
      const [row = {}] = await run(client, `${this.#beginning} ${first}`);
      return new OwnRead(client, row, signal, () => this.#cancel(row));
    } catch (error) {
      await endBroken(client, error);
      throw fromPostgresError(error);
    }
  }

  /** The statements that a transaction that reads begins with. */
  get #beginning(): string {
    return `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${costs} ${this.#limit}`;
  }

  get #limit(): string {
    const { statementTimeout } = this.#options;
    return statementTimeout === 0 ? '' : `SET LOCAL statement_timeout = ${statementTimeout};`;
  }

  /**
   * Reads as of a version of the index that is known, without a transaction that stays open: see `OptimisticRead`. Undefined where all
   * readers share one connection.
   *
   * @param versionSql statement without parameters that gives one row with the version.
   */
  readAt(version: number, versionSql: string, signal: AbortSignal | undefined): ReadTransaction | undefined {
    if (this.#pool.pool.isSingle === true) return undefined;
    const reads = {
      connect: () => this.#connect(),
      begin: `${this.#beginning} SET LOCAL plan_cache_mode = force_generic_plan;`,
      prepared: this.#prepared,
      cancel: (beginning: string) => this.#cancelMessage(beginning),
    };
    return new OptimisticRead(reads, version, versionSql, signal);
  }

  /** Cancels what a transaction runs, of which `row` has the running columns. */
  async #cancel({ process, began }: Row): Promise<void> {
    if (process === undefined || this.#pool.pool.isSingle === true) return;
    const text = 'SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND xact_start = $2::timestamptz';
    await this.aloneOnce(text, [process, began]);
  }

  async #cancelMessage(beginning: string): Promise<void> {
    const text = `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE state = 'active' AND starts_with(query, $1)`;
    await this.aloneOnce(text, [beginning]);
  }

  /** Reads in one transaction; in another one where its connection was lost: `work` must not keep results of earlier runs. */
  read<T>(first: string, work: (transaction: ReadTransaction) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.again(async () => {
      const transaction = await this.beginRead(first, signal);
      try {
        return await work(transaction);
      } finally {
        transaction.close();
      }
    });
  }

  /**
   * Writes in one transaction, which is repeated where others got in its way or its connection was lost before the commit: `work` must
   * not keep results of earlier runs.
   *
   * @throws UNAVAILABLE when the connection was lost during the commit: whether it is stored is not known then.
   */
  async write<T>(work: (transaction: WriteTransaction) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { lockTimeout } = this.#options;
    const begin = `BEGIN; SET LOCAL jit = off; SET LOCAL lock_timeout = ${lockTimeout}; ${this.#limit} SELECT ${runningColumns}`;
    let lost = 0;
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      const client = await this.again(() => this.#connect());
      let isCommitting = false;
      try {
        const [row = {}] = await run(client, begin);
        const cancelled = <T>(send: () => Promise<T>): Promise<T> => cancellable(signal, () => this.#cancel(row), send);
        const transaction: WriteTransaction = {
          query: (text, values, options) => cancelled(() => run(client, text, values, options)),
          ...(canCopy(client) && { copy: (target, rows) => cancelled(() => copyRows(client, target, rows)) }),
        };
        const result = await work(transaction);
        signal?.throwIfAborted();
        isCommitting = true;
        await client.query('COMMIT');
        this.#committedVersion = Math.max(this.#committedVersion, transaction.version ?? 0);
        client.release();
        return result;
      } catch (error) {
        await endBroken(client, error);
        if (!isCommitting) signal?.throwIfAborted();
        const isLost = isLostConnection(error);
        if (isLost && isCommitting) throw commitUnknown(error);
        if (isLost) lost++;
        const mayRepeat = isLost ? lost < maxConnections : isRetryable(error);
        if (attempt >= maxAttempts || !mayRepeat) throw fromPostgresError(error);
      }
      // Two writers that met once shall not meet again.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** Math.min(attempt, 6)));
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#pool.close();
  }
}

/** Rows of the last statement that has rows, as `pg` gives one result for each statement of a text. */
async function run(
  client: PostgresClient,
  text: string,
  values?: readonly unknown[],
  { settings }: StatementOptions = {},
): Promise<Row[]> {
  const result = await (settings === undefined
    ? client.query(text, values as unknown[] | undefined)
    : client.query(`${settings} ${inlined(text, values ?? [])}`));
  if (!Array.isArray(result)) return result.rows ?? [];
  return (result.at(-1) as { rows?: Row[] } | undefined)?.rows ?? [];
}

function isRead(text: string): boolean {
  return /^\s*SELECT\b/.test(text);
}

/** Lets a pool notice which of its idle connections are lost; then waits for a server that starts again. */
function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10 * 2 ** attempt));
}

async function endBroken(client: PostgresClient, error: unknown): Promise<void> {
  if (isLostConnection(error)) return client.release(true);
  try {
    await client.query('ROLLBACK');
    client.release();
  } catch {
    client.release(true);
  }
}

class OwnRead implements ReadTransaction {
  readonly first: Row;
  readonly #client: PostgresClient;
  readonly #signal: AbortSignal | undefined;
  readonly #cancel: () => Promise<void>;
  #isClosed = false;
  #pending = 0;
  #failure: unknown;

  constructor(client: PostgresClient, first: Row, signal: AbortSignal | undefined, cancel: () => Promise<void>) {
    this.#client = client;
    this.#signal = signal;
    this.#cancel = cancel;
    this.first = first;
  }

  async query(text: string, values?: readonly unknown[], options?: StatementOptions): Promise<Row[]> {
    if (this.#isClosed) throw new SemanticIndexError('CLOSED', 'The snapshot is closed');
    this.#pending++;
    try {
      return await cancellable(this.#signal, this.#cancel, () => run(this.#client, text, values, options));
    } catch (error) {
      this.#failure = error;
      this.#signal?.throwIfAborted();
      throw fromPostgresError(error);
    } finally {
      this.#pending--;
      if (this.#isClosed && this.#pending === 0) this.#end();
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#pending === 0) this.#end();
  }

  /** Also when a replica ended it, for a change that it receives. */
  get isLost(): boolean {
    return this.#failure !== undefined && (isLostConnection(this.#failure) || isRetryable(this.#failure));
  }

  #end(): void {
    if (this.isLost) {
      this.#client.release(true);
      return;
    }
    // Only reads were done: whether they are committed or rolled back makes no difference.
    this.#client.query('COMMIT').then(
      () => this.#client.release(),
      () => this.#client.release(true),
    );
  }
}

/** One transaction that several readers use. */
class SharedRead {
  readonly #begun: Promise<ReadTransaction>;
  readonly #onEnd: () => void;
  #readers = 0;

  constructor(begin: () => Promise<ReadTransaction>, onEnd: () => void) {
    this.#onEnd = onEnd;
    this.#begun = begin();
    this.#begun.catch(onEnd);
  }

  async join(): Promise<ReadTransaction> {
    this.#readers++;
    const transaction = await this.#begun;
    let isClosed = false;
    return {
      first: transaction.first,
      get isLost() {
        return transaction.isLost;
      },
      query: (text, values, options) => transaction.query(text, values, options),
      close: () => {
        if (isClosed) return;
        isClosed = true;
        if (--this.#readers > 0) return;
        this.#onEnd();
        transaction.close();
      },
    };
  }
}
