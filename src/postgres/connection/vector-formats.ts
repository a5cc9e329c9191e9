/** Digits that name each float32, and powers of ten that give a number from 0.001 to 1 so many digits before its point. */
const [digits, scales] = [9, [1e9, 1e10, 1e11]] as const;
/** Bytes of the longest number, -1.1754943508222875e-38, and a comma. */
const maxBytes = 24;
const [comma, minus, zero, letterE] = [0x2c, 0x2d, 0x30, 0x65] as const;

/** A vector as pgvector reads it. */
export function vectorToText(vector: Float32Array, start = 0, dimensions: number = vector.length): string {
  const bytes = Buffer.allocUnsafe(maxBytes * dimensions);
  let at = 0;
  for (let place = start; place < start + dimensions; place++) {
    if (place > start) bytes[at++] = comma;
    at = writeNumber(bytes, at, vector[place] as number);
  }
  return `[${bytes.toString('latin1', 0, at)}]`;
}

/** Writes a float32 that is read as the same one; returns where it ends. Four times sooner than `String`, which writes a double. */
function writeNumber(bytes: Buffer, start: number, value: number): number {
  const size = Math.abs(value);
  if (!(size >= 0.001 && size < 1))
    return start + bytes.write(Object.is(value, -0) ? '-0' : String(value), start, 'latin1');
  const place = size >= 0.1 ? 0 : size >= 0.01 ? 1 : 2;
  let rest = Math.round(size * scales[place]);
  let at = start;
  if (value < 0) bytes[at++] = minus;
  for (let digit = at + digits - 1; digit >= at; digit--) {
    const tenth = Math.trunc(rest / 10);
    bytes[digit] = zero + rest - 10 * tenth;
    rest = tenth;
  }
  at += digits;
  bytes[at++] = letterE;
  bytes[at++] = minus;
  const exponent = digits + place;
  if (exponent > 9) bytes[at++] = zero + 1;
  bytes[at++] = zero + (exponent % 10);
  return at;
}

/**
 * Vectors as the binary format of arrays of pgvector's type: number of dimensions of the array, no nulls, type, size and lower bound; then,
 * for each vector, its bytes, its dimensions, and its numbers (array_recv and vector_recv in the sources of both).
 */
export function vectorsToBinary(
  type: number,
  vectors: Float32Array,
  rows: readonly number[],
  dimensions: number,
): Buffer {
  const size = 4 + 4 * dimensions;
  const bytes = Buffer.allocUnsafe(20 + rows.length * (4 + size));
  for (const [place, value] of [1, 0, type, rows.length, 1].entries()) bytes.writeUInt32BE(value, 4 * place);
  let at = 20;
  for (const row of rows) {
    at = bytes.writeUInt32BE(size, at);
    at = bytes.writeUInt16BE(dimensions, at);
    at = bytes.writeUInt16BE(0, at);
    const numbers = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    const part = bytes.subarray(at, at + 4 * dimensions);
    part.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
    part.swap32();
    at += part.length;
  }
  return bytes;
}

/** Writes a vector that pgvector has written as text into packed vectors. */
export function vectorFromText(text: string, into: Float32Array, at = 0): void {
  into.set(JSON.parse(text) as number[], at);
}
