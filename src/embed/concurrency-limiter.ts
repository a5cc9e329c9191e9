/**
 * Room for calls of one provider, shared by all who embed with it: how many run at the same time, and how many have
 * brought something that is not safe yet. What a killed process has to pay for again is bounded by the second.
 */
export class ConcurrencyLimiter {
  readonly #parallel: number;
  readonly #unsaved: number;
  readonly #waiting = new Set<() => void>();
  #runningNow = 0;
  #unsavedNow = 0;

  /** @param parallel most calls at the same time. @param unsaved most calls that run or whose result is not safe yet. */
  constructor(parallel: number, unsaved: number) {
    this.#parallel = parallel;
    this.#unsaved = unsaved;
  }

  /** Takes room for one call, if there is any. Who takes it calls `ended` and `saved` once each. */
  take(): boolean {
    if (this.#runningNow >= this.#parallel || this.#unsavedNow >= this.#unsaved) return false;
    this.#runningNow++;
    this.#unsavedNow++;
    return true;
  }

  /** The call is over. */
  ended(): void {
    this.#runningNow--;
    this.#tell();
  }

  /** What the call brought is safe, or it brought nothing. */
  saved(): void {
    this.#unsavedNow--;
    this.#tell();
  }

  /** Has `wake` called whenever there may be room: first for who waits longest. */
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
