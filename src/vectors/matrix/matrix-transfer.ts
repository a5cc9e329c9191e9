import type { NumberArray } from '../../types.js';
import { similarArray } from '../number-arrays.js';
import { decode, dtypeSize, encode, isMemoryOf } from './matrix-dtype.js';
import type { MatrixFiles } from './matrix-files.js';
import { invalidFile, type MatrixLayout } from './matrix-layout.js';

/** Maximum bytes of one read or write of contiguous numbers. */
const pieceBytes = 1 << 20;

/** Columns that are transposed together: 16 numbers of four bytes fill a cache line of each row. */
const columnGroup = 16;

/** Maximum bytes of one read or write of a column: 16 of them are as large as a piece. */
const segmentBytes = pieceBytes / columnGroup;

/** Rows `first` to `first + count` of a matrix, and the array that they are read into or written from. */
interface Transfer {
  readonly action: 'read' | 'write';
  readonly layout: MatrixLayout;
  readonly first: number;
  readonly count: number;
  readonly numbers: NumberArray;
  readonly files: MatrixFiles;
}

/** Reads `count` rows into `target`, row after row. Buffers at most a few MiB. */
export function readRows(
  layout: MatrixLayout,
  files: MatrixFiles,
  first: number,
  count: number,
  target: NumberArray,
): Promise<void> {
  return transferRows({ action: 'read', layout, files, first, count, numbers: target });
}

/** Writes `count` rows from `source`, row after row. Buffers at most a few MiB. */
export function writeRows(
  layout: MatrixLayout,
  files: MatrixFiles,
  first: number,
  count: number,
  source: NumberArray,
): Promise<void> {
  return transferRows({ action: 'write', layout, files, first, count, numbers: source });
}

function transferRows(transfer: Transfer): Promise<void> {
  if (transfer.layout.order === 'F') return transferColumns(transfer);
  return transfer.layout.rowHeaders ? transferHeadedRows(transfer) : transferPlainRows(transfer);
}

/** Moves bytes between memory and disk: a read converts them afterwards, a write before. */
async function move({ action }: Transfer, convert: () => void, transferBytes: () => Promise<void>): Promise<void> {
  if (action === 'write') convert();
  await transferBytes();
  if (action === 'read') convert();
}

function convert({ action, layout }: Transfer, bytes: Uint8Array, numbers: NumberArray): void {
  if (action === 'read') decode(layout.encoding, bytes, numbers);
  else encode(layout.encoding, numbers, bytes);
}

async function transferPlainRows(transfer: Transfer): Promise<void> {
  const { action, layout, files, first, count, numbers } = transfer;
  const path = layout.fileOf(0);
  const position = layout.start + first * layout.stride;
  if (isMemoryOf(layout.encoding, numbers)) {
    await files[action](path, position, new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
    return;
  }
  const size = dtypeSize[layout.encoding.dtype];
  const total = count * layout.columns;
  const pieceLength = Math.min(total, pieceBytes / size);
  const scratch = new Uint8Array(pieceLength * size);
  for (let done = 0; done < total; done += pieceLength) {
    const part = numbers.subarray(done, Math.min(done + pieceLength, total));
    const bytes = scratch.subarray(0, part.length * size);
    await move(
      transfer,
      () => convert(transfer, bytes, part),
      () => files[action](path, position + done * size, bytes),
    );
  }
}

/** Rows that each follow their length. */
async function transferHeadedRows(transfer: Transfer): Promise<void> {
  const { action, layout, files, first, count, numbers } = transfer;
  const { columns, stride } = layout;
  const path = layout.fileOf(0);
  const pieceRows = Math.min(count, Math.max(1, Math.floor(pieceBytes / stride)));
  const scratch = new Uint8Array(pieceRows * stride);
  const view = new DataView(scratch.buffer);
  const convertRow = (row: number, done: number): void => {
    if (action === 'write') view.setInt32(row * stride, columns, true);
    const length = view.getInt32(row * stride, true);
    if (length !== columns) {
      throw invalidFile(path, `declares ${length} numbers in row ${first + done + row} and ${columns} in row 0`);
    }
    const bytes = scratch.subarray(row * stride + 4, (row + 1) * stride);
    convert(transfer, bytes, numbers.subarray((done + row) * columns, (done + row + 1) * columns));
  };
  for (let done = 0; done < count; done += pieceRows) {
    const rows = Math.min(pieceRows, count - done);
    await move(
      transfer,
      () => {
        for (let row = 0; row < rows; row++) convertRow(row, done);
      },
      () => files[action](path, (first + done) * stride, scratch.subarray(0, rows * stride)),
    );
  }
}

async function transferColumns(transfer: Transfer): Promise<void> {
  const { action, layout, count, numbers } = transfer;
  const size = dtypeSize[layout.encoding.dtype];
  const scratch = new Uint8Array(Math.min(count, segmentBytes / size) * Math.min(layout.columns, columnGroup) * size);
  const transposed = similarArray(numbers, scratch.length / size);
  for (const tile of tilesOf(layout, count)) {
    const length = tile.rows * tile.columns;
    const convertTile = (): void => {
      const columns = transposed.subarray(0, length);
      if (action === 'write') transpose(tile, layout.columns, numbers, columns, action);
      convert(transfer, scratch.subarray(0, length * size), columns);
      if (action === 'read') transpose(tile, layout.columns, numbers, columns, action);
    };
    await move(transfer, convertTile, () => transferTile(transfer, tile, scratch));
  }
}

/** A block of adjacent columns that is moved at once. */
interface Tile {
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
}

/** Cuts rows into tiles, so that memory is bounded whatever the shape. */
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

/** Copies a tile between `rows`, in rows of `width` numbers, and `columns`, where its columns are contiguous. */
function transpose(tile: Tile, width: number, rows: NumberArray, columns: NumberArray, action: 'read' | 'write'): void {
  for (let row = 0; row < tile.rows; row++) {
    const start = (tile.row + row) * width + tile.column;
    for (let column = 0; column < tile.columns; column++) {
      const place = column * tile.rows + row;
      if (action === 'read') rows[start + column] = columns[place] as number;
      else columns[place] = rows[start + column] as number;
    }
  }
}

/** Moves the columns of a tile between disk and `scratch`, where they are contiguous. */
async function transferTile(transfer: Transfer, tile: Tile, scratch: Uint8Array): Promise<void> {
  const { action, layout, files, first } = transfer;
  const size = dtypeSize[layout.encoding.dtype];
  const segment = tile.rows * size;
  const position = layout.start + (first + tile.row) * size;
  const moves = Array.from({ length: tile.columns }, (_, index) => {
    const column = tile.column + index;
    const columnPosition = position + (layout.separated ? 0 : column * layout.stride);
    const bytes = scratch.subarray(index * segment, (index + 1) * segment);
    return files[action](layout.fileOf(column), columnPosition, bytes);
  });
  // All must end before the scratch memory is used again, also when one fails.
  const failed = (await Promise.allSettled(moves)).find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
