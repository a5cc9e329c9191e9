import type { VectorRole } from './vector-table.js';

/** How far the length of a vector that a model made may be from 1: float32 rounds, rot does not. */
const lengthTolerance = 1e-3;

/** Whether a stored vector has this many dimensions and every component is finite: only then it can be compared. */
export function isComparable(data: Uint8Array, dimensions: number): boolean {
  return data.byteLength === dimensions * 4 && Number.isFinite(squaredLength(data));
}

/**
 * Whether a stored vector can be what was written under its role: comparable, and of length 1 unless the caller gave it, as
 * vectors of models are stored with length 1.
 */
export function isSound(data: Uint8Array, dimensions: number, role: VectorRole): boolean {
  if (data.byteLength !== dimensions * 4) return false;
  const squares = squaredLength(data);
  return role === 'given' ? Number.isFinite(squares) && squares > 0 : hasUnitLength(squares);
}

/** Whether a vector with this sum of squares has length 1, as far as float32 can say. */
export function hasUnitLength(squares: number): boolean {
  return Math.abs(Math.sqrt(squares) - 1) <= lengthTolerance;
}

/** The sum of the squares of all components (float32 little-endian): not finite where a component is not. */
export function squaredLength(data: Uint8Array): number {
  const { buffer, byteOffset, byteLength } = data;
  const components = byteOffset % 4 === 0 ? new Float32Array(buffer, byteOffset, byteLength >> 2) : copyOf(data);
  let squares = 0;
  for (let column = 0; column < components.length; column++) {
    const value = components[column] as number;
    squares += value * value;
  }
  return squares;
}

function copyOf(data: Uint8Array): Float32Array {
  const components = new Float32Array(data.byteLength >> 2);
  new Uint8Array(components.buffer).set(data.subarray(0, components.length * 4));
  return components;
}
