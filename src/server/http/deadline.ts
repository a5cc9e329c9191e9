import { SemanticIndexError } from '../../index.js';

/** A time limit for one request. */
export interface Deadline {
  /** Aborts with TIMEOUT when the time is over. */
  readonly signal: AbortSignal;
  /** Ends the wait for it. */
  clear(): void;
  /** Aborts for another reason. */
  abort(reason: unknown): void;
}

/** A time limit of so many milliseconds from now. */
export function deadlineIn(milliseconds: number): Deadline {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new SemanticIndexError('TIMEOUT', `The answer took longer than ${milliseconds} ms`));
  }, milliseconds);
  return {
    signal: controller.signal,
    clear: () => clearTimeout(timer),
    abort: (reason) => controller.abort(reason),
  };
}

/**
 * The result of some work, or the reason of a signal as soon as it aborts: then the work is not waited for. It is given the signal
 * so that it can stop as well.
 */
export async function untilAborted<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let leave = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([work(signal), aborted]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
