import { SemanticIndexError } from '../../errors.js';
import type { MatrixDtype, MatrixOrder } from '../../types.js';
import { dtypeSize } from './matrix-dtype.js';
import { checkShape, invalidFile, type MatrixLayout } from './matrix-layout.js';

/** First bytes of every .npy file: 0x93 and "NUMPY". */
export const npyMagic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);

/** Maximum bytes of a header: bounds the memory that a false length costs. */
const maxHeader = 1 << 20;

/** Reads up to `length` bytes at `position`; fewer when the file ends. */
export type ReadBytes = (position: number, length: number) => Promise<Uint8Array>;

/**
 * Reads the header of a NumPy file, format versions 1 to 3, as specified by `numpy.lib.format`
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): magic, version, header length, and a Python
 * dictionary literal with `descr`, `fortran_order` and `shape`. A small parser reads strings, integers, booleans and tuples of
 * the literal; nothing is evaluated.
 *
 * @throws INVALID_FILE when the header is damaged; UNSUPPORTED when it does not describe a matrix of numbers.
 */
export async function readNpyLayout(path: string, read: ReadBytes): Promise<MatrixLayout> {
  const preamble = await read(0, 12);
  if (preamble.length < 10 || npyMagic.some((byte, index) => preamble[index] !== byte)) {
    throw invalidFile(path, 'does not start with the magic bytes of a NumPy file');
  }
  const version = preamble[6] as number;
  if (version < 1 || version > 3) throw invalidFile(path, `has the unknown NumPy format version ${version}`);
  const headerStart = version === 1 ? 10 : 12;
  if (preamble.length < headerStart) throw invalidFile(path, 'ends inside its header');
  const view = new DataView(preamble.buffer, preamble.byteOffset, preamble.byteLength);
  const headerLength = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerLength > maxHeader) throw invalidFile(path, `declares a header of ${headerLength} bytes`);
  const header = await read(headerStart, headerLength);
  if (header.length < headerLength) throw invalidFile(path, 'ends inside its header');
  const text = Buffer.from(header.buffer, header.byteOffset, header.byteLength).toString(
    version === 3 ? 'utf8' : 'latin1',
  );
  return npyLayout(path, parseHeader(path, text), headerStart + headerLength);
}

function npyLayout(path: string, header: ReadonlyMap<string, Literal>, start: number): MatrixLayout {
  const { dtype, littleEndian } = parseDescription(path, header.get('descr'));
  const shape = header.get('shape');
  const fortran = header.get('fortran_order');
  if (typeof fortran !== 'boolean' || !Array.isArray(shape))
    throw invalidFile(path, 'has a NumPy header without shape or order');
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows === undefined || columns === undefined) {
    throw new SemanticIndexError(
      'UNSUPPORTED',
      `Expected a two-dimensional array, got ${shape.length} dimensions in ${path}`,
      {
        hint: 'Store it with two dimensions, one vector a row: `numpy.save(path, array.reshape(rows, columns))`.',
        details: { path, shape },
      },
    );
  }
  checkShape(path, rows, columns, dtype);
  const order: MatrixOrder = fortran ? 'F' : 'C';
  return npyMatrix(path, { rows, columns, dtype, order, littleEndian, start });
}

interface NpyMatrix {
  rows: number;
  columns: number;
  dtype: MatrixDtype;
  order: MatrixOrder;
  littleEndian: boolean;
  start: number;
}

function npyMatrix(path: string, { rows, columns, dtype, order, littleEndian, start }: NpyMatrix): MatrixLayout {
  return {
    rows,
    columns,
    encoding: { dtype, littleEndian },
    order,
    fileOf: () => path,
    separated: false,
    start,
    stride: (order === 'C' ? columns : rows) * dtypeSize[dtype],
    rowHeaders: false,
  };
}

