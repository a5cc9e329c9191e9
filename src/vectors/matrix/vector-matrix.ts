import { extname } from 'node:path';
import { SemanticIndexError } from '../../errors.js';
import {
  describe,
  type Given,
  type MatrixBlocksOptions,
  type MatrixCreateOptions,
  type MatrixOpenOptions,
  matrixBlocksDefaults,
  matrixCreateDefaults,
  matrixOpenDefaults,
  resolveOptions,
} from '../../options.js';
import type { MatrixDtype, MatrixOrder, NumberArray } from '../../types.js';
import { isNumberArray } from '../number-arrays.js';
import { checkPath } from '../vector-arguments.js';
import { dtypeSize } from './matrix-dtype.js';
import { MatrixFiles } from './matrix-files.js';
import { createMatrix, readLayout } from './matrix-format.js';
import type { MatrixLayout } from './matrix-layout.js';
import { readRows, writeRows } from './matrix-transfer.js';
import { vecsDtypes, vecsMatrix } from './vecs-format.js';

/** Some rows that follow each other. */
export interface MatrixBlock {
  /** Number of the block's first row in the matrix. */
  readonly first: number;
  /** Rows in the block. */
  readonly count: number;
  /** The numbers, row after row: `count` times `columns`. */
  readonly values: Float32Array;
}

/**
 * A matrix in a file, of which only the rows in use are in memory: NumPy's .npy, .fvecs / .ivecs / .bvecs, and R's
 * file-backed big.matrix by its .desc. `docs/matrices.md` lists what each format may hold.
 *
 * Reads and writes take place off the event loop and may run side by side; a read that overlaps a write may see part of
 * it. A matrix belongs to the thread that opened it: other threads and processes open the same path. `close` (or
 * `await using`) frees the files; Node closes what is collected unclosed, and warns about it.
 */
export class VectorMatrix implements AsyncDisposable, AsyncIterable<MatrixBlock> {
  /** The absolute path that it was opened by. */
  readonly path: string;
  /** Number of rows. */
  readonly rows: number;
  /** Numbers of each row. */
  readonly columns: number;
  /** How the numbers are stored. */
  readonly dtype: MatrixDtype;
  /** 'C' when the numbers of a row lie side by side, 'F' when those of a column do. */
  readonly order: MatrixOrder;
  /** Whether rows can be written. */
  readonly writable: boolean;
  readonly #layout: MatrixLayout;
  readonly #files: MatrixFiles;
  readonly #underWay = new Set<Promise<void>>();
  #closed = false;

  private constructor(path: string, layout: MatrixLayout, files: MatrixFiles, writable: boolean) {
    this.path = path;
    this.rows = layout.rows;
    this.columns = layout.columns;
    this.dtype = layout.encoding.dtype;
    this.order = layout.order;
    this.writable = writable;
    this.#layout = layout;
    this.#files = files;
  }

  /**
   * Opens the matrix at `path`. Its header is read and checked, and the length of its files; its numbers are not.
   *
   * @throws IO when a file is missing or cannot be opened; INVALID_FILE when it is damaged or shorter than its matrix;
   * UNSUPPORTED for formats and number types that are not listed in `docs/matrices.md`.
   */
  static async open(path: string | URL, options?: Given<MatrixOpenOptions>): Promise<VectorMatrix> {
    const { writable } = resolveOptions('VectorMatrix.open', options, matrixOpenDefaults);
    const file = checkPath('VectorMatrix.open', path);
    const files = new MatrixFiles(writable);
    try {
      return new VectorMatrix(file, await readLayout(file, files), files, writable);
    } catch (error) {
      await files.close();
      throw error;
    }
  }

  /**
   * Creates a matrix of zeros and opens it for writing. The ending of `path` names the format. The whole matrix has its
   * place in the file at once, as a hole where the file system has holes, so that it can be filled in any order and
   * opened again later.
   *
   * @throws INVALID_ARGUMENT for an impossible shape, or when the file exists and `overwrite` is not set; UNSUPPORTED for
   * a format or number type that cannot be written; IO.
   */
  static async create(
    path: string | URL,
    options: Given<MatrixCreateOptions> & { rows: number; columns: number },
  ): Promise<VectorMatrix> {
    const resolved = resolveOptions('VectorMatrix.create', options, matrixCreateDefaults);
    const file = checkPath('VectorMatrix.create', path);
    const shape = { rows: Number(resolved.rows), columns: Number(resolved.columns) };
    await createMatrix(file, { ...resolved, ...shape });
    const dtype = vecsDtypes[extname(file)];
    if (shape.rows > 0 || dtype === undefined) return VectorMatrix.open(file, { writable: true });
    // A vecs file states its columns with each row: without rows it cannot be read.
    return new VectorMatrix(file, vecsMatrix(file, { ...shape, dtype }), new MatrixFiles(true), true);
  }

  /** Paths of the files that hold the numbers: the matrix itself, or what a .desc names, a file for each separated column. */
  get files(): readonly string[] {
    const { separated, fileOf, columns } = this.#layout;
    return Array.from({ length: separated ? columns : 1 }, (_, column) => fileOf(column));
  }

  /** Bytes that the numbers take in the file, without headers. */
  get byteLength(): number {
    return this.rows * this.columns * dtypeSize[this.dtype];
  }

