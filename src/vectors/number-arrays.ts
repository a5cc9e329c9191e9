import { types } from 'node:util';
import type { NumberArray } from '../types.js';

/** Whether a value is one of the typed arrays that hold rows, of this realm or another (Jest, node:vm). */
export function isNumberArray(value: unknown): value is NumberArray {
  return types.isFloat32Array(value) || types.isFloat64Array(value) || types.isInt32Array(value);
}

/** A zeroed array of the same kind. */
export function similarArray(array: NumberArray, length: number): NumberArray {
  if (types.isFloat32Array(array)) return new Float32Array(length);
  return types.isFloat64Array(array) ? new Float64Array(length) : new Int32Array(length);
}
