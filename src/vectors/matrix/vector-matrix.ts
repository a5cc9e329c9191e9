import { extname } from 'node:path';
import { SemanticIndexError } from '../../errors.js';
import {
  describe,
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

/** A block of consecutive rows. */
export interface MatrixBlock {
  /** First row of the block. */
  readonly first: number;
  /** Number of rows. */
  readonly count: number;
  /** The numbers, row after row: `count` times `columns`. */
  readonly values: Float32Array;
}

/**
 * A matrix in a file, read and written by rows: NumPy's .npy, .fvecs / .ivecs / .bvecs, and R's file-backed big.matrix through
 * its .desc file. `docs/matrices.md` lists the number types of each format.
 *
 * Reads and writes run off the event loop, and concurrently; a read that overlaps a write may see part of it. An instance
 * belongs to one thread; other threads and processes open the same path. `close` (or `await using`) closes the files; Node
 * warns about files that are garbage collected while open.
 *
 * @example
 * await using matrix = await VectorMatrix.open('vectors.npy');
 * for await (const { first, values } of matrix) index.addItems(values, first);
 */
export class VectorMatrix implements AsyncDisposable, AsyncIterable<MatrixBlock> {
  /** Absolute path. */
  readonly path: string;
  /** Number of rows. */
  readonly rows: number;
  /** Numbers in each row. */
  readonly columns: number;
  /** How the numbers are stored. */
  readonly dtype: MatrixDtype;
  /** 'C' when the numbers of a row are contiguous, 'F' when those of a column are. */
  readonly order: MatrixOrder;
  /** Whether rows can be written. */
  readonly writable: boolean;
  readonly #layout: MatrixLayout;
  readonly #files: MatrixFiles;
  readonly #pending = new Set<Promise<void>>();
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
   * Opens the matrix at `path`. Checks the header and the size of the files, and reads no numbers.
   *
   * @throws IO when a file is missing or cannot be opened; INVALID_FILE when it is damaged or shorter than its matrix;
   * UNSUPPORTED for formats and number types that are not listed in `docs/matrices.md`.
   * @example const matrix = await VectorMatrix.open('vectors.npy', { writable: true })
   */
  static async open(path: string | URL, options?: MatrixOpenOptions): Promise<VectorMatrix> {
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
   * Creates a matrix of zeros and opens it for writing. The extension of `path` selects the format. The file has its full size
   * at once (sparse where the file system supports it), so that rows can be written in any order and the matrix reopened later.
   *
   * @throws INVALID_ARGUMENT for an impossible shape, or when the file exists and `overwrite` is not set; UNSUPPORTED for
   * a format or number type that cannot be written; IO.
   * @example const matrix = await VectorMatrix.create('vectors.npy', { rows: 1000, columns: 384 })
   */
  static async create(
    path: string | URL,
    options: MatrixCreateOptions & { rows: number; columns: number },
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

  /** Paths of the files with the numbers: the matrix itself, or the backing files of a .desc. @example matrix.files */
  get files(): readonly string[] {
    const { separated, fileOf, columns } = this.#layout;
    return Array.from({ length: separated ? columns : 1 }, (_, column) => fileOf(column));
  }

  /** Bytes of the numbers, without headers. @example matrix.byteLength */
  get byteLength(): number {
    return this.rows * this.columns * dtypeSize[this.dtype];
  }

  /**
   * Reads `count` rows from row `first` on as float32, row after row. With `into`, fills and returns that array instead: a
   * Float64Array holds f8, and i8 up to 2^53, exactly; an Int32Array holds i4 exactly.
   *
   * @throws INVALID_ARGUMENT when the rows do not exist or `into` does not have `count` times `columns` numbers;
   * INVALID_FILE when the file was truncated meanwhile; OUT_OF_MEMORY; IO; CLOSED.
   * @example const rows = await matrix.getRows(0, 100)
   */
  getRows(first: number, count: number): Promise<Float32Array>;
  getRows<T extends NumberArray>(first: number, count: number, into: T): Promise<T>;
  async getRows(first: number, count: number, into?: NumberArray): Promise<NumberArray> {
    this.#checkRange('getRows', first, count);
    if (into !== undefined && (!isNumberArray(into) || into.length !== count * this.columns)) {
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        `VectorMatrix.getRows: expected into as a typed array of ${count} times ${this.columns} numbers, got ${describe(into)}`,
      );
    }
    const target = into ?? this.#allocate('getRows', count);
    if (count > 0) await this.#during(readRows(this.#layout, this.#files, first, count, target));
    return target;
  }

  /**
   * Writes complete rows from row `first` on. They are in the file when the promise resolves, and durable after `flush`.
   *
   * @throws READ_ONLY unless opened with `writable`; INVALID_ARGUMENT when the rows do not fit the matrix; INVALID_VECTOR
   * when a number cannot be stored, such as a fraction among integers (earlier rows may be written); IO; CLOSED.
   * @example await matrix.setRows(0, new Float32Array(matrix.columns))
   */
  async setRows(first: number, values: NumberArray): Promise<void> {
    if (!isNumberArray(values)) {
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        `VectorMatrix.setRows: expected values as a Float32Array, Float64Array or Int32Array, got ${describe(values)}`,
      );
    }
    const count = values.length / this.columns;
    if (!Number.isInteger(count)) {
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        `VectorMatrix.setRows: expected complete rows of ${this.columns} numbers, got ${values.length} numbers`,
        { hint: `The length must be a multiple of ${this.columns}.` },
      );
    }
    this.#checkRange('setRows', first, count);
    if (!this.writable) {
      throw new SemanticIndexError(
        'READ_ONLY',
        `VectorMatrix.setRows: expected a writable matrix, got ${this.path} opened read-only`,
        {
          hint: 'Open it with `writable: true`.',
          details: { path: this.path },
        },
      );
    }
    if (count > 0) await this.#during(writeRows(this.#layout, this.#files, first, count, values));
  }

  /**
   * Iterates over the matrix in blocks of rows; memory is bounded by the size of a block.
   *
   * @throws as `getRows`, and `signal.reason` when aborted.
   * @example for await (const { first, count, values } of matrix.blocks({ blockRows: 1000 })) console.log(first, count)
   */
  async *blocks(options?: MatrixBlocksOptions): AsyncGenerator<MatrixBlock, void, undefined> {
    const { blockRows, reuse, signal } = resolveOptions('VectorMatrix.blocks', options, matrixBlocksDefaults);
    if (blockRows !== undefined && !(Number.isSafeInteger(blockRows) && blockRows > 0)) {
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        `VectorMatrix.blocks: expected blockRows as a positive integer, got ${describe(blockRows)}`,
      );
    }
    const most = Math.max(1, Math.min(this.rows, blockRows ?? this.defaultBlockRows));
    // Small blocks in order F are cut from larger ones, because each column costs a read, however short.
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

  /** Same as `blocks()`. @example for await (const { values } of matrix) index.addItems(values) */
  [Symbol.asyncIterator](): AsyncGenerator<MatrixBlock, void, undefined> {
    return this.blocks();
  }

  /** Default number of rows of a block. @example matrix.defaultBlockRows */
  get defaultBlockRows(): number {
    // Gathering rows from columns takes one read per column and block, so larger blocks are faster.
    const bytes = this.order === 'F' ? 16 << 20 : 4 << 20;
    return Math.max(1, Math.floor(bytes / (this.columns * 4)));
  }

  /** Resolves when all written rows are on the disk. @example await matrix.flush() */
  async flush(): Promise<void> {
    this.#checkOpen('flush');
    await this.#during(this.#files.flush());
  }

  /** Closes the files after pending reads and writes. Closing twice has no effect. @example await matrix.close() */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#pending);
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

  /** Keeps the files open until the work ends. */
  async #during(work: Promise<void>): Promise<void> {
    this.#pending.add(work);
    try {
      await work;
    } finally {
      this.#pending.delete(work);
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
        `VectorMatrix.${method}: expected a range within the ${this.rows} rows, got ${count} rows from row ${first}`,
        { hint: `Pass complete rows of ${this.columns} numbers, from row 0 to row ${this.rows - 1}.` },
      );
    }
  }
}