  /**
   * Reads `count` rows from row `first` on, row after row, as float32; with `into`, as the numbers of that array, which
   * is filled and returned: a Float64Array keeps all of f8 and of i8 up to 2^53, an Int32Array all of i4.
   *
   * @throws INVALID_ARGUMENT when the matrix has no such rows or `into` is not of `count` times `columns` numbers;
   * INVALID_FILE when the file was cut since it was opened; OUT_OF_MEMORY; IO; CLOSED.
   */
  getRows(first: number, count: number): Promise<Float32Array>;
  getRows<T extends NumberArray>(first: number, count: number, into: T): Promise<T>;
  async getRows(first: number, count: number, into?: NumberArray): Promise<NumberArray> {
    this.#checkRange('getRows', first, count);
    if (into !== undefined && (!isNumberArray(into) || into.length !== count * this.columns)) {
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        `VectorMatrix.getRows: into must be a typed array of ${count} times ${this.columns} numbers, got ${describe(into)}`,
      );
    }
    const target = into ?? this.#allocate('getRows', count);
    if (count > 0) await this.#during(readRows(this.#layout, this.#files, first, count, target));
    return target;
  }

  /**
   * Writes whole rows from row `first` on. They are in the file when it resolves, and on the disk after `flush`.
   *
   * @throws READ_ONLY unless opened with `writable`; INVALID_ARGUMENT when the rows do not fit the matrix; INVALID_VECTOR
   * when a number cannot be stored (a fraction among integers, say): rows before it may be written by then; IO; CLOSED.
   */
  async setRows(first: number, values: NumberArray): Promise<void> {
    if (!isNumberArray(values)) {
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        `VectorMatrix.setRows: values must be a Float32Array, Float64Array or Int32Array, got ${describe(values)}`,
      );
    }
    const count = values.length / this.columns;
    this.#checkRange('setRows', first, count);
    if (!this.writable) {
      throw new SemanticIndexError('READ_ONLY', `${this.path} was opened for reading only`, {
        hint: 'Open it with `writable: true`.',
        details: { path: this.path },
      });
    }
    if (count > 0) await this.#during(writeRows(this.#layout, this.#files, first, count, values));
  }

  /**
   * Reads the whole matrix, block after block, in memory bounded by the size of a block.
   *
   * @throws as `getRows`, and `signal.reason` when aborted.
   */
  async *blocks(options?: Given<MatrixBlocksOptions>): AsyncGenerator<MatrixBlock, void, undefined> {
    const { blockRows, reuse, signal } = resolveOptions('VectorMatrix.blocks', options, matrixBlocksDefaults);
    if (blockRows !== undefined && !(Number.isSafeInteger(blockRows) && blockRows > 0)) {
      throw new SemanticIndexError('INVALID_ARGUMENT', `VectorMatrix.blocks: blockRows must be a whole number above 0`);
    }
    const most = Math.max(1, Math.min(this.rows, blockRows ?? this.defaultBlockRows));
    // Small blocks of order F are cut from larger ones, since each column costs a read however short it is.
    const window = this.order === 'F' ? most * Math.max(1, Math.floor(this.defaultBlockRows / most)) : most;
    const memory = reuse || window > most ? this.#allocate('blocks', Math.min(window, this.rows)) : undefined;
    for (let start = 0; start < this.rows; start += window) {
      const end = Math.min(start + window, this.rows);
      if (memory !== undefined) {
        signal?.throwIfAborted();
        await this.getRows(start, end - start, memory.subarray(0, (end - start) * this.columns));
      }
      for (let first = start; first < end; first += most) {
        signal?.throwIfAborted();
        const count = Math.min(most, end - first);
        const part = memory?.subarray((first - start) * this.columns, (first - start + count) * this.columns);
        const values = part === undefined ? await this.getRows(first, count) : reuse ? part : part.slice();
        yield { first, count, values };
      }
    }
    signal?.throwIfAborted();
  }

  /** As `blocks()`. */
  [Symbol.asyncIterator](): AsyncGenerator<MatrixBlock, void, undefined> {
    return this.blocks();
  }

  /** Rows of a block where none are asked for. */
  get defaultBlockRows(): number {
    // Gathering rows from columns pays one read per column and block: larger blocks make those reads worth it.
    const bytes = this.order === 'F' ? 16 << 20 : 4 << 20;
    return Math.max(1, Math.floor(bytes / (this.columns * 4)));
  }

  /** Resolves when all that was written is on the disk. */
  async flush(): Promise<void> {
    this.#checkOpen('flush');
    await this.#during(this.#files.flush());
  }

  /** Closes the files, after reads and writes under way. Closing twice does nothing. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
    await this.#files.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #allocate(method: string, count: number): Float32Array {
    try {
      return new Float32Array(count * this.columns);
    } catch (cause) {
      throw new SemanticIndexError(
        'OUT_OF_MEMORY',
        `VectorMatrix.${method}: ${count} rows of ${this.columns} numbers do not fit into memory`,
        { hint: 'Read fewer rows at a time.', cause },
      );
    }
  }

  /** Keeps the files open until the work has ended. */
  async #during(work: Promise<void>): Promise<void> {
    this.#underWay.add(work);
    try {
      await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  #checkOpen(method: string): void {
    if (!this.#closed) return;
    throw new SemanticIndexError('CLOSED', `VectorMatrix.${method}: ${this.path} is closed`);
  }

  #checkRange(method: string, first: number, count: number): void {
    this.#checkOpen(method);
    const whole = Number.isSafeInteger(first) && Number.isSafeInteger(count);
    if (!whole || first < 0 || count < 0 || first + count > this.rows) {
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        `VectorMatrix.${method}: ${count} rows from row ${first} on are not within the ${this.rows} rows`,
        { hint: `Pass whole rows of ${this.columns} numbers, from row 0 to row ${this.rows - 1}.` },
      );
    }
  }
}
