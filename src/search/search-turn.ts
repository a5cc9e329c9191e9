import { setImmediate } from 'node:timers';

/** Searches hold up the event loop for at most so long in one turn of it, in milliseconds, as far as can be expected. */
const maxMillisecondsPerTurn = 1;
/** Weight of the last search in the expected time. */
const weight = 1 / 8;

/** When the first search in this turn of the event loop began; undefined before it. */
let turnBegan: number | undefined;
/** Continues the search that waits for the next turn. */
let resume: (() => void) | undefined;
/** Reads of snapshots that are open: besides their searches, all that they need is done in this thread. */
let reads = 0;
/** Searches that other threads are doing. */
let running = 0;

function endTurn(): void {
  turnBegan = undefined;
  resume?.();
  resume = undefined;
}

/** Counts a read of a snapshot until `endRead`. */
export function beginRead(): void {
  reads++;
}

export function endRead(): void {
  reads--;
}

/** Counts a search that another thread does until it ends. */
export async function onOtherThread<T>(search: Promise<T>): Promise<T> {
  running++;
  try {
    return await search;
  } finally {
    running--;
  }
}

/**
 * Decides where searches of one kind run. To hand one to another thread and to wake that up takes as long as many searches do. So
 * those that are expected to be short run in the thread of the event loop, but at most a millisecond of them in each turn of it, and
 * only while it has nothing else to do for a search: among many at once, it hands them over and reads the documents of those found.
 */
export class SearchTurn {
  /** Expected time of the next search. */
  #milliseconds = Number.POSITIVE_INFINITY;

  /** Whether a search runs in this thread, now. */
  fits(): boolean {
    if (reads - running > 1 || this.#milliseconds > maxMillisecondsPerTurn) return false;
    const now = performance.now();
    if (turnBegan === undefined) {
      turnBegan = now;
      setImmediate(endTurn);
    }
    return now - turnBegan + this.#milliseconds <= maxMillisecondsPerTurn;
  }

  /** After `fits` was false: the next turn, if the search is short and no other one is waiting or running elsewhere. */
  next(): Promise<void> | undefined {
    const isAlone = reads <= 1 && running === 0 && resume === undefined && turnBegan !== undefined;
    if (!isAlone || this.#milliseconds > maxMillisecondsPerTurn) return undefined;
    return new Promise((resolve) => {
      resume = resolve;
    });
  }

  /** Learns how long a search took. */
  add(milliseconds: number): void {
    const before = this.#milliseconds;
    this.#milliseconds = before === Number.POSITIVE_INFINITY ? milliseconds : before + (milliseconds - before) * weight;
  }
}
