import { type AnnoyBatchOptions, annoyBatchDefaults, type Listed, type Resolved } from '../../options.js';
import type { VectorMatrix } from './vector-matrix.js';

/** Options of `getNnsByVectors(matrix, n, options)`. */
export interface MatrixSearchOptions extends AnnoyBatchOptions {
  /**
   * Where the item numbers go: a matrix of i4 (or i8, f8) with a row for each query and n columns. A path is opened where
   * there is such a file, and created where there is none. -1 stands where fewer than n items were found. Default: nowhere, they are returned.
   */
  neighbors?: string | URL | VectorMatrix | undefined;
  /** Where the distances go: a matrix of f4 or f8 of the same shape. NaN stands where there is none. Default: nowhere. */
  distances?: string | URL | VectorMatrix | undefined;
  /** Queries that are in memory at a time. Default: as many as fit into 4 MiB together with their answers, at most 4096. */
  blockRows?: number | undefined;
}

/** Defaults of {@link MatrixSearchOptions}. */
export const matrixSearchDefaults = {
  ...annoyBatchDefaults,
  neighbors: undefined,
  distances: undefined,
  blockRows: undefined,
} satisfies Listed<MatrixSearchOptions>;

/** {@link MatrixSearchOptions}, completed by the defaults. */
export type ResolvedMatrixSearchOptions = Resolved<MatrixSearchOptions, typeof matrixSearchDefaults>;
