import { realpath, stat } from 'node:fs/promises';
import { SemanticIndexError } from '../../errors.js';
import {
  type AnnoyBatchOptions,
  describe,
  type MatrixAddOptions,
  matrixAddDefaults,
  resolveOptions,
} from '../../options.js';
import type { MatrixDtype } from '../../types.js';
import { excludeSelf } from '../exclude-self.js';
import { checkPath } from '../vector-arguments.js';
import { allocateNeighborRows, checkResultSize, type NeighborRows } from '../vector-buffer.js';
import { type MatrixSearchOptions, matrixSearchDefaults } from './matrix-options.js';
import { VectorMatrix } from './vector-matrix.js';

/** A matrix, or the path of one: of the file itself, or of a big.matrix's descriptor. */
export type MatrixSource = VectorMatrix | string | URL;

/** Options for a search that writes its results to files. */
export type StreamingOptions = MatrixSearchOptions & { neighbors: MatrixSource };

/** An index that rows can be added to. */
export interface RowsTaker {
  readonly f: number;
  getNItems(): number;
  addItem(item: number, vector: Float32Array): unknown;
  addItems(rows: Float32Array, first?: number): unknown;
}

/** An index with batch search. */
export interface RowsSearcher {
  readonly f: number;
  getNItems(): number;
  getNnsByVectors(queries: Float32Array, n: number, options?: AnnoyBatchOptions): Promise<NeighborRows>;
}

/** Whether a value is a matrix or the path of one. */
export function isMatrixSource(value: unknown): value is MatrixSource {
  return typeof value === 'string' || value instanceof VectorMatrix || value instanceof URL;
}

/** Pending additions of matrices to each index: their number, and the promise of the last one. */
const additions = new WeakMap<RowsTaker, { count: number; last: Promise<unknown> }>();

/**
 * Refuses a build, and rows without an explicit first item, while the rows of a matrix are being added.
 *
 * @throws BUSY
 */
export function expectNoAddition(index: RowsTaker, method: string): void {
  if (!additions.has(index)) return;
  throw new SemanticIndexError('BUSY', `${method}: the rows of a matrix are being added`, {
    hint: 'Await the promise of addItems first, or pass the number of the first item.',
  });
}

/**
 * Adds every row of a matrix to an index, one block of rows in memory at a time. Returns the number after the last item.
 * Without `first`, concurrent calls run in order, each after the rows of the call before. After a failure or abort, the blocks
 * added before remain.
 *
 * @throws DIMENSION_MISMATCH when the matrix has other dimensions than the index, before any row is added; as
 * `VectorMatrix.open`, `VectorMatrix.blocks` and the index's `addItems`.
 */
export async function addMatrix(index: RowsTaker, source: MatrixSource, options?: MatrixAddOptions): Promise<number> {
  const given = resolveOptions('addItems', options, matrixAddDefaults);
  const before = additions.get(index);
  const add = () => addRows(index, source, given);
  const adding = given.first === undefined && before !== undefined ? before.last.then(add) : add();
  const last = Promise.allSettled([before?.last, adding]);
  additions.set(index, { count: (before?.count ?? 0) + 1, last });
  try {
    return await adding;
  } finally {
    const now = additions.get(index);
    if (now !== undefined && now.count > 1) additions.set(index, { ...now, count: now.count - 1 });
    else additions.delete(index);
  }
}

async function addRows(
  index: RowsTaker,
  source: MatrixSource,
  { first, blockRows, signal, onProgress }: MatrixAddOptions,
): Promise<number> {
  return withMatrix(source, false, async (matrix) => {
    checkColumns('addItems', matrix, index.f);
    const start = first ?? index.getNItems();
    for await (const block of matrix.blocks({ blockRows, signal, reuse: true })) {
      // The first vector sets the dimensions of an index that has none.
      if (index.f === 0) index.addItem(start, block.values.subarray(0, matrix.columns));
      index.addItems(block.values, start + block.first);
      onProgress?.({ stage: 'add', done: block.first + block.count, total: matrix.rows });
    }
    return start + matrix.rows;
  });
}

