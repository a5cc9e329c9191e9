import type { Database } from 'better-sqlite3';
import { SemanticIndexError } from '../../errors.js';

/** RefCounted by two threads: 1 as soon as the one that asked does not want the answer any more. */
export type CancelFlag = Int32Array;

/** The flag of the call that runs on this thread. */
let current: CancelFlag | undefined;

/** A flag, for a call to another thread. */
export function cancelFlag(): CancelFlag {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/** Raises a flag: statements with `is_wanted` fail soon after. */
export function cancel(flag: CancelFlag): void {
  Atomics.store(flag, 0, 1);
}

/** Runs synchronous work that the flag can stop. */
export function whileWanted<T>(flag: CancelFlag | undefined, work: () => T): T {
  check(flag);
  current = flag;
  try {
    return work();
  } finally {
    current = undefined;
  }
}

/**
 * Gives SQL of the connection the function `is_wanted(any)`, which is true, and makes the statement fail once the call that it runs
 * for was cancelled. SQLite's own interrupt cannot be reached from JavaScript. It takes a fraction of a microsecond a row, so it
 * belongs into statements whose rows take longer.
 */
export function addCancelling(db: Database): void {
  db.function('is_wanted', { varargs: true, deterministic: false }, () => {
    check(current);
    return 1;
  });
}

/**
 * The condition as one that makes a statement over documents `d` fail once the call is cancelled, also while no document matches.
 * Unchanged for calls that cannot be cancelled.
 */
export function whileWantedSql(condition: string): string {
  return current === undefined ? condition : `is_wanted(d.key) AND (${condition})`;
}

/** @throws when the call that runs on this thread was cancelled. For loops between statements. */
export function checkWanted(): void {
  check(current);
}

/** The same for work that goes on after an `await`, when other calls run on this thread: to be taken before the first one. */
export function wantedCheck(): () => void {
  const flag = current;
  return () => check(flag);
}

function check(flag: CancelFlag | undefined): void {
  if (flag !== undefined && Atomics.load(flag, 0) !== 0)
    throw new SemanticIndexError('INTERNAL', 'The call was cancelled');
}
