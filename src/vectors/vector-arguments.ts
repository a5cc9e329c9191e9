import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { SemanticIndexError } from '../errors.js';
import { describe } from '../options.js';

/** The highest item number of the Annoy format. */
export const MAX_ITEM = 2 ** 31 - 2;
/** Maximum dimensions of a vector. */
export const MAX_DIMENSIONS = 2 ** 20;

/** A vector. Arrays of numbers are copied. */
export type Vector = Float32Array | readonly number[];
/** Vectors: their components one after the other, or an array of vectors. */
export type VectorRows = Float32Array | readonly Vector[];

const sparseHint = 'Items are dense: a skipped number costs as much memory as an item. SemanticIndex accepts any id.';

function refuse(method: string, expected: string, value: unknown, hint: string): never {
  throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: expected ${expected}, got ${describe(value)}`, { hint });
}

/** @throws INVALID_ARGUMENT unless `value` is an integer from `min` to `max`. */
function checkInteger(method: string, name: string, value: unknown, min: number, max: number, hint: string): number {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  return refuse(method, `${name} as an integer from ${min} to ${max}`, value, hint);
}

/** Number of dimensions; 0 means that the first vector sets it. */
export function checkDimensions(method: string, f: unknown): number {
  return checkInteger(
    method,
    'f',
    f,
    0,
    MAX_DIMENSIONS,
    'f is the number of dimensions; 0 takes it from the first vector.',
  );
}

/** Number of an item to write, at most `maxGap` beyond the number of items. */
export function checkNewItem(method: string, item: unknown, items: number, maxGap: number): number {
  const checked = checkInteger(method, 'item', item, 0, MAX_ITEM, sparseHint);
  if (checked > items + maxGap) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `${method}: expected an item of at most ${items + maxGap}, ${maxGap} (maxGap) beyond the ${items} items, got ${checked}`,
      { hint: `${sparseHint} To accept the cost, raise the option maxGap.`, details: { item: checked, items, maxGap } },
    );
  }
  return checked;
}

/** Number of an existing item. */
export function checkItem(method: string, item: unknown, items: number): number {
  if (Number.isInteger(item) && (item as number) >= 0 && (item as number) < items) return item as number;
  return refuse(
    method,
    items === 0 ? 'an index with items' : `item as an integer from 0 to ${items - 1}`,
    item,
    'getNItems() returns the number of items.',
  );
}

/** Number of items, at most `max`. */
export function checkCount(method: string, count: unknown, max: number): number {
  return checkInteger(method, 'count', count, 0, max, 'getNItems() returns the number of items.');
}

/** @throws OUT_OF_MEMORY when the array cannot be allocated. */
export function allocateFloats(method: string, length: number): Float32Array {
  try {
    return new Float32Array(length);
  } catch (cause) {
    throw new SemanticIndexError('OUT_OF_MEMORY', `${method}: cannot allocate an array of ${length} numbers`, {
      cause,
      hint: 'Ask for fewer at a time.',
    });
  }
}

/** Distance that a new item may have from the existing ones. */
export function checkGap(method: string, gap: unknown): number {
  return checkInteger(method, 'maxGap', gap, 0, MAX_ITEM, sparseHint);
}

/** A function that receives messages, or undefined. */
export function checkLogger(method: string, logger: unknown): ((message: string) => void) | undefined {
  if (logger === undefined || typeof logger === 'function') return logger as ((message: string) => void) | undefined;
  return refuse(method, 'logger as a function', logger, 'Pass a function of one string, such as console.log.');
}

/** Whether to log: true, false, or one of Annoy's levels, where 0 is off. */
export function checkVerbosity(method: string, level: unknown): boolean {
  if (typeof level === 'boolean') return level;
  if (Number.isInteger(level) && (level as number) >= 0) return level !== 0;
  return refuse(method, 'level as true, false or an integer from 0', level, 'Pass true or 1 for messages.');
}

/** Number of neighbors. */
export function checkNeighbors(method: string, n: unknown): number {
  return checkInteger(method, 'n', n, 1, MAX_ITEM, 'n is the number of neighbors to return.');
}

/** Number of candidates; -1 selects the default of the addon. */
export function checkSearchK(method: string, searchK: unknown): number {
  if (searchK === undefined) return -1;
  const hint = 'Leave searchK out for the default, trees times n; a larger value raises recall and time.';
  return checkInteger(method, 'searchK', searchK, 1, Number.MAX_SAFE_INTEGER, hint);
}

/** Number of threads; -1 means one for each core. */
export function checkThreads(method: string, threads: unknown): number {
  if (threads === -1) return availableParallelism();
  return checkInteger(method, 'threads', threads, 1, 1024, 'Pass -1 for one thread on each core.');
}

/** Seed of random choices. */
export function checkSeed(method: string, seed: unknown): number {
  return checkInteger(method, 'seed', seed, 0, Number.MAX_SAFE_INTEGER, 'Equal seeds and data give equal files.');
}

/** Number of trees; -1 means Annoy's rule. */
export function checkTrees(method: string, trees: unknown): number {
  if (trees === -1) return -1;
  return checkInteger(method, 'nTrees', trees, 1, 1_000_000, 'Pass -1 to let the number of items decide.');
}

/** An absolute path from a string or a file: URL. */
export function checkPath(method: string, path: unknown): string {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return resolve(path);
  if (path instanceof URL && path.protocol === 'file:') return fileURLToPath(path);
  return refuse(method, 'path as a non-empty string or a file: URL', path, 'Pass the path of a file.');
}

/** A bitset of items; undefined allows all. */
export function checkAllowed(method: string, allowed: unknown): Uint32Array | undefined {
  if (allowed === undefined || types.isUint32Array(allowed)) return allowed;
  return refuse(
    method,
    'allowed as a Uint32Array',
    allowed,
    'Item i is allowed when `allowed[i >>> 5] & (1 << (i & 31))` is not 0.',
  );
}

function fromNumbers(method: string, numbers: readonly unknown[]): Float32Array {
  for (let position = 0; position < numbers.length; position++) {
    if (typeof numbers[position] !== 'number') {
      const message = `${method}: expected a number at position ${position} of the vector, got ${describe(numbers[position])}`;
      throw new SemanticIndexError('INVALID_VECTOR', message);
    }
  }
  return Float32Array.from(numbers as readonly number[]);
}

/** Converts to a Float32Array; returns a Float32Array unchanged. */
function toFloats(method: string, value: unknown): Float32Array {
  if (types.isFloat32Array(value)) return value;
  if (Buffer.isBuffer(value)) {
    const hint = 'View its bytes as numbers: new Float32Array(buffer.buffer, buffer.byteOffset, buffer.length / 4).';
    return refuse(method, 'a vector as a Float32Array or an array of numbers', value, hint);
  }
  if (types.isFloat64Array(value)) return Float32Array.from(value);
  if (Array.isArray(value)) return fromNumbers(method, value);
  if (types.isTypedArray(value) && !types.isBigInt64Array(value) && !types.isBigUint64Array(value)) {
    return Float32Array.from(value as unknown as ArrayLike<number>);
  }
  return refuse(method, 'a vector as a Float32Array or an array of numbers', value, 'Pass new Float32Array(f).');
}

/**
 * A vector of `f` dimensions; any number of them for `f` = 0. The addon checks that components are finite.
 *
 * @throws DIMENSION_MISMATCH, INVALID_ARGUMENT or INVALID_VECTOR.
 */
export function toVector(method: string, value: unknown, f: number): Float32Array {
  const vector = toFloats(method, value);
  if (vector.length === f && f > 0) return vector;
  if (vector.length === 0 || f > 0) {
    throw new SemanticIndexError(
      'DIMENSION_MISMATCH',
      `${method}: expected a vector of ${f > 0 ? f : 'at least 1'} dimensions, got ${vector.length}`,
      { details: { expected: f, actual: vector.length } },
    );
  }
  return vector;
}

/** Dimensions of the first of several vectors, which sets `f`. @throws DIMENSION_MISMATCH, INVALID_ARGUMENT */
export function lengthOfFirst(method: string, rows: unknown): number {
  if (Array.isArray(rows) && rows.length > 0 && typeof rows[0] !== 'number') return toVector(method, rows[0], 0).length;
  return refuse(
    method,
    'an array of vectors, because f is 0 and the first vector sets it',
    rows,
    'Pass an array of vectors, or f.',
  );
}

/**
 * Packs vectors of `f` dimensions into rows; rows are returned unchanged.
 *
 * @throws DIMENSION_MISMATCH when the length is not a multiple of `f`; as `toVector` for each vector.
 */
export function toRows(method: string, value: unknown, f: number): Float32Array {
  if (Array.isArray(value) && (value.length === 0 || typeof value[0] !== 'number')) {
    const rows = new Float32Array(value.length * f);
    for (let row = 0; row < value.length; row++) rows.set(toVector(method, value[row], f), row * f);
    return rows;
  }
  const rows = toFloats(method, value);
  if (f === 0 || rows.length % f !== 0) {
    throw new SemanticIndexError(
      'DIMENSION_MISMATCH',
      `${method}: expected rows of ${f === 0 ? 'known dimensions' : `${f} dimensions`}, got ${rows.length} numbers`,
      { details: { expected: f, actual: rows.length } },
    );
  }
  return rows;
}