/** Layout and header of a new NumPy file: version 1.0, little-endian, data aligned to 64 bytes. */
export function newNpyMatrix(
  path: string,
  shape: { rows: number; columns: number; dtype: MatrixDtype; order: MatrixOrder },
): { layout: MatrixLayout; header: Uint8Array } {
  const { rows, columns, dtype, order } = shape;
  const description = `${dtypeSize[dtype] === 1 ? '|' : '<'}${dtype}`;
  const fortran = order === 'F' ? 'True' : 'False';
  const dictionary = `{'descr': '${description}', 'fortran_order': ${fortran}, 'shape': (${rows}, ${columns}), }`;
  const start = Math.ceil((10 + dictionary.length + 1) / 64) * 64;
  const header = Buffer.alloc(start, ' ');
  header.set(npyMagic, 0);
  header.set([1, 0], 6);
  header.writeUInt16LE(start - 10, 8);
  header.write(dictionary, 10, 'latin1');
  header[start - 1] = 0x0a;
  return { layout: npyMatrix(path, { rows, columns, dtype, order, littleEndian: true, start }), header };
}

function parseDescription(
  path: string,
  description: Literal | undefined,
): { dtype: MatrixDtype; littleEndian: boolean } {
  if (typeof description !== 'string') throw invalidFile(path, 'has a NumPy header without a number type');
  const [, byteOrder = '', dtype = ''] = /^([<>|=])?(.*)$/s.exec(description) ?? [];
  if (!Object.hasOwn(dtypeSize, dtype)) {
    throw new SemanticIndexError(
      'UNSUPPORTED',
      `Expected a supported number type, got the NumPy type ${JSON.stringify(description.slice(0, 40))} in ${path}`,
      {
        hint: `Convert it first, as in \`array.astype('f4')\`. Supported: ${Object.keys(dtypeSize).join(', ')}.`,
        details: { path, description },
      },
    );
  }
  const known = dtype as MatrixDtype;
  if (dtypeSize[known] > 1 && byteOrder !== '<' && byteOrder !== '>') {
    throw invalidFile(path, 'has a NumPy header that does not state the byte order');
  }
  return { dtype: known, littleEndian: byteOrder !== '>' };
}

type Literal = string | boolean | number[];

/** A token of the header: a string, a word, an integer, or a punctuation character. */
const tokenPattern = /\s*(?:'([^'\\\n]*)'|"([^"\\\n]*)"|([A-Za-z_]+)|([0-9]+)[Ll]?|([{}()[\],:]))/y;

function parseHeader(path: string, text: string): Map<string, Literal> {
  let position = 0;
  const damaged = () => invalidFile(path, 'has a NumPy header that cannot be read');
  const next = (): { string?: string; word?: string; number?: number; sign?: string } => {
    tokenPattern.lastIndex = position;
    const match = tokenPattern.exec(text);
    if (match === null) throw damaged();
    position = tokenPattern.lastIndex;
    const [, single, double, word, digits, sign] = match;
    if (word !== undefined) return { word };
    if (digits !== undefined) return { number: digits.length > 16 ? Number.POSITIVE_INFINITY : Number(digits) };
    return sign !== undefined ? { sign } : { string: single ?? double ?? '' };
  };
  const tuple = (): number[] => {
    const items: number[] = [];
    for (;;) {
      let token = next();
      if (token.sign === ')') return items;
      if (token.number === undefined || items.length === 32) throw damaged();
      items.push(token.number);
      token = next();
      if (token.sign === ')') return items;
      if (token.sign !== ',') throw damaged();
    }
  };
  const value = (): Literal => {
    const token = next();
    if (token.string !== undefined) return token.string;
    if (token.word === 'True' || token.word === 'False') return token.word === 'True';
    if (token.sign === '(') return tuple();
    if (token.sign === '[') {
      throw new SemanticIndexError(
        'UNSUPPORTED',
        `Expected a matrix of numbers, got a structured NumPy array in ${path}`,
        {
          details: { path },
        },
      );
    }
    throw damaged();
  };
  const entries = new Map<string, Literal>();
  if (next().sign !== '{') throw damaged();
  for (let token = next(); token.sign !== '}'; token = next()) {
    if (token.string === undefined || entries.has(token.string) || next().sign !== ':') throw damaged();
    entries.set(token.string, value());
    const separator = next();
    if (separator.sign === '}') break;
    if (separator.sign !== ',') throw damaged();
  }
  if (text.slice(position).trim() !== '') throw damaged();
  return entries;
}
