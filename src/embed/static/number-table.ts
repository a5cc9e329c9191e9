import { SemanticIndexError } from '../../errors.js';
import type { TensorView } from '../bundled/safetensors.js';

/** A table of numbers as a model stores them, whose rows are added to sums. */
export interface NumberTable {
  readonly rows: number;
  readonly columns: number;
  /** Adds `factor` times a row. */
  addRow(row: number, factor: number, sums: Float64Array): void;
}

const bytesOf: Readonly<Record<string, number>> = { F64: 8, F32: 4, F16: 2, BF16: 2, I8: 1 };

/** @throws INVALID_FILE unless it is a table of F64, F32, F16, BF16 or I8. */
export function numberTable(tensor: TensorView, name: string, path: string): NumberTable {
  const { dtype, shape } = tensor;
  const bytes = bytesOf[dtype];
  if (bytes === undefined || shape.length !== 2) {
    const known = Object.keys(bytesOf).join(', ');
    throw new SemanticIndexError(
      'INVALID_FILE',
      `${path}: expected "${name}" as a table of ${known}, got ${dtype} [${shape.join(', ')}]`,
      { hint: 'Save the model with float32 or float16 weights.' },
    );
  }
  const [rows, columns] = shape as readonly [number, number];
  const values = valuesOf(dtype, tensor.bytes);
  return {
    rows,
    columns,
    addRow(row, factor, sums) {
      const start = row * columns;
      for (let column = 0; column < columns; column++) {
        sums[column] = (sums[column] as number) + factor * values(start + column);
      }
    },
  };
}

/** Reads the number at a place; the bytes are copied only where they are not aligned. */
function valuesOf(dtype: string, bytes: Uint8Array): (at: number) => number {
  const size = bytesOf[dtype] as number;
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  const { buffer, byteOffset } = aligned;
  const length = Math.floor(aligned.byteLength / size);
  if (dtype === 'F16' || dtype === 'BF16') {
    const halves = new Uint16Array(buffer, byteOffset, length);
    const decoded = dtype === 'F16' ? halfValues() : undefined;
    if (decoded !== undefined) return (at) => decoded[halves[at] as number] as number;
    const word = new Uint32Array(1);
    const float = new Float32Array(word.buffer);
    return (at) => {
      word[0] = (halves[at] as number) << 16;
      return float[0] as number;
    };
  }
  const numbers =
    dtype === 'F32'
      ? new Float32Array(buffer, byteOffset, length)
      : dtype === 'F64'
        ? new Float64Array(buffer, byteOffset, length)
        : new Int8Array(buffer, byteOffset, length);
  return (at) => numbers[at] as number;
}

let halves: Float32Array | undefined;

/** The value of each half-precision number (IEEE 754 binary16). */
function halfValues(): Float32Array {
  if (halves !== undefined) return halves;
  halves = new Float32Array(65_536);
  for (let bits = 0; bits < 65_536; bits++) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const sign = bits & 0x8000 ? -1 : 1;
    if (exponent === 31) halves[bits] = fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    else
      halves[bits] = exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return halves;
}

/** A list of numbers of any kind; undefined where the model has none. @throws INVALID_FILE for another length or kind. */
export function numberList(tensor: TensorView | undefined, name: string, path: string): Float64Array | undefined {
  if (tensor === undefined) return undefined;
  const { dtype, shape, bytes } = tensor;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read: ((at: number) => number) | undefined = {
    F64: (at: number) => view.getFloat64(8 * at, true),
    F32: (at: number) => view.getFloat32(4 * at, true),
    I64: (at: number) => Number(view.getBigInt64(8 * at, true)),
    I32: (at: number) => view.getInt32(4 * at, true),
  }[dtype];
  const half = dtype === 'F16' ? halfValues() : undefined;
  const value = read ?? (half && ((at: number) => half[view.getUint16(2 * at, true)] as number));
  const list =
    value === undefined || shape.length !== 1
      ? undefined
      : Float64Array.from({ length: shape[0] as number }, (_, at) => value(at));
  if (list?.every(Number.isFinite) === true) return list;
  throw new SemanticIndexError(
    'INVALID_FILE',
    `${path}: expected "${name}" as a list of finite numbers, got ${dtype} [${shape.join(', ')}]`,
    {
      hint: 'Fetch the model again.',
    },
  );
}
