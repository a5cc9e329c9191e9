import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { SemanticIndexError } from '../../errors.js';
import type { ResolvedMatrixCreateOptions } from '../../options.js';
import type { MatrixDtype } from '../../types.js';
import { newBigMatrix, readBigMatrixLayout } from './big-matrix-format.js';
import { dtypeSize } from './matrix-dtype.js';
import { flushFolder, ioError, type MatrixFiles } from './matrix-files.js';
import { checkShape, invalidFile, type MatrixLayout, requiredBytes } from './matrix-layout.js';
import { newNpyMatrix, readNpyLayout } from './npy-format.js';
import { readVecsLayout, vecsDtypes, vecsMatrix } from './vecs-format.js';

/** Maximum bytes of a descriptor: allows the names of millions of rows. */
const maxDescriptor = 64 << 20;

/**
 * Reads the layout of the matrix at `path`, whose extension names the format, and checks the size of its files.
 *
 * @throws IO when a file is missing or not a regular file; INVALID_FILE when it is damaged or too short; UNSUPPORTED for a
 * format other than .npy, .fvecs, .ivecs, .bvecs and .desc.
 */
export async function readLayout(path: string, files: MatrixFiles): Promise<MatrixLayout> {
  const size = await fileSize(path);
  const read = async (position: number, length: number) => {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, size - position)));
    await files.read(path, position, bytes);
    return bytes;
  };
  const ending = extname(path).toLowerCase();
  const vecsDtype = vecsDtypes[ending];
  let layout: MatrixLayout;
  if (ending === '.npy') layout = await readNpyLayout(path, read);
  else if (vecsDtype !== undefined) layout = await readVecsLayout(path, vecsDtype, size, read);
  else if (ending === '.desc') layout = await readDescriptor(path, size);
  else throw unknownFormat(path);

  const required = requiredBytes(layout);
  for (let column = 0; column < (layout.separated ? layout.columns : 1); column++) {
    const file = layout.fileOf(column);
    const bytes = file === path ? size : await fileSize(file);
    if (bytes < required) throw invalidFile(file, `has ${bytes} bytes, expected at least ${required} for its matrix`);
  }
  return layout;
}

async function readDescriptor(path: string, size: number): Promise<MatrixLayout> {
  if (size > maxDescriptor) throw invalidFile(path, `is too long for a descriptor: ${size} bytes`);
  const text = await readFile(path, 'utf8').catch((error) => {
    throw ioError(path, 'read', error);
  });
  return readBigMatrixLayout(path, text);
}

async function fileSize(path: string): Promise<number> {
  const status = await stat(path).catch((error) => {
    throw ioError(path, 'open', error);
  });
  if (!status.isFile()) {
    throw new SemanticIndexError('IO', `cannot open ${path}: it is not a file`, { details: { path } });
  }
  return status.size;
}

function unknownFormat(path: string): SemanticIndexError {
  return new SemanticIndexError('UNSUPPORTED', `Expected a matrix file of a supported format, got ${path}`, {
    hint: 'Supported: .npy, .fvecs, .ivecs, .bvecs, and .desc, the descriptor of a big.matrix (pass it, not its .bin file).',
    details: { path },
  });
}

/** Options of `VectorMatrix.create` with a known shape. */
type NewMatrix = ResolvedMatrixCreateOptions & { readonly rows: number; readonly columns: number };

/**
 * Creates the file or files of a matrix of zeros: writes the header, and extends the file without writing the rest.
 *
 * @throws INVALID_ARGUMENT for a shape or type that the format cannot have, or when a file exists and `overwrite` is not
 * set; UNSUPPORTED for an unknown format; IO.
 */
export async function createMatrix(path: string, matrix: NewMatrix): Promise<void> {
  const ending = extname(path).toLowerCase();
  const order = matrix.order ?? (ending === '.desc' ? 'F' : 'C');
  const dtype: MatrixDtype = matrix.dtype ?? vecsDtypes[ending] ?? 'f4';
  const { rows, columns, separated, overwrite } = matrix;
  const refuse = (what: string) => new SemanticIndexError('INVALID_ARGUMENT', `VectorMatrix.create: ${what}`);
  if (!Object.hasOwn(dtypeSize, dtype))
    throw refuse(`expected dtype as one of ${Object.keys(dtypeSize).join(', ')}, got ${JSON.stringify(dtype)}`);
  if (order !== 'C' && order !== 'F') throw refuse(`expected order "C" or "F", got ${JSON.stringify(order)}`);
  try {
    checkShape(path, rows, columns, dtype);
  } catch (cause) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `VectorMatrix.create: expected a valid shape, got ${rows} rows by ${columns} columns`,
      {
        hint: 'rows must be an integer of 0 or more, columns an integer of 1 or more.',
        cause,
      },
    );
  }
  if (separated && ending !== '.desc') throw refuse('only a .desc matrix can have separated columns');

  if (ending === '.npy') {
    const { layout, header } = newNpyMatrix(path, { rows, columns, dtype, order });
    await createFile(path, overwrite, async (file) => {
      await file.write(header, 0, header.length, 0);
      await file.truncate(requiredBytes(layout));
    });
  } else if (vecsDtypes[ending] !== undefined) {
    if (dtype !== vecsDtypes[ending] || order !== 'C')
      throw refuse(`${ending} holds ${vecsDtypes[ending]} in order C only`);
    await createFile(path, overwrite, (file) => writeEmptyRows(file, vecsMatrix(path, { rows, columns, dtype })));
  } else if (ending === '.desc') {
    if (order !== 'F') throw refuse('.desc matrices are stored in order F only');
    if (rows === 0) throw refuse('a big.matrix has at least one row');
    const { layout, descriptor } = newBigMatrix(path, { rows, columns, dtype, separated });
    for (let column = 0; column < (separated ? columns : 1); column++) {
      await createFile(layout.fileOf(column), overwrite, (file) => file.truncate(requiredBytes(layout)));
    }
    await createFile(path, overwrite, async (file) => {
      await file.writeFile(descriptor);
    });
  } else throw unknownFormat(path);
  await flushFolder(path).catch((error) => {
    throw ioError(path, 'create', error);
  });
}

async function createFile(path: string, overwrite: boolean, fill: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    // Replaced instead of truncated: a process with the old file open or mapped keeps its bytes.
    const target = overwrite ? `${path}.${randomUUID()}.tmp` : path;
    const file = await open(target, 'wx');
    try {
      try {
        await fill(file);
        await file.sync();
      } finally {
        await file.close();
      }
      if (overwrite) await rename(target, path);
    } catch (error) {
      await rm(target, { force: true });
      throw error;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new SemanticIndexError('INVALID_ARGUMENT', `VectorMatrix.create: ${path} already exists`, {
        hint: 'Pass `overwrite: true` to replace it, or open it with `writable: true`.',
        cause: error,
        details: { path },
      });
    }
    throw ioError(path, 'create', error);
  }
}

/** Writes rows of zeros, each preceded by its length. */
async function writeEmptyRows(file: FileHandle, layout: MatrixLayout): Promise<void> {
  const { rows, columns, stride } = layout;
  const pieceRows = Math.min(rows, Math.max(1, Math.floor((1 << 20) / stride)));
  const piece = Buffer.alloc(pieceRows * stride);
  for (let row = 0; row < pieceRows; row++) piece.writeInt32LE(columns, row * stride);
  for (let row = 0; row < rows; row += pieceRows) {
    const length = Math.min(pieceRows, rows - row) * stride;
    for (let done = 0; done < length; ) {
      done += (await file.write(piece, done, length - done, row * stride + done)).bytesWritten;
    }
  }
}
