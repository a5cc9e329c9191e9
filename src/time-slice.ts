import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Keeps long work on the main thread polite: call `due` between small steps and await `breathe` when it answers true.
 * Then nothing else waits for longer than about `milliseconds`.
 */
export class TimeSlice {
  readonly #milliseconds: number;
  #started = performance.now();

  constructor(milliseconds = 1) {
    this.#milliseconds = milliseconds;
  }

  /** Whether the current slice is used up. Costs one look at the clock. */
  due(): boolean {
    return performance.now() - this.#started >= this.#milliseconds;
  }

  /** Lets the event loop do whatever else is waiting, then starts a new slice. Throws `signal.reason` when aborted. */
  async breathe(signal?: AbortSignal): Promise<void> {
    await nextTurn();
    signal?.throwIfAborted();
    this.#started = performance.now();
  }
}
