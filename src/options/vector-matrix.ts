import type { LongWorkOptions, MatrixDtype, MatrixOrder } from '../types.js';
import { type Listed, longWorkDefaults, type Resolved } from './resolve-options.js';

/** Options of `VectorMatrix.open(path, options)`. */
export interface MatrixOpenOptions {
  /** Open the file for writing. Default false. */
  writable?: boolean | undefined;
}

/** Defaults of {@link MatrixOpenOptions}. */
export const matrixOpenDefaults = { writable: false } satisfies Listed<MatrixOpenOptions>;

/** {@link MatrixOpenOptions}, completed by the defaults. */
export type ResolvedMatrixOpenOptions = Resolved<MatrixOpenOptions, typeof matrixOpenDefaults>;

/** Options of `VectorMatrix.create(path, options)`; `rows` and `columns` are required. */
export interface MatrixCreateOptions {
  /** Number of rows; all are there at once, filled with zeros. */
  rows: number;
  /** Numbers of a row. */
  columns: number;
  /** How the numbers are stored. Default f4; .ivecs i4 and .bvecs u1, which know no other. */
  dtype?: MatrixDtype | undefined;
  /** Which numbers follow each other. Default C; F for .desc, which knows no other. */
  order?: MatrixOrder | undefined;
  /** Store each column in its own file; only .desc supports it. Default false. */
  separated?: boolean | undefined;
  /** Replace an existing file; programs that have it open keep the old one. Default false: an existing file is an error. */
  overwrite?: boolean | undefined;
}

/** Defaults of {@link MatrixCreateOptions}. */
export const matrixCreateDefaults = {
  rows: undefined,
  columns: undefined,
  dtype: undefined,
  order: undefined,
  separated: false,
  overwrite: false,
} satisfies Listed<MatrixCreateOptions>;

/** {@link MatrixCreateOptions}, completed by the defaults. */
export type ResolvedMatrixCreateOptions = Resolved<MatrixCreateOptions, typeof matrixCreateDefaults>;

/** Options of `VectorMatrix.blocks(options)`. */
export interface MatrixBlocksOptions {
  /** Rows of a block. Default: what fits into 4 MiB; 16 MiB where the rows must be gathered from columns. */
  blockRows?: number | undefined;
  /** Return every block in the same memory, valid until the next one is requested. Default false. */
  reuse?: boolean | undefined;
  /** Aborting ends the iteration with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** Defaults of {@link MatrixBlocksOptions}. */
export const matrixBlocksDefaults = {
  blockRows: undefined,
  reuse: false,
  signal: undefined,
} satisfies Listed<MatrixBlocksOptions>;

/** {@link MatrixBlocksOptions}, completed by the defaults. */
export type ResolvedMatrixBlocksOptions = Resolved<MatrixBlocksOptions, typeof matrixBlocksDefaults>;

/** Options of `addItems(matrix, options)`. */
export interface MatrixAddOptions extends LongWorkOptions {
  /** Item number of the first row. Default: after the last item. */
  first?: number | undefined;
  /** Rows that are in memory at a time. Default as in {@link MatrixBlocksOptions}. */
  blockRows?: number | undefined;
}

/** Defaults of {@link MatrixAddOptions}. */
export const matrixAddDefaults = {
  ...longWorkDefaults,
  first: undefined,
  blockRows: undefined,
} satisfies Listed<MatrixAddOptions>;

/** {@link MatrixAddOptions}, completed by the defaults. */
export type ResolvedMatrixAddOptions = Resolved<MatrixAddOptions, typeof matrixAddDefaults>;
