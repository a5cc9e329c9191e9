import type { NativeIndex } from '../../addon/native-index.js';
import { runNativeReading } from '../../addon/native-task.js';
import { SemanticIndexError } from '../../errors.js';
import {
  type AnnoyBatchOptions,
  type AnnoySearchOptions,
  annoyBatchDefaults,
  annoySearchDefaults,
  describe,
  resolveOptions,
} from '../../options.js';
import { excludeSelf } from '../exclude-self.js';
import { checkAllowed, checkNeighbors, checkSearchK, checkThreads, toRows } from '../vector-arguments.js';
import { allocateNeighborRows, type NeighborRows } from '../vector-buffer.js';

/** Neighbors of one query, nearest first, ties by item. */
export interface Neighbors {
  readonly items: Int32Array;
  readonly distances: Float32Array;
}

/** Reused output buffers of native searches: passing a new small typed array each time is slow. */
let foundItems = new Int32Array(1024);
let foundDistances = new Float32Array(1024);

/** Runs one search: `run` is `search` or `searchItem` of the native index, with all but the common arguments bound. */
export function searchOne(
  method: string,
  n: number,
  given: AnnoySearchOptions | undefined,
  items: number,
  run: (
    k: number,
    searchK: number,
    allowed: Uint32Array | undefined,
    items: Int32Array,
    distances: Float32Array | undefined,
  ) => number,
): Int32Array | Neighbors {
  const options = given === undefined ? annoySearchDefaults : resolveOptions(method, given, annoySearchDefaults);
  const wanted = checkNeighbors(method, n);
  const k = Math.min(wanted, Math.max(items, 1));
  const searchK = checkSearchK(method, options.searchK);
  const allowed = checkAllowed(method, options.allowed);
  if (typeof options.includeDistances !== 'boolean') {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `${method}: expected includeDistances as true or false, got ${describe(options.includeDistances)}`,
    );
  }
  if (foundItems.length < k) {
    foundItems = new Int32Array(k * 2);
    foundDistances = new Float32Array(k * 2);
  }
  if (!options.includeDistances) {
    const found = run(k, searchK, allowed, foundItems, undefined);
    return foundItems.slice(0, found);
  }
  const found = run(k, searchK, allowed, foundItems, foundDistances);
  return { items: foundItems.slice(0, found), distances: foundDistances.slice(0, found) };
}

/** Runs a batch of searches off the event loop. */
export async function searchMany(
  method: string,
  native: NativeIndex,
  f: number,
  items: number,
  queries: Float32Array | readonly (Float32Array | readonly number[])[],
  n: number,
  given: AnnoyBatchOptions | undefined,
): Promise<NeighborRows> {
  const options = resolveOptions(method, given, annoyBatchDefaults);
  const rows = toRows(method, queries, f);
  const wanted = checkNeighbors(method, n);
  const leaveOut = checkFlag(method, 'excludeSelf', options.excludeSelf);
  const k = leaveOut ? wanted + 1 : wanted;
  const searchK = checkSearchK(method, options.searchK);
  const allowed = checkAllowed(method, options.allowed);
  const threads = checkThreads(method, options.threads);
  const results = allocateNeighborRows(method, rows.length / f, k, items);
  await runNativeReading('search', options, (task) =>
    native.searchMany(
      rows,
      k,
      searchK,
      allowed,
      options.exact === true,
      threads,
      results.items,
      results.distances,
      task,
    ),
  );
  return leaveOut ? excludeSelf(results, wanted, 0) : results;
}

function checkFlag(method: string, name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `${method}: expected ${name} as true or false, got ${describe(value)}`,
  );
}
