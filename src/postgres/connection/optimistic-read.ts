import { randomUUID } from 'node:crypto';
import { SemanticIndexError } from '../../errors.js';
import type { PostgresClient } from '../../options.js';
import { cancellable } from './cancellation.js';
import type { ReadTransaction, Row, StatementOptions } from './database.js';
import { inlined } from './literals.js';
import { fromPostgresError, isLostConnection } from './postgres-error.js';
import type { PreparedStatements } from './prepared-statements.js';

/** What an optimistic read asks of its database. */
export interface OptimisticReads {
  connect(): Promise<PostgresClient>;
  /** Statements that each of its transactions begins with. */
  readonly begin: string;
  readonly prepared: PreparedStatements;
  /** Cancels the message that begins with a text. */
  cancel(beginning: string): Promise<unknown>;
}

/**
 * Reads as of a version of the index that was read before. Each statement is one message with a transaction of its own, which reads the
 * version as well: as long as it is the same, all of them see what one transaction would. Once it is another one, the read is lost.
 */
export class OptimisticRead implements ReadTransaction {
  readonly first: Row;
  readonly #reads: OptimisticReads;
  readonly #versionSql: string;
  readonly #signal: AbortSignal | undefined;
  #isConfirmed = false;
  #isClosed = false;
  #isLost = false;

  /** @param versionSql statement that gives one row with the version. */
  constructor(reads: OptimisticReads, version: number, versionSql: string, signal: AbortSignal | undefined) {
    this.#reads = reads;
    this.#versionSql = versionSql;
    this.#signal = signal;
    this.first = { version };
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  async query(text: string, values: readonly unknown[] = [], options: StatementOptions = {}): Promise<Row[]> {
    if (this.#isClosed) throw new SemanticIndexError('CLOSED', 'The snapshot is closed');
    try {
      return await this.#send(text, values, options);
    } catch (error) {
      this.#signal?.throwIfAborted();
      if (isLostConnection(error)) this.#isLost = true;
      throw fromPostgresError(error);
    }
  }

  /** Reads the version where no statement has: what was read of an earlier one may be all there is to read. */
  async confirm(): Promise<void> {
    if (!this.#isConfirmed) await this.query('SELECT');
  }

  async #send(text: string, values: readonly unknown[], options: StatementOptions): Promise<Row[]> {
    const { begin, prepared, connect, cancel } = this.#reads;
    const client = await connect();
    const { settings = '', isPlannedOnce = false } = options;
    const statement = isPlannedOnce
      ? prepared.on(client, text, values)
      : { text: inlined(text, values), prepares: false };
    const mark = this.#signal === undefined ? '' : `/* ${randomUUID()} */`;
    const message = `${mark} ${begin} ${this.#versionSql}; ${settings} ${statement.text}; COMMIT`;
    let results: { readonly rows: Row[] }[];
    try {
      results = await cancellable(
        this.#signal,
        () => cancel(mark),
        () => client.query(message),
      );
      client.release();
    } catch (error) {
      await this.#giveBack(client, error, statement.prepares);
      if (isPlannedOnce && prepared.failsBy(error)) return this.#send(text, values, { settings });
      throw error;
    }
    this.#check(results.find(({ rows }) => rows.length > 0)?.rows[0]?.version);
    return results.at(-2)?.rows ?? [];
  }

  async #giveBack(client: PostgresClient, error: unknown, prepares: boolean): Promise<void> {
    // Whether it has prepared its statement is not known.
    if (prepares || isLostConnection(error)) return client.release(true);
    await client.query('ROLLBACK').then(
      () => client.release(),
      () => client.release(true),
    );
  }

  #check(version: unknown): void {
    if (version === this.first.version) {
      this.#isConfirmed = true;
      return;
    }
    this.#isLost = true;
    throw new SemanticIndexError('BUSY', 'Another writer has changed the index while it was searched');
  }

  close(): void {
    this.#isClosed = true;
  }
}
