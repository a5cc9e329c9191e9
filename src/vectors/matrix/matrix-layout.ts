import { SemanticIndexError } from '../../errors.js';
import type { MatrixDtype, MatrixOrder } from '../../types.js';
import { dtypeSize, type Encoding } from './matrix-dtype.js';

/** Position of each number of a matrix in its file or files, for every format. */
export interface MatrixLayout {
  readonly rows: number;
  readonly columns: number;
  readonly encoding: Encoding;
  /** 'C': the numbers of a row follow each other. 'F': the numbers of a column do. */
  readonly order: MatrixOrder;
  /** The file of a column where each column has its own, else the only file. */
  readonly fileOf: (column: number) => string;
  readonly separated: boolean;
  /** Byte position of the first number in its file. */
  readonly start: number;
  /** Bytes from a row ('C') or a column ('F', not separated) to the next. */
  readonly stride: number;
  /** Whether each row is preceded by its length as a 32 bit integer (the vecs formats). */
  readonly rowHeaders: boolean;
}

/** Bytes of one row's numbers. */
export function rowBytes(layout: MatrixLayout): number {
  return layout.columns * dtypeSize[layout.encoding.dtype];
}

/** Bytes that a file must have to hold its part of the matrix. */
export function requiredBytes(layout: MatrixLayout): number {
  const size = dtypeSize[layout.encoding.dtype];
  if (layout.rows === 0) return layout.order === 'C' && layout.rowHeaders ? 0 : layout.start;
  if (layout.order === 'C') return layout.start + (layout.rows - 1) * layout.stride + rowBytes(layout);
  const columns = layout.separated ? 1 : layout.columns;
  return layout.start + (columns - 1) * layout.stride + layout.rows * size;
}

/**
 * Checks a shape read from a file.
 *
 * @throws INVALID_FILE when it is not made of integers, has no column, or exceeds the addressable size.
 */
export function checkShape(path: string, rows: number, columns: number, dtype: MatrixDtype): void {
  const whole = Number.isSafeInteger(rows) && Number.isSafeInteger(columns) && rows >= 0 && columns >= 1;
  // Half the safe range leaves room for headers and row lengths in every later sum.
  if (!whole || rows * columns * dtypeSize[dtype] > Number.MAX_SAFE_INTEGER / 2 || columns > 2 ** 31 - 1) {
    throw invalidFile(path, `declares an impossible shape of ${rows} rows by ${columns} columns`);
  }
}

/** INVALID_FILE with the path in message and details. */
export function invalidFile(path: string, what: string, cause?: unknown): SemanticIndexError {
  return new SemanticIndexError('INVALID_FILE', `${path} ${what}`, {
    hint: 'The file is damaged, truncated, or not in the format of its extension.',
    details: { path },
    cause,
  });
}
