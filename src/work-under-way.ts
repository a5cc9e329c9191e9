import { SemanticIndexError } from './errors.js';

/** The calls of an index that have not ended yet: closing waits for them, and lets no new ones begin. */
export class WorkUnderWay {
  readonly #running = new Set<Promise<unknown>>();
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
    return running;
  }

  /** Waits for what is running, then does `end`, once however often it is asked. */
  close(end: () => Promise<void>): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#running).then(end);
    return this.#closing;
  }
}
