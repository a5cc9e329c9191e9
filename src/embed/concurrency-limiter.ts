/**
 * Limits concurrent provider calls, and calls whose results are not persisted yet. The latter bounds how much paid work
 * a crash can lose. One limiter is shared by all iterations over the same provider.
 */
export class ConcurrencyLimiter {
  readonly #parallel: number;
  readonly #unsaved: number;
  readonly #waiting = new Set<() => void>();
  #runningNow = 0;
  #unsavedNow = 0;

  /** @param parallel max. concurrent calls. @param unsaved max. calls that run or whose result is not persisted. */
  constructor(parallel: number, unsaved: number) {
    this.#parallel = parallel;
    this.#unsaved = unsaved;
  }

  /** Reserves a slot for one call; false when none is free. The holder calls `ended` and `saved` once each. */
  tryAcquire(): boolean {
    if (this.#runningNow >= this.#parallel || this.#unsavedNow >= this.#unsaved) return false;
    this.#runningNow++;
    this.#unsavedNow++;
    return true;
  }

  /** The call has ended. */
  ended(): void {
    this.#runningNow--;
    this.#tell();
  }

  /** The result of the call is persisted, or the call had none. */
  saved(): void {
    this.#unsavedNow--;
    this.#tell();
  }

  /** Calls `wake` whenever a slot may be free, in the order of the subscriptions. */
  wait(wake: () => void): void {
    this.#waiting.add(wake);
  }

  leave(wake: () => void): void {
    this.#waiting.delete(wake);
  }

  #tell(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
