import type { LongWorkOptions, MatrixDtype, MatrixOrder } from '../types.js';
import { type Listed, longWorkDefaults, type Resolved } from './resolve-options.js';

/** What `VectorMatrix.open(path, options)` takes. */
export interface MatrixOpenOptions {
  /** Whether rows may be written. Default false. */
  writable?: boolean | undefined;
}

/** Defaults of {@link MatrixOpenOptions}. */
export const matrixOpenDefaults = { writable: false } satisfies Listed<MatrixOpenOptions>;

/** {@link MatrixOpenOptions}, completed by the defaults. */
export type ResolvedMatrixOpenOptions = Resolved<MatrixOpenOptions, typeof matrixOpenDefaults>;

/** What `VectorMatrix.create(path, options)` takes besides `rows` and `columns`, which have no default. */
export interface MatrixCreateOptions {
  /** Number of rows; all are there at once, filled with zeros. */
  rows: number;
  /** Numbers of a row. */
  columns: number;
  /** How the numbers are stored. Default f4; .ivecs i4 and .bvecs u1, which know no other. */
  dtype?: MatrixDtype | undefined;
  /** Which numbers follow each other. Default C; F for .desc, which knows no other. */
  order?: MatrixOrder | undefined;
  /** Whether each column gets a file of its own; only .desc can. Default false. */
  separated?: boolean | undefined;
  /** Whether a file of that name is replaced; who has the old one open keeps it. Default false: that is an error. */
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

/** What `VectorMatrix.blocks(options)` takes. */
export interface MatrixBlocksOptions {
  /** Rows of a block. Default: what fits into 4 MiB; 16 MiB where the rows must be gathered from columns. */
  blockRows?: number | undefined;
  /** Whether every block is handed out in the same memory, valid until the next is asked for. Default false. */
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

/** What adding the rows of a matrix to an index takes. */
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
