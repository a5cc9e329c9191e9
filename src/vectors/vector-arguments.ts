import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { SemanticIndexError } from '../errors.js';
import { describe } from '../options.js';

/** The highest item number that Annoy's files can hold. */
export const MAXIMUM_ITEM = 2 ** 31 - 2;
/** Longer vectors are refused. */
export const MAXIMUM_DIMENSIONS = 2 ** 20;

/** One vector. Arrays of numbers are copied. */
export type Vector = Float32Array | readonly number[];
/** Vectors: numbers one after the other, or an array of vectors. */
export type VectorRows = Float32Array | readonly Vector[];

const sparseHint = 'Item numbers are dense: each number left out costs as much as an item. SemanticIndex takes any id.';

function refuse(method: string, what: string, value: unknown, hint: string): never {
  throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: ${what}, got ${describe(value)}`, { hint });
}

/** @throws INVALID_ARGUMENT unless `value` is a whole number between the two. */
function checkInteger(method: string, name: string, value: unknown, least: number, most: number, hint: string): number {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
  return refuse(method, `${name} must be a whole number from ${least} to ${most}`, value, hint);
}

/** Length of the vectors; 0 means that the first vector decides. */
export function checkDimensions(method: string, f: unknown): number {
  return checkInteger(method, 'f', f, 0, MAXIMUM_DIMENSIONS, 'f is the length of the vectors.');
}

/** A number of an item to be written, which may lie at most `maxGap` beyond the items there are. */
export function checkNewItem(method: string, item: unknown, items: number, maxGap: number): number {
  const checked = checkInteger(method, 'item', item, 0, MAXIMUM_ITEM, sparseHint);
  if (checked > items + maxGap) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `${method}: item ${checked} would leave ${checked - items} numbers unused, more than maxGap = ${maxGap}`,
      { hint: `${sparseHint} To accept the cost, raise the option maxGap.`, details: { item: checked, items, maxGap } },
    );
  }
  return checked;
}

/** A number of an item that is there. */
export function checkItem(method: string, item: unknown, items: number): number {
  if (Number.isInteger(item) && (item as number) >= 0 && (item as number) < items) return item as number;
  return refuse(
    method,
    items === 0 ? 'there are no items' : `item must be a whole number from 0 to ${items - 1}`,
    item,
    'getNItems() tells how many items there are.',
  );
}

/** A number of items of which there are at most `most`. */
export function checkCount(method: string, count: unknown, most: number): number {
  return checkInteger(method, 'count', count, 0, most, 'getNItems() tells how many items there are.');
}

/** An array for so many numbers. @throws OUT_OF_MEMORY when it is too large to be made. */
export function allocateFloats(method: string, length: number): Float32Array {
  try {
    return new Float32Array(length);
  } catch (cause) {
    throw new SemanticIndexError('OUT_OF_MEMORY', `${method}: ${length} numbers do not fit into one array`, {
      cause,
      hint: 'Ask for fewer at a time.',
    });
  }
}

/** How far beyond the items there are a new one may lie. */
export function checkGap(method: string, gap: unknown): number {
  return checkInteger(method, 'maxGap', gap, 0, MAXIMUM_ITEM, sparseHint);
}

/** A function to be told what happens, or nothing. */
export function checkLogger(method: string, logger: unknown): ((message: string) => void) | undefined {
  if (logger === undefined || typeof logger === 'function') return logger as ((message: string) => void) | undefined;
  return refuse(method, 'logger must be a function', logger, 'Pass a function of one string, such as console.log.');
}

/** Whether messages are wanted: true, false, or one of Annoy's levels from 0, which is off. */
export function checkVerbosity(method: string, level: unknown): boolean {
  if (typeof level === 'boolean') return level;
  if (Number.isInteger(level) && (level as number) >= 0) return level !== 0;
  return refuse(method, 'level must be true, false or a whole number from 0', level, 'Pass true or 1 for messages.');
}

/** How many neighbours are wanted. */
export function checkNeighbors(method: string, n: unknown): number {
  return checkInteger(method, 'n', n, 1, MAXIMUM_ITEM, 'n is how many neighbours you want.');
}

/** The number of candidates for the addon, in which -1 stands for the default. */
export function checkSearchK(method: string, searchK: unknown): number {
  if (searchK === undefined) return -1;
  const hint = 'Leave searchK out for the default, trees times n; more finds more and takes longer.';
  return checkInteger(method, 'searchK', searchK, 1, Number.MAX_SAFE_INTEGER, hint);
}

/** A number of threads, -1 being all cores. */
export function checkThreads(method: string, threads: unknown): number {
  if (threads === -1) return availableParallelism();
  return checkInteger(method, 'threads', threads, 1, 1024, 'Pass -1 for one thread on each core.');
}

/** Where random numbers start. */
export function checkSeed(method: string, seed: unknown): number {
  return checkInteger(method, 'seed', seed, 0, Number.MAX_SAFE_INTEGER, 'Equal seeds and data give equal files.');
}

/** A number of trees; -1 means as many as Annoy would choose. */
export function checkTrees(method: string, trees: unknown): number {
  if (trees === -1) return -1;
  return checkInteger(method, 'nTrees', trees, 1, 1_000_000, 'Pass -1 to let the number of items decide.');
}

/** An absolute path from a string or a file: URL. */
export function checkPath(method: string, path: unknown): string {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return resolve(path);
  if (path instanceof URL && path.protocol === 'file:') return fileURLToPath(path);
  return refuse(method, 'path must be a non-empty string or a file: URL', path, 'Pass the path of a file.');
}

/** A set of items as bits, or nothing, which allows all. */
export function checkAllowed(method: string, allowed: unknown): Uint32Array | undefined {
  if (allowed === undefined || types.isUint32Array(allowed)) return allowed;
  return refuse(
    method,
    'allowed must be a Uint32Array',
    allowed,
    'Item i is allowed when `allowed[i >>> 5] & (1 << (i & 31))` is not 0.',
  );
}

function fromNumbers(method: string, numbers: readonly unknown[]): Float32Array {
  for (let position = 0; position < numbers.length; position++) {
    if (typeof numbers[position] !== 'number') {
      const message = `${method}: position ${position} of the vector is ${describe(numbers[position])}, not a number`;
      throw new SemanticIndexError('INVALID_VECTOR', message);
    }
  }
  return Float32Array.from(numbers as readonly number[]);
}

/** Numbers as a Float32Array: itself where it is one, a copy of other arrays of numbers. */
function toFloats(method: string, value: unknown): Float32Array {
  if (types.isFloat32Array(value)) return value;
  if (Buffer.isBuffer(value)) {
    const hint = 'View its bytes as numbers: new Float32Array(buffer.buffer, buffer.byteOffset, buffer.length / 4).';
    return refuse(method, 'a vector must be a Float32Array or an array of numbers', value, hint);
  }
  if (types.isFloat64Array(value)) return Float32Array.from(value);
  if (Array.isArray(value)) return fromNumbers(method, value);
  if (types.isTypedArray(value) && !types.isBigInt64Array(value) && !types.isBigUint64Array(value)) {
    return Float32Array.from(value as unknown as ArrayLike<number>);
  }
  return refuse(method, 'a vector must be a Float32Array or an array of numbers', value, 'Pass new Float32Array(f).');
}

/**
 * One vector of `f` numbers; for `f` = 0 of any length. That the numbers are finite is checked by the addon.
 *
 * @throws DIMENSION_MISMATCH, INVALID_ARGUMENT or INVALID_VECTOR.
 */
export function toVector(method: string, value: unknown, f: number): Float32Array {
  const vector = toFloats(method, value);
  if (vector.length === f && f > 0) return vector;
  if (vector.length === 0 || f > 0) {
    throw new SemanticIndexError(
      'DIMENSION_MISMATCH',
      `${method}: the vector has ${vector.length} numbers${f > 0 ? `, the index ${f} dimensions` : ''}`,
      { details: { expected: f, actual: vector.length } },
    );
  }
  return vector;
}

/** The length of the first of several vectors, where it is to decide `f`. @throws DIMENSION_MISMATCH, INVALID_ARGUMENT */
export function lengthOfFirst(method: string, rows: unknown): number {
  if (Array.isArray(rows) && rows.length > 0 && typeof rows[0] !== 'number') return toVector(method, rows[0], 0).length;
  return refuse(method, 'f is 0, so the first vector must tell its length', rows, 'Pass an array of vectors, or f.');
}

/**
 * Rows of `f` numbers one after the other, from such an array or from an array of vectors.
 *
 * @throws DIMENSION_MISMATCH when the length is no multiple of `f`; as `toVector` for each vector.
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
      `${method}: ${rows.length} numbers are no rows of ${f === 0 ? 'a known length' : f}`,
      { details: { expected: f, actual: rows.length } },
    );
  }
  return rows;
}
