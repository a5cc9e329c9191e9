import { basename, dirname, join } from 'node:path';
import { SemanticIndexError } from '../../errors.js';
import type { MatrixDtype } from '../../types.js';
import { dtypeSize, type Encoding } from './matrix-dtype.js';
import { checkShape, invalidFile, type MatrixLayout } from './matrix-layout.js';
import { parseRExpression, type RValue } from './r-expression.js';

/** Number types of R's bigmemory, with the NA value of each. */
const types: Readonly<Record<string, Encoding>> = {
  char: { dtype: 'i1', littleEndian: true, missing: -(2 ** 7) },
  raw: { dtype: 'u1', littleEndian: true },
  short: { dtype: 'i2', littleEndian: true, missing: -(2 ** 15) },
  integer: { dtype: 'i4', littleEndian: true, missing: -(2 ** 31) },
  // NA of a float matrix is the smallest normal number, FLT_MIN.
  float: { dtype: 'f4', littleEndian: true, missing: 2 ** -126 },
  double: { dtype: 'f8', littleEndian: true },
};

/**
 * Describes a file-backed `big.matrix` of R's bigmemory package from its descriptor file: an R expression (written by
 * `dput`) of an object `big.matrix.descriptor` whose slot `description` lists the name of the backing file, the shape, the
 * number type and, for a part of a matrix (`sub.big.matrix`), the offset and length of the part. The backing file contains
 * the numbers only, column after column; with `separated`, each column is a file `NAME_column_0`, `NAME_column_1`, …
 * The backing file is expected beside the descriptor, as in `attach.big.matrix`, wherever the directory was moved.
 *
 * @throws INVALID_FILE when the descriptor is damaged; UNSUPPORTED for shared memory, or one written in binary.
 */
export function readBigMatrixLayout(path: string, text: string): MatrixLayout {
  if (text.startsWith('\x1f')) {
    throw new SemanticIndexError('UNSUPPORTED', `Expected a text descriptor, got a binary one in ${path}`, {
      hint: 'Write it as text in R: `dput(describe(x), "NAME.desc")`.',
      details: { path },
    });
  }
  const descriptor = parseRExpression(path, text);
  const description = descriptor instanceof Map ? (descriptor.get('description') ?? descriptor) : null;
  if (!(description instanceof Map)) throw invalidFile(path, 'does not describe a big.matrix');
  if (description.get('sharedType') !== 'FileBacked') {
    throw new SemanticIndexError('UNSUPPORTED', `Expected a file-backed matrix, got one in shared memory in ${path}`, {
      details: { path },
    });
  }
  const filename = description.get('filename');
  if (typeof filename !== 'string' || filename === '' || filename === '..' || /[/\\\0]/.test(filename)) {
    throw invalidFile(path, 'does not name its backing file');
  }
  const type = description.get('type');
  const encoding = typeof type === 'string' && Object.hasOwn(types, type) ? types[type] : undefined;
  if (encoding === undefined) throw invalidFile(path, `declares the unknown type ${String(type).slice(0, 40)}`);
  const separated = description.get('separated');
  if (typeof separated !== 'boolean') throw invalidFile(path, 'does not say whether its columns are separated');

  const whole = (name: string, value: RValue | undefined = description.get(name)): number => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
      throw invalidFile(path, `lacks ${name}`);
    return value;
  };
  const offset = (name: string): number => {
    const value = description.get(name);
    return value === undefined || value === null ? 0 : whole(name, Array.isArray(value) ? value[0] : value);
  };
  const totalRows = whole('totalRows');
  const totalColumns = whole('totalCols');
  checkShape(path, totalRows, totalColumns, encoding.dtype);
  const rows = whole('nrow');
  const columns = whole('ncol');
  checkShape(path, rows, columns, encoding.dtype);
  const firstRow = offset('rowOffset');
  const firstColumn = offset('colOffset');
  if (firstRow + rows > totalRows || firstColumn + columns > totalColumns) {
    throw invalidFile(path, 'describes a part beyond the end of its matrix');
  }
  const backing = join(dirname(path), filename);
  return bigMatrix({ backing, encoding, separated, totalRows, firstRow, firstColumn, rows, columns });
}

interface BigMatrix {
  backing: string;
  encoding: Encoding;
  separated: boolean;
  totalRows: number;
  firstRow: number;
  firstColumn: number;
  rows: number;
  columns: number;
}

function bigMatrix(matrix: BigMatrix): MatrixLayout {
  const { backing, encoding, separated, totalRows, firstRow, firstColumn, rows, columns } = matrix;
  const size = dtypeSize[encoding.dtype];
  return {
    rows,
    columns,
    encoding,
    order: 'F',
    fileOf: separated ? (column) => `${backing}_column_${firstColumn + column}` : () => backing,
    separated,
    start: ((separated ? 0 : firstColumn * totalRows) + firstRow) * size,
    stride: totalRows * size,
    rowHeaders: false,
  };
}

/**
 * The layout and descriptor text of a new big.matrix: `NAME.desc` describes `NAME.bin`.
 *
 * @throws UNSUPPORTED for number types that bigmemory does not have.
 */
export function newBigMatrix(
  path: string,
  shape: { rows: number; columns: number; dtype: MatrixDtype; separated: boolean },
): { layout: MatrixLayout; descriptor: string } {
  const { rows, columns, dtype, separated } = shape;
  const type = Object.keys(types).find((name) => types[name]?.dtype === dtype);
  const encoding = type === undefined ? undefined : types[type];
  if (encoding === undefined) {
    throw new SemanticIndexError('UNSUPPORTED', `expected a number type of big.matrix, got ${dtype}`, {
      hint: `It stores ${Object.values(types)
        .map((one) => one.dtype)
        .join(', ')}.`,
    });
  }
  const filename = basename(path).replace(/\.desc$/i, '.bin');
  const descriptor = `new("big.matrix.descriptor", description = list(sharedType = "FileBacked",
    filename = ${quote(filename)}, dirname = "../", totalRows = ${rows},
    totalCols = ${columns}, rowOffset = c(0, ${rows}), colOffset = c(0,
    ${columns}), nrow = ${rows}, ncol = ${columns}, rowNames = NULL, colNames = NULL,
    type = "${type}", separated = ${separated ? 'TRUE' : 'FALSE'}))
`;
  const backing = join(dirname(path), filename);
  const whole = { firstRow: 0, firstColumn: 0, totalRows: rows, rows, columns };
  return { layout: bigMatrix({ backing, encoding, separated, ...whole }), descriptor };
}

/** A string literal of R. */
function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
