import type { NumberArray } from '../../types.js';
import { similarArray } from '../number-arrays.js';
import { decode, dtypeSize, type Encoding, encode, isMemoryOf } from './matrix-dtype.js';
import type { MatrixFiles } from './matrix-files.js';
import { invalidFile, type MatrixLayout } from './matrix-layout.js';

/** Bytes that one read or write moves at most, where the numbers follow each other. */
const pieceBytes = 1 << 20;

/** Columns that are transposed together: 16 numbers of four bytes fill a cache line of each row. */
const columnGroup = 16;

/** Bytes that one read or write of a column moves at most: 16 of them are as large as a piece. */
const segmentBytes = pieceBytes / columnGroup;

/** Reads `count` rows into `target`, row after row, holding no more than a few MiB besides it. */
export function readRows(
  layout: MatrixLayout,
  files: MatrixFiles,
  first: number,
  count: number,
  target: NumberArray,
): Promise<void> {
  if (layout.order === 'F') return readColumns(layout, files, first, count, target);
  return layout.rowHeaders
    ? readHeadedRows(layout, files, first, count, target)
    : readPlainRows(layout, files, first, count, target);
}

/** Writes `count` rows from `source`, row after row, holding no more than a few MiB besides it. */
export function writeRows(
  layout: MatrixLayout,
  files: MatrixFiles,
  first: number,
  count: number,
  source: NumberArray,
): Promise<void> {
  if (layout.order === 'F') return writeColumns(layout, files, first, count, source);
  return layout.rowHeaders
    ? writeHeadedRows(layout, files, first, count, source)
    : writePlainRows(layout, files, first, source);
}

