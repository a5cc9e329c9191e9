import type { LongWorkOptions, MatrixDtype, MatrixOrder } from '../types.js';
import { type Listed, longWorkDefaults, type Resolved } from './resolve-options.js';

/** Options of `VectorMatrix.open(path, options)`. */
export interface MatrixOpenOptions {
  /** Allow writing rows. Default false. */
  writable?: boolean | undefined;
}

/** Defaults of {@link MatrixOpenOptions}. */
export const matrixOpenDefaults = { writable: false } satisfies Listed<MatrixOpenOptions>;

/** {@link MatrixOpenOptions}, completed by the defaults. */
export type ResolvedMatrixOpenOptions = Resolved<MatrixOpenOptions, typeof matrixOpenDefaults>;

/** Options of `VectorMatrix.create(path, options)`; `rows` and `columns` are required. */
export interface MatrixCreateOptions {
  /** Number of rows, initially filled with zeros. */
  rows: number;
  /** Numbers per row. */
  columns: number;
  /** Element type. Default `f4`; `i4` for .ivecs and `u1` for .bvecs, which support no other. */
  dtype?: MatrixDtype | undefined;
  /** Storage order. Default `C`; `F` for .desc, which supports no other. */
  order?: MatrixOrder | undefined;
  /** Store each column in its own file; .desc only. Default false. */
  separated?: boolean | undefined;
  /**
   * Replace an existing file; processes that have it open keep its data. Default false: an existing file is an error.
   */
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
  /** Rows per block. Default: 4 MiB of rows; 16 MiB if rows are gathered from columns. */
  blockRows?: number | undefined;
  /** Reuse the same memory for all blocks; each is valid until the next one is requested. Default false. */
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

/** Options of adding the rows of a matrix to an index. */
export interface MatrixAddOptions extends LongWorkOptions {
  /** Item number of the first row. Default: after the last item. */
  first?: number | undefined;
  /** Rows in memory at a time. Default: as in {@link MatrixBlocksOptions}. */
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
