import { type Addon, addon } from '../../addon/addon.js';
import { type Saturation, saturationStart } from './saturation.js';

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
  /** Rows that are not in the sum yet, and what they are multiplied by. */
  readonly #ids = new Int32Array(maxIds);
  readonly #idScales = new Float32Array(maxIds);
  #pending = 0;
  /** Occurrences of each token in a text; 0 between texts. */
  #occurrences: Uint32Array | undefined;
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
    for (let index = 0; index < length; index++) {
      const id = tokens[index] as number;
      const scale = this.#scales[id] as number;
      if (id !== unknown && scale !== 0) this.#addRow(id, scale);
    }
    this.#addPendingRows();
  }

  /** Adds the row of each distinct token of a whole text, except as above, times its weight. */
  addSaturated(tokens: readonly number[], unknown: number, saturation: Saturation): void {
    this.#occurrences ??= new Uint32Array(this.#scales.length);
    const occurrences = this.#occurrences;
    const distinct: number[] = [];
    let known = 0;
    for (const id of tokens) {
      if (id === unknown || this.#scales[id] === 0) continue;
      known++;
      const before = occurrences[id] as number;
      if (before === 0) distinct.push(id);
      occurrences[id] = before + 1;
    }
    const start = saturationStart(saturation, known);
    for (const id of distinct) {
      const count = occurrences[id] as number;
      occurrences[id] = 0;
      this.#addRow(id, (this.#scales[id] as number) * (count / (count + start)));
    }
    this.#addPendingRows();
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

  #addRow(id: number, scale: number): void {
    this.#ids[this.#pending] = id;
    this.#idScales[this.#pending] = scale;
    if (++this.#pending === maxIds) this.#addPendingRows();
  }

  #addPendingRows(): void {
    const count = this.#pending;
    this.#pending = 0;
    const sumRows = this.#sumRows;
    if (count === 0) return;
    if (sumRows === undefined) for (let index = 0; index < count; index++) this.#sumRow(index);
    else sumRows(this.#table, this.#ids, this.#idScales, count, this.#quantization === 'int4', this.#sums);
  }

  #sumRow(index: number): void {
    const id = this.#ids[index] as number;
    const scale = this.#idScales[index] as number;
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