/**
 * Searches an index with every row of a matrix; row i of the results belongs to query i, nearest first. Without `neighbors`,
 * returns the results. With `neighbors`, writes them to files and resolves to the number of queries when they are on the disk.
 * Memory is bounded by a block of queries; the next block is read while one is searched. After a failure or abort, the rows of
 * completed blocks are written, and the other rows of outputs created here hold -1 and NaN. Closes the outputs that it opened.
 *
 * @throws INVALID_ARGUMENT when an output is also an input, or `distances` is passed without `neighbors`;
 * DIMENSION_MISMATCH when queries or outputs are of another shape; READ_ONLY for outputs that cannot be written; as the
 * index's `getNnsByVectors` and VectorMatrix. All shapes are checked before the first search.
 */
export async function searchMatrix(
  index: RowsSearcher,
  queries: MatrixSource,
  n: number,
  options?: MatrixSearchOptions,
): Promise<NeighborRows | number> {
  const { neighbors, distances, ...search } = resolveOptions('getNnsByVectors', options, matrixSearchDefaults);
  if (!Number.isSafeInteger(n) || n < 1) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `getNnsByVectors: expected n as a positive integer, got ${describe(n)}`,
    );
  }
  if (neighbors === undefined && distances !== undefined) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      'getNnsByVectors: expected `neighbors` with `distances`, got `distances` alone',
    );
  }
  await checkDistinct([queries, neighbors, distances].filter((source) => source !== undefined));

  return withMatrix(queries, false, async (input) => {
    checkColumns('getNnsByVectors', input, index.f);
    const items = index.getNItems();
    // With files the results of one query at least are in memory at a time.
    checkResultSize('getNnsByVectors', Math.min(input.rows, 1), n, items);
    if (neighbors === undefined) {
      const all = allocateNeighborRows('getNnsByVectors', input.rows, n, items);
      await searchBlocks(index, input, n, search, async (first, found) => {
        all.items.set(found.items, first * n);
        all.distances.set(found.distances, first * n);
      });
      return all;
    }
    const shape = { rows: input.rows, columns: n };
    return withOutput('neighbors', neighbors, shape, ['i4', 'i8', 'f8'], async (items) =>
      withOutput('distances', distances, shape, ['f4', 'f8'], async (lengths) => {
        await expectOwnFiles([input, items, lengths]);
        await searchBlocks(index, input, n, search, async (first, found) => {
          await items?.setRows(first, found.items);
          await lengths?.setRows(first, found.distances);
        });
        await items?.flush();
        await lengths?.flush();
        return input.rows;
      }),
    );
  });
}

/** Searches block by block and passes the results to `take`, in order. */
async function searchBlocks(
  index: RowsSearcher,
  input: VectorMatrix,
  n: number,
  options: AnnoyBatchOptions & { blockRows: number | undefined },
  take: (first: number, found: NeighborRows) => Promise<void>,
): Promise<void> {
  const { blockRows, signal, onProgress, ...search } = options;
  const answers = Math.max(1, Math.floor((4 << 20) / (8 * n)));
  const blocks = input.blocks({ blockRows: blockRows ?? Math.min(input.defaultBlockRows, answers, 4096), signal });
  try {
    let reading = blocks.next();
    for (let block = await reading; !block.done; block = await reading) {
      reading = blocks.next();
      // Awaited in the next round; until then a failure must not count as unhandled.
      reading.catch(() => {});
      const { first, count, values } = block.value;
      const found = await index
        .getNnsByVectors(values, search.excludeSelf ? n + 1 : n, { ...search, excludeSelf: false, signal })
        .catch((error: unknown) => {
          throw ofWholeMatrix(error, first);
        });
      await take(first, search.excludeSelf ? excludeSelf(found, n, first) : found);
      onProgress?.({ stage: 'search', done: first + count, total: input.rows });
    }
  } finally {
    await blocks.return();
  }
}

/** Opens a path during `use`; a matrix is passed through and stays open. */
async function withMatrix<T>(
  source: MatrixSource,
  writable: boolean,
  use: (matrix: VectorMatrix) => Promise<T>,
): Promise<T> {
  if (source instanceof VectorMatrix) return use(source);
  await using matrix = await VectorMatrix.open(source, { writable });
  return await use(matrix);
}

