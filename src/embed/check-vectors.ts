import { types } from 'node:util';
import { SemanticIndexError } from '../errors.js';
import { describe } from '../options.js';
import { TimeSlice } from '../time-slice.js';

/**
 * Checks what a provider returned for some texts and returns fresh vectors of length 1. Yields to the event loop
 * between vectors: thousands of long vectors take tens of milliseconds.
 *
 * @param dimensions required length of every vector. Default: the length of the first one.
 * @throws PROVIDER_INVALID when the number of vectors or a dimension is wrong, when different texts have the same memory as vector, or
 *   a vector is not finite or all zero.
 */
export async function checkVectors(
  provider: string,
  answer: unknown,
  texts: readonly string[],
  dimensions?: number,
): Promise<Float32Array[]> {
  const refuse = (what: string, details: Record<string, unknown>, hint?: string): SemanticIndexError =>
    new SemanticIndexError('PROVIDER_INVALID', `The provider "${provider}" ${what}`, {
      details,
      ...(hint !== undefined && { hint }),
    });
  const count = texts.length;

  const vectors = (answer as { vectors?: unknown } | null | undefined)?.vectors;
  if (!Array.isArray(vectors)) {
    throw refuse(`must resolve to { vectors: Float32Array[] }, got ${describe(answer)}`, {});
  }
  if (vectors.length !== count) {
    throw refuse(`returned ${vectors.length} vectors for ${count} texts`, { expected: count, actual: vectors.length });
  }
  const shared = sharedMemory(vectors, texts);
  if (shared !== undefined) {
    const [first, second] = shared;
    throw refuse(
      `returned the same memory as vectors ${first} and ${second}, whose texts differ`,
      { indices: shared },
      'Return an array of its own for each text: copy a buffer before it is written again.',
    );
  }
  let expected = dimensions;
  const units: Float32Array[] = [];
  const slice = new TimeSlice();
  for (const [index, vector] of (vectors as unknown[]).entries()) {
    if (!isNumeric(vector)) throw refuse(`returned ${describe(vector)} as vector ${index}`, { index });
    expected ??= vector.length;
    if (vector.length !== expected || expected === 0) {
      throw refuse(`returned a vector of ${vector.length} dimensions where ${expected} were expected`, {
        index,
        expected,
        actual: vector.length,
      });
    }
    const unit = unitVector(vector);
    if (typeof unit === 'string') throw refuse(`returned a vector that is ${unit}`, { index, fault: unit });
    units.push(unit);
    if (slice.due()) await slice.yieldIfDue();
  }
  return units;
}

/** Two vectors of different texts that are one array, or begin at the same byte of one buffer: the second has replaced the first. */
export function sharedMemory(vectors: readonly unknown[], texts: readonly string[]): [number, number] | undefined {
  const firstAt = new Map<unknown, Map<number, number>>();
  for (const [index, vector] of vectors.entries()) {
    if (typeof vector !== 'object' || vector === null) continue;
    const [memory, start] = ArrayBuffer.isView(vector) ? [vector.buffer, vector.byteOffset] : [vector, 0];
    const starts = firstAt.get(memory) ?? new Map<number, number>();
    const first = starts.get(start);
    if (first !== undefined && texts[first] !== texts[index]) return [first, index];
    if (first === undefined) firstAt.set(memory, starts.set(start, index));
  }
  return undefined;
}

/**
 * A copy of length 1, or the reason why it cannot be normalized. Sums in double precision, so 1e-30 and 1e30 survive.
 */
export function unitVector(vector: ArrayLike<number>): Float32Array | 'not finite' | 'all zero' {
  let squares = 0;
  for (let column = 0; column < vector.length; column++) {
    const value = vector[column] as number;
    squares += value * value;
  }
  if (!Number.isFinite(squares)) return 'not finite';
  if (squares === 0) return 'all zero';
  const scale = 1 / Math.sqrt(squares);
  const unit = new Float32Array(vector.length);
  for (let column = 0; column < vector.length; column++) unit[column] = (vector[column] as number) * scale;
  return unit;
}

function isNumeric(value: unknown): value is ArrayLike<number> {
  return (
    types.isFloat32Array(value) ||
    types.isFloat64Array(value) ||
    (Array.isArray(value) && value.every((entry) => typeof entry === 'number'))
  );
}
