import { SemanticIndexError } from './errors.js';
import { fromSqliteError } from './store/sqlite/sqlite-error.js';

/**
 * The calls of an index that have not ended yet: closing waits for them, ends the readings that are still open, and lets no
 * new ones begin. Every call of an index goes through here, so this is where an error of SQLite gets its code, whichever
 * connection it comes from.
 */
export class PendingCalls {
  readonly #running = new Set<Promise<unknown>>();
  readonly #readings = new Set<AsyncGenerator<unknown>>();
  #closing: Promise<void> | undefined;

  /** @throws CLOSED after `close`. */
  refuseClosed(): void {
    if (this.#closing !== undefined) throw new SemanticIndexError('CLOSED', 'The index is closed');
  }

  /** Begins a call. @throws CLOSED after `close`. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.refuseClosed();
    const running = work();
    this.#running.add(running);
    const done = (): void => void this.#running.delete(running);
    running.then(done, done);
    try {
      return await running;
    } catch (error) {
      throw fromSqliteError(error);
    }
  }

  /**
   * Hands out a reading piece by piece. `close` ends it where it stands: a reading that is left half-way would keep its
   * connection, and with it the log, for as long as the process lives.
   *
   * @throws CLOSED after `close`.
   */
  async *iterate<T>(reading: AsyncGenerator<T>): AsyncGenerator<T> {
    this.refuseClosed();
    this.#readings.add(reading);
    try {
      for (;;) {
        const { done, value } = await this.run(() => reading.next());
        if (done === true) return;
        yield value;
      }
    } finally {
      this.#readings.delete(reading);
      await reading.return(undefined);
    }
  }

  /** Waits for what is running, ends open readings, then does `end`, once however often it is asked. */
  close(end: () => Promise<void>): Promise<void> {
    this.#closing ??= this.#end(end);
    return this.#closing;
  }

  async #end(end: () => Promise<void>): Promise<void> {
    await Promise.allSettled(this.#running);
    await Promise.allSettled([...this.#readings].map((reading) => reading.return(undefined)));
    try {
      await end();
    } catch (error) {
      throw fromSqliteError(error);
    }
  }
}
