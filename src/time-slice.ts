/** Work that waits for its next slice, longest first. */
const waiting: (() => void)[] = [];

/** One slice in each turn of the event loop, however much work is sliced: what else is waiting comes between any two of them. */
function resumeNext(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(resumeNext);
}

/**
 * Keeps long work on the main thread polite: call `due` between small steps and await `yieldIfDue` when it answers true.
 * Then nothing else waits for longer than about `milliseconds`, also while several works are sliced at the same time.
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
  async yieldIfDue(signal?: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 1) setImmediate(resumeNext);
    });
    signal?.throwIfAborted();
    this.#started = performance.now();
  }
}
