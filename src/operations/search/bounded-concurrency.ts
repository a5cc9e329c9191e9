import { TimeSlice } from '../../time-slice.js';

/**
 * The results of `work` for each item, in order, with at most `concurrency` of them at work. Between two of them the event loop has
 * its turn, so that many items hold up nothing else.
 *
 * @throws what `work` throws, and the reason of the signal when it aborts; what is at work then is waited for.
 */
export async function boundedConcurrency<T, R>(
  items: readonly T[],
  concurrency: number,
  work: (item: T, position: number) => R | Promise<R>,
  signal?: AbortSignal,
): Promise<R[]> {
  if (items.length === 1) {
    signal?.throwIfAborted();
    return [await work(items[0] as T, 0)];
  }
  const results = new Array<R>(items.length);
  let next = 0;
  const slice = new TimeSlice();
  const take = async (): Promise<void> => {
    while (next < items.length) {
      const position = next++;
      try {
        if (slice.due()) await slice.yieldIfDue(signal);
        signal?.throwIfAborted();
        results[position] = await work(items[position] as T, position);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  const settled = await Promise.allSettled(Array.from({ length: Math.min(concurrency, items.length) }, take));
  const failure = settled.find(({ status }) => status === 'rejected');
  if (failure !== undefined) throw (failure as PromiseRejectedResult).reason;
  return results;
}
