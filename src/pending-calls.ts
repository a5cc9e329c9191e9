import { SemanticIndexError } from './errors.js';
import { fromSqliteError } from './store/sqlite/sqlite-error.js';

/**
 * The pending calls of an index. Closing waits for them, ends open iterations, and refuses new calls. Every call passes through here,
 * so errors of SQLite get their codes here, whichever connection they come from.
 */
export class PendingCalls {
  readonly #running = new Set<Promise<unknown>>();
  readonly #readings = new Set<AsyncGenerator<unknown>>();
  #closing: Promise<void> | undefined;

  /** @throws CLOSED after `close`. */
  refuseClosed(): void {
    if (this.#closing !== undefined) throw new SemanticIndexError('CLOSED', 'The index is closed');
  }

  /** Runs a call. @throws CLOSED after `close`. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.refuseClosed();
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      throw fromSqliteError(error);
    } finally {
      this.#running.delete(running);
    }
  }

  /**
   * Iterates over a reading. `close` ends it: an abandoned iteration would keep its connection, and with it the write-ahead log,
   * until the process ends.
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

  /** Waits for pending calls, ends open iterations, then calls `end`; once for any number of calls. */
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
