import { types } from 'node:util';
import { SemanticIndexError } from '../../errors.js';
import type { MatrixDtype, NumberArray } from '../../types.js';

/** Bytes of one number of each stored type. */
export const dtypeSize: Readonly<Record<MatrixDtype, number>> = {
  b1: 1,
  u1: 1,
  i1: 1,
  u2: 2,
  i2: 2,
  f2: 2,
  u4: 4,
  i4: 4,
  f4: 4,
  i8: 8,
  f8: 8,
};

/** Range of the integer types; i8 is limited to the safe integers of JavaScript. */
const integerRange: Readonly<Partial<Record<MatrixDtype, readonly [number, number]>>> = {
  b1: [0, 1],
  u1: [0, 2 ** 8 - 1],
  i1: [-(2 ** 7), 2 ** 7 - 1],
  u2: [0, 2 ** 16 - 1],
  i2: [-(2 ** 15), 2 ** 15 - 1],
  u4: [0, 2 ** 32 - 1],
  i4: [-(2 ** 31), 2 ** 31 - 1],
  i8: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

const hostIsLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** How numbers are stored: type, byte order, and the value that marks a missing number, if any. */
export interface Encoding {
  readonly dtype: MatrixDtype;
  readonly littleEndian: boolean;
  /** Read as NaN, and written for NaN in types without NaN (R's NA in integer matrices). */
  readonly missing?: number;
}

/** Whether the stored bytes equal the memory of the typed array, so that no conversion is needed. */
export function isMemoryOf(encoding: Encoding, array: NumberArray): boolean {
  if (encoding.littleEndian !== hostIsLittleEndian) return false;
  if (encoding.dtype === 'f4') return types.isFloat32Array(array) && encoding.missing === undefined;
  if (encoding.dtype === 'f8') return types.isFloat64Array(array);
  return encoding.dtype === 'i4' && types.isInt32Array(array);
}

function swapBytes(bytes: Uint8Array, size: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (size === 2) buffer.swap16();
  else if (size === 4) buffer.swap32();
  else if (size === 8) buffer.swap64();
}

type View = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

/** The stored numbers as a typed array. f2 and i8 are views of their 16-bit and 32-bit words. */
function viewOf(dtype: MatrixDtype, bytes: Uint8Array): View {
  const { buffer, byteOffset } = bytes;
  const count = bytes.byteLength / dtypeSize[dtype];
  switch (dtype) {
    case 'b1':
    case 'u1':
      return new Uint8Array(buffer, byteOffset, count);
    case 'i1':
      return new Int8Array(buffer, byteOffset, count);
    case 'f2':
    case 'u2':
      return new Uint16Array(buffer, byteOffset, count);
    case 'i2':
      return new Int16Array(buffer, byteOffset, count);
    case 'u4':
      return new Uint32Array(buffer, byteOffset, count);
    case 'i8':
      return new Int32Array(buffer, byteOffset, count * 2);
    case 'i4':
      return new Int32Array(buffer, byteOffset, count);
    case 'f4':
      return new Float32Array(buffer, byteOffset, count);
    case 'f8':
      return new Float64Array(buffer, byteOffset, count);
  }
}

/**
 * Decodes stored bytes. `bytes` must be aligned to the number size; they are swapped in place if the byte order differs. An
 * Int32Array as target truncates fractions and stores NaN as 0, as always in JavaScript.
 */
export function decode(encoding: Encoding, bytes: Uint8Array, target: NumberArray): void {
  const { dtype, missing } = encoding;
  if (encoding.littleEndian !== hostIsLittleEndian) swapBytes(bytes, dtypeSize[dtype]);
  const view = viewOf(dtype, bytes);
  if (dtype === 'f2') {
    const values = halfValues();
    for (let index = 0; index < target.length; index++) target[index] = values[view[index] as number] as number;
  } else if (dtype === 'i8') {
    const low = hostIsLittleEndian ? 0 : 1;
    for (let index = 0; index < target.length; index++) {
      const high = view[2 * index + 1 - low] as number;
      target[index] = high * 2 ** 32 + ((view[2 * index + low] as number) >>> 0);
    }
  } else {
    target.set(view);
  }
  if (missing !== undefined && !(target instanceof Int32Array)) {
    for (let at = view.indexOf(missing); at >= 0; at = view.indexOf(missing, at + 1)) target[at] = Number.NaN;
  }
}

/**
 * Encodes numbers into the bytes to store. `bytes` must be aligned to the number size.
 *
 * @throws INVALID_VECTOR when the stored type cannot represent a number: a fraction, NaN or a number out of range among
 * integers, or a finite number that would become infinite.
 */
export function encode(encoding: Encoding, source: NumberArray, bytes: Uint8Array): void {
  const { dtype, missing } = encoding;
  const view = viewOf(dtype, bytes);
  const range = integerRange[dtype];
  if (range !== undefined) {
    const [min, max] = range;
    const low = hostIsLittleEndian ? 0 : 1;
    for (let index = 0; index < source.length; index++) {
      let value = source[index] as number;
      if (missing !== undefined && Number.isNaN(value)) value = missing;
      if (!(value >= min && value <= max && Number.isInteger(value))) throw unfit(value, dtype);
      if (dtype === 'i8') {
        view[2 * index + low] = value >>> 0;
        view[2 * index + 1 - low] = Math.floor(value / 2 ** 32);
      } else view[index] = value;
    }
  } else if (dtype === 'f2') {
    for (let index = 0; index < source.length; index++) {
      const half = halfOf(source[index] as number);
      if ((half & 0x7fff) === 0x7c00 && Number.isFinite(source[index])) throw unfit(source[index] as number, dtype);
      view[index] = half;
    }
  } else {
    view.set(source);
    if (dtype === 'f4' && types.isFloat64Array(source)) {
      for (let index = 0; index < source.length; index++) {
        if (!Number.isFinite(view[index]) && Number.isFinite(source[index]))
          throw unfit(source[index] as number, dtype);
      }
    }
  }
  if (encoding.littleEndian !== hostIsLittleEndian) swapBytes(bytes, dtypeSize[dtype]);
}

function unfit(value: number, dtype: MatrixDtype): SemanticIndexError {
  return new SemanticIndexError('INVALID_VECTOR', `expected a number that ${dtype} can store, got ${value}`, {
    hint: 'Store it in a matrix of a wider type: f4 or f8 for fractions, i4 or i8 for item numbers.',
    details: { value, dtype },
  });
}

let halves: Float32Array | undefined;

/** The value of each of the 65,536 half precision numbers (IEEE 754 binary16). */
function halfValues(): Float32Array {
  if (halves !== undefined) return halves;
  halves = new Float32Array(2 ** 16);
  for (let bits = 0; bits < 2 ** 16; bits++) {
    const exponent = (bits >>> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    let value = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
    if (exponent === 0x1f) value = fraction === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
    halves[bits] = bits >= 0x8000 ? -value : value;
  }
  return halves;
}

const double = new Float64Array(1);
const doubleWords = new Uint32Array(double.buffer);
const highWord = hostIsLittleEndian ? 1 : 0;

/** Scales a number of exponent `index - 14` to between 1024 and 2048; exponent 16 exceeds half precision. */
const halfScales = Float64Array.from({ length: 31 }, (_, index) => 2 ** (24 - index));

/** The nearest half precision number (ties to even), as its bits. */
function halfOf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  double[0] = value;
  const high = doubleWords[highWord] as number;
  const sign = (high >>> 16) & 0x8000;
  const magnitude = Math.abs(value);
  if (magnitude === Number.POSITIVE_INFINITY) return sign | 0x7c00;
  // Below 2^-14 the numbers are multiples of 2^-24; above, ten bits follow the leading one.
  const exponent = Math.max(-14, ((high >>> 20) & 0x7ff) - 1023);
  const significand = roundToEven(magnitude * (halfScales[Math.min(exponent, 16) + 14] as number));
  // A significand of 1024 or more carries the implicit leading bit, which adds one to the exponent field.
  return sign | Math.min(0x7c00, ((exponent + 14) << 10) + significand);
}

function roundToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
