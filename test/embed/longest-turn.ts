import { readFileSync } from 'node:fs';

/** CPU time in milliseconds: of this thread on Linux, otherwise of all threads. */
export function processorTime(): number {
  try {
    return Number.parseInt(readFileSync('/proc/thread-self/schedstat', 'utf8'), 10) / 1e6;
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e3;
  }
}

/**
 * How long work keeps the event loop from turning: the longest turn while it runs, in milliseconds on the processor.
 * What other processes take meanwhile does not count.
 */
export async function longestTurn(work: Promise<unknown>): Promise<number> {
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  work.then(end, end);
  let longest = 0;
  let before = processorTime();
  while (!ended) {
    await new Promise(setImmediate);
    const now = processorTime();
    longest = Math.max(longest, now - before);
    before = now;
  }
  await work;
  return longest;
}
