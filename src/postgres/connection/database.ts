import { SemanticIndexError } from '../../errors.js';
import type { PostgresClient } from '../../options.js';
import { hearErrors, type OpenPool } from './pool.js';
import { commitUnknown, fromPostgresError, isLostConnection, isRetryable } from './postgres-error.js';

// biome-ignore lint/suspicious/noExplicitAny: rows have the columns that the statement asks for.
export type Row = Record<string, any>;

/** Runs statements in one transaction, or each in its own. */
export interface Statements {
  /** @throws errors of this package; a statement that fails ends its transaction. */
  query(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** A transaction that writes. */
export interface WriteTransaction extends Statements {
  /** The version of the index that its commit makes; undefined until it holds the lock of writers. */
  version?: number;
}

/** A transaction that sees one point in time. */
export interface ReadTransaction extends Statements {
  /** The rows of the statement that began it. */
  readonly first: Row;
  /** Whether its connection was lost. */
  readonly isLost: boolean;
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
const maxConnections = 6;

/** Statements are short, so compiling them costs more than it saves; what they read is in memory, or on disks without moving parts. */
const costs = 'SET LOCAL jit = off; SET LOCAL random_page_cost = 1.1;';

/** Reads and writes through a pool. Only `SET LOCAL` is used, so a pooler in transaction mode may lie in between. */
export class Database {
  readonly #pool: OpenPool;
  readonly #options: DatabaseOptions;
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
   * Begins a transaction that sees the newest commit, and nothing later. `first` is a statement that gives one row; it has no
   * parameters.
   */
  async beginRead(first: string, signal?: AbortSignal): Promise<ReadTransaction> {
    if (this.#pool.pool.isSingle !== true) return this.again(() => this.beginReadOnce(first, signal));
    // One connection for all readers: a second one would wait for the first one indefinitely.
    this.#shared ??= new SharedRead(
      () => this.beginReadOnce(first),
      () => {
        this.#shared = undefined;
      },
    );
    return this.#shared.join();
  }

  /** The same, not repeated when the connection is lost. */
  async beginReadOnce(first: string, signal?: AbortSignal): Promise<ReadTransaction> {
    const client = await this.#connect();
    const { statementTimeout } = this.#options;
    const limit = statementTimeout === 0 ? '' : `SET LOCAL statement_timeout = ${statementTimeout};`;
    const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${costs} ${limit} ${first}`;
    try {
      const [row = {}] = await run(client, begin);
      return new OwnRead(client, row, signal, this.#cancelOn(signal, row));
    } catch (error) {
      await endBroken(client, error);
      throw fromPostgresError(error);
    }
  }

  /** Cancels a transaction, of which `row` has the running columns, when a signal is aborted. Returns what ends that. */
  #cancelOn(signal: AbortSignal | undefined, { process, began }: Row): () => void {
    if (signal === undefined || process === undefined || this.#pool.pool.isSingle === true) return () => {};
    const cancel = (): void => {
      const text =
        'SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND xact_start = $2::timestamptz';
      // Where it fails, the statement ends by itself.
      this.aloneOnce(text, [process, began]).catch(() => {});
    };
    signal.addEventListener('abort', cancel, { once: true });
    return () => signal.removeEventListener('abort', cancel);
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
    const { lockTimeout, statementTimeout } = this.#options;
    const limit = statementTimeout === 0 ? '' : `SET LOCAL statement_timeout = ${statementTimeout};`;
    const begin = `BEGIN; SET LOCAL jit = off; SET LOCAL lock_timeout = ${lockTimeout}; ${limit} SELECT ${runningColumns}`;
    let lost = 0;
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      const client = await this.again(() => this.#connect());
      let isCommitting = false;
      let unhear = (): void => {};
      try {
        const [row = {}] = await run(client, begin);
        unhear = this.#cancelOn(signal, row);
        const transaction: WriteTransaction = { query: (text, values) => run(client, text, values) };
        const result = await work(transaction);
        signal?.throwIfAborted();
        unhear();
        isCommitting = true;
        await client.query('COMMIT');
        this.#committedVersion = Math.max(this.#committedVersion, transaction.version ?? 0);
        client.release();
        return result;
      } catch (error) {
        unhear();
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
async function run(client: PostgresClient, text: string, values?: readonly unknown[]): Promise<Row[]> {
  const result = await client.query(text, values as unknown[] | undefined);
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
  readonly #unhear: () => void;
  #isClosed = false;
  #pending = 0;
  #failure: unknown;

  constructor(client: PostgresClient, first: Row, signal: AbortSignal | undefined, unhear: () => void) {
    this.#client = client;
    this.#signal = signal;
    this.#unhear = unhear;
    this.first = first;
  }

  async query(text: string, values?: readonly unknown[]): Promise<Row[]> {
    if (this.#isClosed) throw new SemanticIndexError('CLOSED', 'The snapshot is closed');
    this.#pending++;
    try {
      return await run(this.#client, text, values);
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
    this.#unhear();
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
      query: (text, values) => transaction.query(text, values),
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
