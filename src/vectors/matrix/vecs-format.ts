import type { MatrixDtype } from '../../types.js';
import { dtypeSize } from './matrix-dtype.js';
import { checkShape, invalidFile, type MatrixLayout } from './matrix-layout.js';
import type { ReadBytes } from './npy-format.js';

/** Number type of each vecs format, by file extension. */
export const vecsDtypes: Readonly<Record<string, MatrixDtype>> = { '.fvecs': 'f4', '.ivecs': 'i4', '.bvecs': 'u1' };

/**
 * Describes a vecs file, the format of the TEXMEX corpora (http://corpus-texmex.irisa.fr): each row is its length as a
 * little-endian 32-bit integer, followed by its numbers. The number of rows follows from the length of the first row and the
 * size of the file; the lengths of other rows are checked when they are read.
 *
 * @throws INVALID_FILE when the first length is impossible, or the size is not a whole number of rows.
 */
export async function readVecsLayout(
  path: string,
  dtype: MatrixDtype,
  size: number,
  read: ReadBytes,
): Promise<MatrixLayout> {
  const head = await read(0, 4);
  if (head.length < 4) throw invalidFile(path, 'does not contain a complete row, which has the number of columns');
  const columns = new DataView(head.buffer, head.byteOffset, 4).getInt32(0, true);
  if (columns < 1) throw invalidFile(path, `declares a row of ${columns} numbers`);
  const rows = size / (4 + columns * dtypeSize[dtype]);
  if (!Number.isInteger(rows)) throw invalidFile(path, `does not hold a whole number of rows of ${columns} numbers`);
  checkShape(path, rows, columns, dtype);
  return vecsMatrix(path, { rows, columns, dtype });
}

/** The layout of a vecs file of that shape. */
export function vecsMatrix(path: string, shape: { rows: number; columns: number; dtype: MatrixDtype }): MatrixLayout {
  const { rows, columns, dtype } = shape;
  return {
    rows,
    columns,
    encoding: { dtype, littleEndian: true },
    order: 'C',
    fileOf: () => path,
    separated: false,
    start: 4,
    stride: 4 + columns * dtypeSize[dtype],
    rowHeaders: true,
  };
}
