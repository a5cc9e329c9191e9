import type { VectorRole } from '../../backend/documents.js';
import { hasUnitLength, squaredLength } from '../../vectors/vector-length.js';

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