function bytesOf(array: NumberArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

async function readPlainRows(
  layout: MatrixLayout,
  files: MatrixFiles,
  first: number,
  count: number,
  target: NumberArray,
): Promise<void> {
  const { encoding } = layout;
  const path = layout.fileOf(0);
  const position = layout.start + first * layout.stride;
  if (isMemoryOf(encoding, target)) {
    await files.read(path, position, bytesOf(target));
    return;
  }
  const size = dtypeSize[encoding.dtype];
  const total = count * layout.columns;
  const pieceLength = Math.min(total, pieceBytes / size);
  const scratch = new Uint8Array(pieceLength * size);
  for (let done = 0; done < total; done += pieceLength) {
    const length = Math.min(pieceLength, total - done);
    const bytes = scratch.subarray(0, length * size);
    await files.read(path, position + done * size, bytes);
    decode(encoding, bytes, target.subarray(done, done + length));
  }
}

async function writePlainRows(
  layout: MatrixLayout,
  files: MatrixFiles,
  first: number,
  source: NumberArray,
): Promise<void> {
  const { encoding } = layout;
  const path = layout.fileOf(0);
  const position = layout.start + first * layout.stride;
  if (isMemoryOf(encoding, source)) {
    await files.write(path, position, bytesOf(source));
    return;
  }
  const size = dtypeSize[encoding.dtype];
  const pieceLength = Math.min(source.length, pieceBytes / size);
  const scratch = new Uint8Array(pieceLength * size);
  for (let done = 0; done < source.length; done += pieceLength) {
    const part = source.subarray(done, done + pieceLength);
    const bytes = scratch.subarray(0, part.length * size);
    encode(encoding, part, bytes);
    await files.write(path, position + done * size, bytes);
  }
}

async function readHeadedRows(
  layout: MatrixLayout,
  files: MatrixFiles,
  first: number,
  count: number,
  target: NumberArray,
): Promise<void> {
  const { columns, stride, encoding } = layout;
  const path = layout.fileOf(0);
  const pieceRows = Math.min(count, Math.max(1, Math.floor(pieceBytes / stride)));
  const scratch = new Uint8Array(pieceRows * stride);
  const view = new DataView(scratch.buffer);
  for (let done = 0; done < count; done += pieceRows) {
    const rows = Math.min(pieceRows, count - done);
    await files.read(path, (first + done) * stride, scratch.subarray(0, rows * stride));
    for (let row = 0; row < rows; row++) {
      const length = view.getInt32(row * stride, true);
      if (length !== columns) {
        throw invalidFile(path, `declares ${length} numbers in row ${first + done + row} and ${columns} in row 0`);
      }
      const numbers = scratch.subarray(row * stride + 4, (row + 1) * stride);
      decode(encoding, numbers, target.subarray((done + row) * columns, (done + row + 1) * columns));
    }
  }
}

async function writeHeadedRows(
  layout: MatrixLayout,
  files: MatrixFiles,
  first: number,
  count: number,
  source: NumberArray,
): Promise<void> {
  const { columns, stride, encoding } = layout;
  const pieceRows = Math.min(count, Math.max(1, Math.floor(pieceBytes / stride)));
  const scratch = new Uint8Array(pieceRows * stride);
  const view = new DataView(scratch.buffer);
  for (let row = 0; row < pieceRows; row++) view.setInt32(row * stride, columns, true);
  for (let done = 0; done < count; done += pieceRows) {
    const rows = Math.min(pieceRows, count - done);
    for (let row = 0; row < rows; row++) {
      const numbers = scratch.subarray(row * stride + 4, (row + 1) * stride);
      encode(encoding, source.subarray((done + row) * columns, (done + row + 1) * columns), numbers);
    }
    await files.write(layout.fileOf(0), (first + done) * stride, scratch.subarray(0, rows * stride));
  }
}

/** The part of some neighbouring columns that is moved at once: where it lies on disk and in memory. */
interface Tile {
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
}

/** Cuts rows into tiles whose columns are read in one go each, so that memory is bounded whatever the shape. */
function* tilesOf(layout: MatrixLayout, count: number): Generator<Tile> {
  const segmentRows = segmentBytes / dtypeSize[layout.encoding.dtype];
  for (let row = 0; row < count; row += segmentRows) {
    for (let column = 0; column < layout.columns; column += columnGroup) {
      yield {
        row,
        rows: Math.min(segmentRows, count - row),
        column,
        columns: Math.min(columnGroup, layout.columns - column),
      };
    }
  }
}

/** Moves a tile's columns between disk and `scratch`, where they lie one after the other. */
async function moveTile(
  layout: MatrixLayout,
  tile: Tile,
  first: number,
  scratch: Uint8Array,
  move: (path: string, position: number, bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const size = dtypeSize[layout.encoding.dtype];
  const segment = tile.rows * size;
  const position = layout.start + (first + tile.row) * size;
  const moves = Array.from({ length: tile.columns }, (_, index) => {
    const column = tile.column + index;
    const columnPosition = position + (layout.separated ? 0 : column * layout.stride);
    return move(layout.fileOf(column), columnPosition, scratch.subarray(index * segment, (index + 1) * segment));
  });
  // All have ended before the scratch memory is used again, also when one fails.
  const failed = (await Promise.allSettled(moves)).find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function readColumns(
  layout: MatrixLayout,
  files: MatrixFiles,
  first: number,
  count: number,
  target: NumberArray,
): Promise<void> {
  const scratch = scratchFor(layout, count);
  const numbers = similarArray(target, scratch.length / dtypeSize[layout.encoding.dtype]);
  for (const tile of tilesOf(layout, count)) {
    await moveTile(layout, tile, first, scratch, (path, position, bytes) => files.read(path, position, bytes));
    decodeTile(layout.encoding, scratch, numbers, tile);
    for (let row = 0; row < tile.rows; row++) {
      const start = (tile.row + row) * layout.columns + tile.column;
      for (let column = 0; column < tile.columns; column++) {
        target[start + column] = numbers[column * tile.rows + row] as number;
      }
    }
  }
}

async function writeColumns(
  layout: MatrixLayout,
  files: MatrixFiles,
  first: number,
  count: number,
  source: NumberArray,
): Promise<void> {
  const scratch = scratchFor(layout, count);
  const size = dtypeSize[layout.encoding.dtype];
  const numbers = similarArray(source, scratch.length / size);
  for (const tile of tilesOf(layout, count)) {
    for (let row = 0; row < tile.rows; row++) {
      const start = (tile.row + row) * layout.columns + tile.column;
      for (let column = 0; column < tile.columns; column++) {
        numbers[column * tile.rows + row] = source[start + column] as number;
      }
    }
    const length = tile.rows * tile.columns;
    encode(layout.encoding, numbers.subarray(0, length), scratch.subarray(0, length * size));
    await moveTile(layout, tile, first, scratch, (path, position, bytes) => files.write(path, position, bytes));
  }
}

function scratchFor(layout: MatrixLayout, count: number): Uint8Array {
  const size = dtypeSize[layout.encoding.dtype];
  return new Uint8Array(Math.min(count, segmentBytes / size) * Math.min(layout.columns, columnGroup) * size);
}

function decodeTile(encoding: Encoding, scratch: Uint8Array, numbers: NumberArray, tile: Tile): void {
  const length = tile.rows * tile.columns;
  decode(encoding, scratch.subarray(0, length * dtypeSize[encoding.dtype]), numbers.subarray(0, length));
}