async function withOutput<T>(
  name: string,
  target: MatrixSource | undefined,
  shape: { rows: number; columns: number },
  dtypes: readonly MatrixDtype[],
  use: (matrix: VectorMatrix | undefined) => Promise<T>,
): Promise<T> {
  if (target === undefined) return use(undefined);
  if (!(target instanceof VectorMatrix) && !(await exists(target))) {
    await using created = await VectorMatrix.create(target, { ...shape, dtype: dtypes[0] });
    // A row that a failed search did not reach must not look like a result: item 0 at distance 0.
    await fillWithNothing(created, dtypes[0] === 'i4' ? -1 : Number.NaN);
    return await use(created);
  }
  return withMatrix(target, true, async (matrix) => {
    const wanted = `${shape.rows} rows by ${shape.columns} columns of ${dtypes.join(' or ')}`;
    if (matrix.rows !== shape.rows || matrix.columns !== shape.columns || !dtypes.includes(matrix.dtype)) {
      throw new SemanticIndexError(
        'DIMENSION_MISMATCH',
        `${name}: expected ${wanted}, got ${matrix.rows} by ${matrix.columns} of ${matrix.dtype} in ${matrix.path}`,
        {
          hint: 'Create it in that shape, or pass a path where no file exists.',
          details: { path: matrix.path, ...shape },
        },
      );
    }
    if (!matrix.writable) {
      throw new SemanticIndexError(
        'READ_ONLY',
        `${name}: expected a writable matrix, got ${matrix.path} opened read-only`,
        {
          hint: 'Open it with `writable: true`.',
        },
      );
    }
    return use(matrix);
  });
}

async function fillWithNothing(matrix: VectorMatrix, nothing: number): Promise<void> {
  const block = Math.min(matrix.rows, matrix.defaultBlockRows);
  const values = (
    matrix.dtype === 'i4' ? new Int32Array(block * matrix.columns) : new Float32Array(block * matrix.columns)
  ).fill(nothing);
  for (let first = 0; first < matrix.rows; first += block) {
    const count = Math.min(block, matrix.rows - first);
    await matrix.setRows(first, values.subarray(0, count * matrix.columns));
  }
}

/** Replaces the position of a query in its block by its row in the matrix. */
function ofWholeMatrix(error: unknown, first: number): unknown {
  if (!SemanticIndexError.is(error, 'INVALID_VECTOR')) return error;
  const { hint, cause, details } = error;
  const message = error.message.replace(/\bquery (\d+)/, (_, place: string) => `query ${first + Number(place)}`);
  return new SemanticIndexError('INVALID_VECTOR', message, { hint, cause: cause ?? error, details });
}

async function exists(path: string | URL): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function checkColumns(method: string, matrix: VectorMatrix, f: number): void {
  if (matrix.columns === f || f === 0) return;
  throw new SemanticIndexError(
    'DIMENSION_MISMATCH',
    `${method}: expected rows of ${f} dimensions, got ${matrix.columns} in ${matrix.path}`,
    { details: { path: matrix.path, expected: f, actual: matrix.columns } },
  );
}

/** Compares real paths, so that links to the same file are detected. */
async function checkDistinct(sources: readonly MatrixSource[]): Promise<void> {
  const paths = await Promise.all(
    sources.map((source) => {
      const path = source instanceof VectorMatrix ? source.path : checkPath('getNnsByVectors', source);
      return realpath(path).catch(() => path);
    }),
  );
  if (new Set(paths).size === paths.length) return;
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    'getNnsByVectors: expected different files for queries, neighbors and distances',
    { details: { paths } },
  );
}

/** Detects files shared by two matrices: through hard links, or two descriptors of one backing file. */
async function expectOwnFiles(matrices: readonly (VectorMatrix | undefined)[]): Promise<void> {
  const owners = new Map<string, VectorMatrix>();
  for (const matrix of matrices) {
    for (const file of matrix?.files ?? []) {
      const { dev, ino } = await stat(file, { bigint: true });
      const known = owners.get(`${dev}:${ino}`);
      if (known !== undefined && known !== matrix) {
        throw new SemanticIndexError(
          'INVALID_ARGUMENT',
          `getNnsByVectors: expected separate files, got ${known.path} and ${matrix?.path}, which share ${file}`,
          { hint: 'Write neighbors and distances into new files.', details: { file } },
        );
      }
      owners.set(`${dev}:${ino}`, matrix as VectorMatrix);
    }
  }
}
