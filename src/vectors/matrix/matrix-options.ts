import { type AnnoyBatchOptions, annoyBatchDefaults, type Listed, type Resolved } from '../../options.js';
import type { VectorMatrix } from './vector-matrix.js';

/** Options of searching with the rows of a matrix. */
export interface MatrixSearchOptions extends AnnoyBatchOptions {
  /**
   * Target of the item numbers: a matrix of i4, i8 or f8 with one row per query and n columns, or a path, which is
   * opened if it exists and created otherwise. Missing results are -1. Default: they are returned.
   */
  neighbors?: string | URL | VectorMatrix | undefined;
  /**
   * Target of the distances: a matrix of f4 or f8 of the same shape. Missing results are NaN. Default: they are not
   * written.
   */
  distances?: string | URL | VectorMatrix | undefined;
  /** Queries in memory at a time. Default: as many as fit into 4 MiB with their results, at most 4096. */
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
