import { availableParallelism, freemem } from 'node:os';
import { addon } from '../addon/addon.js';
import type { NativeVectorBuffer } from '../addon/native-index.js';
import { runNativeReading } from '../addon/native-task.js';
import { SemanticIndexError } from '../errors.js';
import type { Metric } from '../types.js';
import { checkMetric, METRICS } from './metric.js';
import { registerNative } from './native-vectors.js';
import { checkAllowed, checkDimensions, checkItem, checkNeighbors, toRows } from './vector-arguments.js';

/** Neighbors of several queries: `k` for each, nearest first, padded with -1 and NaN. */
export interface NeighborRows {
  readonly items: Int32Array;
  readonly distances: Float32Array;
}

/** Options for `VectorBuffer.search`. */
export interface VectorBufferSearchOptions {
  /** As in AnnoySearchOptions. */
  allowed?: Uint32Array | undefined;
  /** Search only the first `length` rows. Default: all rows at the time of the call. */
  length?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * An append-only buffer of vectors in native memory with exact search. A search runs on the rows at the time of the call,
 * whatever is appended, dropped or closed meanwhile. An instance belongs to one thread. Memory is freed by `close` or garbage
 * collection, when no search and no other buffer shares it.
 */
export class VectorBuffer {
  readonly dimensions: number;
  readonly metric: Metric;
  readonly #native: NativeVectorBuffer;
  #closed = false;

  /** @throws INVALID_ARGUMENT for dimensions below 1 or an unknown metric. */
  constructor(dimensions: number, metric: Metric) {
    this.dimensions = checkDimensions('VectorBuffer', dimensions);
    this.metric = checkMetric('VectorBuffer', metric);
    this.#native = new (addon().VectorBuffer)(METRICS.indexOf(metric), dimensions);
    registerNative(this, () => this.#native);
  }

  /** Number of rows; 0 after `close`. */
  get length(): number {
    return this.#native.rows;
  }

  /** Bytes of native memory, including shared memory. */
  get byteLength(): number {
    return this.#native.byteLength;
  }

  /**
   * Appends copies of the rows, all or none.
   *
   * @throws DIMENSION_MISMATCH, INVALID_VECTOR for NaN and infinity, OUT_OF_MEMORY, CLOSED.
   */
  append(rows: Float32Array): void {
    this.#native.append(toRows('VectorBuffer.append', rows, this.dimensions));
  }

  /** Returns a copy of a row. @throws INVALID_ARGUMENT when the row does not exist; CLOSED. */
  get(item: number): Float32Array {
    this.#checkOpen();
    const vector = new Float32Array(this.dimensions);
    this.#native.row(checkItem('VectorBuffer.get', item, this.length), vector);
    return vector;
  }

  /**
   * Returns the `k` nearest rows of each query by exact search, off the event loop.
   *
   * @throws DIMENSION_MISMATCH, INVALID_VECTOR, INVALID_ARGUMENT, CLOSED, or the signal's reason.
   */
  async search(queries: Float32Array, k: number, options: VectorBufferSearchOptions = {}): Promise<NeighborRows> {
    this.#checkOpen();
    const rows = toRows('VectorBuffer.search', queries, this.dimensions);
    const wanted = checkNeighbors('VectorBuffer.search', k);
    const allowed = checkAllowed('VectorBuffer.search', options.allowed);
    const limit = Math.min(options.length ?? this.length, this.length);
    const results = allocateNeighborRows('VectorBuffer.search', rows.length / this.dimensions, wanted, limit);
    await runNativeReading('search', { signal: options.signal }, (task) =>
      this.#native.search(rows, wanted, limit, allowed, availableParallelism(), results.items, results.distances, task),
    );
    return results;
  }

  /** Returns a buffer of the rows from `count` on, which shares their memory. */
  drop(count: number): VectorBuffer {
    this.#checkOpen();
    if (!Number.isInteger(count) || count < 0 || count > this.length) {
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        `VectorBuffer.drop: expected count from 0 to ${this.length}, got ${count}`,
      );
    }
    const rest = new VectorBuffer(this.dimensions, this.metric);
    this.#native.dropInto(rest.#native, count);
    return rest;
  }

  /**
   * Whether the file that rows were read from was written to, cut short or replaced since; rows of it may be other ones now. A file
   * that was removed counts as unchanged.
   */
  hasChanged(): boolean {
    return this.#native.hasChanged();
  }

  /** Frees the rows, except those that other buffers or running searches share. Closing twice has no effect. */
  close(): void {
    this.#closed = true;
    this.#native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new SemanticIndexError('CLOSED', 'The vector buffer is closed');
  }
}

/** Maximum bytes of results that are mostly padding: allows a `k` above the number of items of a small index. */
const MAX_PADDED_BYTES = 16 * 1024 * 1024;

/**
 * Refuses results that do not fit into memory, before any of it is allocated. An `n` far above the number of items, such as
 * Annoy's idiom 999999999 for "all", would fill memory with padding.
 *
 * @throws OUT_OF_MEMORY
 */
export function checkResultSize(method: string, rows: number, n: number, items: number): void {
  const bytes = rows * n * 8;
  const isPadding = n > items && bytes > MAX_PADDED_BYTES;
  if (!isPadding && bytes <= availableBytes()) return;
  const need = `the results of ${rows} ${rows === 1 ? 'query' : 'queries'}, ${n} neighbors each, need ${bytes} bytes`;
  throw new SemanticIndexError(
    'OUT_OF_MEMORY',
    isPadding
      ? `${method}: expected n of at most ${items}, the number of items, got ${n}: ${need}`
      : `${method}: ${need}`,
    {
      hint: isPadding ? 'Pass Math.min(n, index.getNItems()), which finds all.' : 'Ask for fewer queries at a time.',
      details: { rows, n, items, bytes },
    },
  );
}

/** Bytes available to this process, within the limits of its container if Node reports them. */
function availableBytes(): number {
  return typeof process.availableMemory === 'function' ? process.availableMemory() : freemem();
}

/** Arrays for `n` neighbors of `rows` queries. @throws OUT_OF_MEMORY when they do not fit. */
export function allocateNeighborRows(method: string, rows: number, n: number, items: number): NeighborRows {
  checkResultSize(method, rows, n, items);
  try {
    return { items: new Int32Array(rows * n), distances: new Float32Array(rows * n) };
  } catch (cause) {
    const message = `${method}: the neighbors of ${rows} queries, ${n} each, do not fit into memory`;
    throw new SemanticIndexError('OUT_OF_MEMORY', message, { cause, hint: 'Ask for fewer queries at a time.' });
  }
}
