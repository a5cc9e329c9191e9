import { type Addon, addon } from '../../addon/addon.js';

/** Storage of quantized rows: one value per byte, or two (the even column in the low nibble, offset by 8). */
export type Quantization = 'int8' | 'int4';

/** Rows added per native call. Part of the definition of a sum: each call adds its total to the sum so far. */
const maxIds = 1024;
/** The native function needs rows of a multiple of this many bytes. */
const rowBlock = 16;

/**
 * A table with one quantized row and one scale per token, and a running sum of rows. The native addon adds rows
 * whose width allows it; sums are float32 in a fixed order, the same on every machine.
 */
export class RowTable {
  readonly #dimensions: number;
  readonly #quantization: Quantization;
  readonly #table: Uint8Array;
  readonly #scales: Float32Array;
  readonly #sums: Float32Array;
  readonly #ids = new Int32Array(maxIds);
  readonly #sumRows: Addon['sumRows'] | undefined;

  /** @param table concatenated rows; not copied. @param scales one per row; not copied. */
  constructor(table: Uint8Array, scales: Float32Array, dimensions: number, quantization: Quantization) {
    this.#dimensions = dimensions;
    this.#quantization = quantization;
    this.#table = table;
    this.#scales = scales;
    this.#sums = new Float32Array(dimensions);
    const rowBytes = table.byteLength / scales.length;
    if (rowBytes % rowBlock === 0) this.#sumRows = addon().sumRows;
  }

  /** The rows for native code; undefined where it cannot add them. */
  nativeRows(): { table: Uint8Array; scales: Float32Array; isInt4: boolean } | undefined {
    if (this.#sumRows === undefined) return undefined;
    return { table: this.#table, scales: this.#scales, isInt4: this.#quantization === 'int4' };
  }

  /** Starts a new sum. */
  clear(): void {
    this.#sums.fill(0);
  }

  /** A copy of the sum so far, for `resume`. */
  sums(): Float32Array {
    return this.#sums.slice();
  }

  /** Restores a sum returned by `sums`. */
  resume(sums: Float32Array): void {
    this.#sums.set(sums);
  }

  /** Adds the rows of tokens, except `unknown` and rows of zeros. Default: all tokens. */
  add(tokens: ArrayLike<number>, unknown: number, length = tokens.length): void {
    let count = 0;
    for (let index = 0; index < length; index++) {
      const id = tokens[index] as number;
      if (id === unknown || this.#scales[id] === 0) continue;
      this.#ids[count++] = id;
      if (count === maxIds) {
        this.#addIds(count);
        count = 0;
      }
    }
    if (count > 0) this.#addIds(count);
  }

  /** The sum scaled to length 1; undefined when it is zero. */
  unit(): Float32Array | undefined {
    const sums = this.#sums;
    let squares = 0;
    for (let column = 0; column < sums.length; column++) squares += (sums[column] as number) * (sums[column] as number);
    if (squares === 0) return undefined;
    const scale = 1 / Math.sqrt(squares);
    const vector = new Float32Array(sums.length);
    for (let column = 0; column < sums.length; column++) vector[column] = (sums[column] as number) * scale;
    return vector;
  }

  #addIds(count: number): void {
    const sumRows = this.#sumRows;
    if (sumRows === undefined) for (let index = 0; index < count; index++) this.#addRow(this.#ids[index] as number);
    else sumRows(this.#table, this.#scales, this.#ids, count, this.#quantization === 'int4', this.#sums);
  }

  #addRow(id: number): void {
    const scale = this.#scales[id] as number;
    const table = this.#table;
    const sums = this.#sums;
    const dimensions = this.#dimensions;
    if (this.#quantization === 'int8') {
      for (let column = 0, at = id * dimensions; column < dimensions; column++, at++) {
        sums[column] = (sums[column] as number) + scale * (((table[at] as number) << 24) >> 24);
      }
      return;
    }
    for (let column = 0, at = (id * dimensions) / 2; column < dimensions; column += 2, at++) {
      const byte = table[at] as number;
      sums[column] = (sums[column] as number) + scale * ((byte & 15) - 8);
      sums[column + 1] = (sums[column + 1] as number) + scale * ((byte >> 4) - 8);
    }
  }
}
