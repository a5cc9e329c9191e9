import type { LongWorkOptions, MatrixDtype, MatrixOrder } from '../types.js';
import { type AnnoyBatchOptions, annoyBatchDefaults } from './annoy-index.js';
import { type Listed, longWorkDefaults } from './resolve-options.js';

/** What `VectorMatrix.open(path, options)` takes. */
export interface MatrixOpenOptions {
  /** Whether rows may be written. Default false. */
  writable: boolean;
}

/** Defaults of {@link MatrixOpenOptions}. */
export const matrixOpenDefaults: MatrixOpenOptions = { writable: false };

/** What `VectorMatrix.create(path, options)` takes besides `rows` and `columns`, which have no default. */
export interface MatrixCreateOptions {
  /** Number of rows; all are there at once, filled with zeros. */
  rows: number | undefined;
  /** Numbers of a row. */
  columns: number | undefined;
  /** How the numbers are stored. Default f4; .ivecs i4 and .bvecs u1, which know no other. */
  dtype: MatrixDtype | undefined;
  /** Which numbers follow each other. Default C; F for .desc, which knows no other. */
  order: MatrixOrder | undefined;
  /** Whether each column gets a file of its own; only .desc can. Default false. */
  separated: boolean;
  /** Whether a file of that name is replaced; who has the old one open keeps it. Default false: that is an error. */
  overwrite: boolean;
}

/** Defaults of {@link MatrixCreateOptions}. */
export const matrixCreateDefaults: MatrixCreateOptions = {
  rows: undefined,
  columns: undefined,
  dtype: undefined,
  order: undefined,
  separated: false,
  overwrite: false,
};

/** What `VectorMatrix.blocks(options)` takes. */
export interface MatrixBlocksOptions {
  /** Rows of a block. Default: what fits into 4 MiB; 16 MiB where the rows must be gathered from columns. */
  blockRows: number | undefined;
  /** Whether every block is handed out in the same memory, valid until the next is asked for. Default false. */
  reuse: boolean;
  /** Aborting ends the iteration with `signal.reason`. */
  signal: AbortSignal | undefined;
}

/** Defaults of {@link MatrixBlocksOptions}. */
export const matrixBlocksDefaults: MatrixBlocksOptions = { blockRows: undefined, reuse: false, signal: undefined };

/** What adding the rows of a matrix to an index takes. */
export interface MatrixAddOptions extends Listed<LongWorkOptions> {
  /** Item number of the first row. Default: after the last item. */
  first: number | undefined;
  /** Rows that are in memory at a time. Default as in {@link MatrixBlocksOptions}. */
  blockRows: number | undefined;
}

/** Defaults of {@link MatrixAddOptions}. */
export const matrixAddDefaults: MatrixAddOptions = { ...longWorkDefaults, first: undefined, blockRows: undefined };

/** What searching with the rows of a matrix takes. */
export interface MatrixSearchOptions<Matrix = unknown> extends AnnoyBatchOptions {
  /**
   * Where the item numbers go: a matrix of i4 (or i8, f8) with a row for each query and n columns. A path is opened where
   * there is such a file, and created where there is none. -1 stands where fewer than n items were found. Default: nowhere, they are returned.
   */
  neighbors: string | URL | Matrix | undefined;
  /** Where the distances go: a matrix of f4 or f8 of the same shape. NaN stands where there is none. Default: nowhere. */
  distances: string | URL | Matrix | undefined;
  /** Queries that are in memory at a time. Default: as many as fit into 4 MiB together with their answers, at most 4096. */
  blockRows: number | undefined;
}

/** Defaults of {@link MatrixSearchOptions}. */
export const matrixSearchDefaults: MatrixSearchOptions<never> = {
  ...annoyBatchDefaults,
  neighbors: undefined,
  distances: undefined,
  blockRows: undefined,
};

/** What `compact(options)` takes. */
export type CompactOptions = Listed<LongWorkOptions>;

/** Defaults of {@link CompactOptions}. */
export const compactDefaults: CompactOptions = longWorkDefaults;

/** What `rebuild(options)` takes. */
export interface RebuildOptions extends Listed<LongWorkOptions> {
  /**
   * `vectors`: segments are derived from the stored vectors, without the model. `texts`: every text is embedded again first.
   * Default vectors.
   */
  from: 'vectors' | 'texts';
}

/** Defaults of {@link RebuildOptions}. */
export const rebuildDefaults: RebuildOptions = { ...longWorkDefaults, from: 'vectors' };

/** Options of `importFrom(directory, options)`. */
export interface ImportOptions extends Listed<LongWorkOptions> {
  /** Also import an export that lacks documents, as its index was damaged. Default false: it is refused with INVALID_FILE. */
  partial: boolean;
}

/** Defaults of {@link ImportOptions}. */
export const importDefaults: ImportOptions = { ...longWorkDefaults, partial: false };

/** Options of `exportTo` and `salvage`. */
export type TransferOptions = Listed<LongWorkOptions>;

/** Defaults of {@link TransferOptions}. */
export const transferDefaults: TransferOptions = longWorkDefaults;

/** What `validate(options)` takes. */
export interface ValidateOptions {
  /** `quick` looks at figures and sizes, `full` at every page, byte and vector. Default quick. */
  level: 'quick' | 'full';
  /** Aborting rejects with `signal.reason`; no other check is begun. */
  signal: AbortSignal | undefined;
}

/** Defaults of {@link ValidateOptions}. */
export const validateDefaults: ValidateOptions = { level: 'quick', signal: undefined };
