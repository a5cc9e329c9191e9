import { linkSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import vm from 'node:vm';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AnnoyIndex, SemanticIndexError, VectorMatrix } from '../../../src/index.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semantic-index-matrix-'));
  return () => rm(folder, { recursive: true });
});
const at = (name: string): string => join(folder, name);

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing',
    (error: unknown) => (SemanticIndexError.is(error) ? error.code : String(error)),
  );

async function matrixOf(name: string, values: Float32Array, columns: number): Promise<string> {
  await using matrix = await VectorMatrix.create(at(name), { rows: values.length / columns, columns });
  await matrix.setRows(0, values);
  return at(name);
}

async function numbersOf(name: string, columns: number): Promise<number[][]> {
  await using matrix = await VectorMatrix.open(at(name));
  const values = [...(await matrix.getRows(0, matrix.rows))];
  return Array.from({ length: matrix.rows }, (_, row) => values.slice(row * columns, (row + 1) * columns));
}

describe('a search whose queries come from a matrix', () => {
  const index = new AnnoyIndex(2, 'euclidean');
  beforeAll(async () => {
    index.addItems(Array.from({ length: 30 }, (_, item) => [item, (item * 7) % 30]));
    await index.build(5);
  });
  afterAll(() => index.close());

  test('names a bad query by its row, and leaves -1 and NaN where it did not come', async () => {
    const values = new Float32Array(200).fill(1);
    values[2 * 57] = Number.NaN;
    const options = { neighbors: at('items.npy'), distances: at('distances.npy'), blockRows: 10 };
    const searched = index.getNnsByVectors(await matrixOf('queries.npy', values, 2), 3, options);
    await expect(searched).rejects.toMatchObject({
      code: 'INVALID_VECTOR',
      message: expect.stringMatching(/query 57\b/),
    });
    const items = await numbersOf('items.npy', 3);
    expect(items[49]?.every((item) => item >= 0)).toBe(true);
    expect(items.slice(50)).toEqual(Array.from({ length: 50 }, () => [-1, -1, -1]));
    expect((await numbersOf('distances.npy', 3)).slice(50).flat().every(Number.isNaN)).toBe(true);
  });

  test('refuses an output that is a hard link of its queries, and leaves them as they were', async () => {
    const queries = await matrixOf('queries.npy', Float32Array.of(1, 2, 3, 4), 2);
    linkSync(queries, at('link.npy'));
    const before = readFileSync(queries);
    expect(await codeOf(index.getNnsByVectors(queries, 2, { neighbors: at('n.npy'), distances: at('link.npy') }))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(readFileSync(queries).equals(before)).toBe(true);
  });

  test('refuses two descriptors of one backing file', async () => {
    await (await VectorMatrix.create(at('one.desc'), { rows: 2, columns: 2, dtype: 'f8', order: 'F' })).close();
    writeFileSync(at('two.desc'), readFileSync(at('one.desc')));
    expect(await codeOf(index.getNnsByVectors(at('one.desc'), 2, { neighbors: at('two.desc') }))).toBe(
      'INVALID_ARGUMENT',
    );
  });

  test('answers no queries into every format', async () => {
    await (await VectorMatrix.create(at('none.npy'), { rows: 0, columns: 2 })).close();
    const outputs = { neighbors: at('items.ivecs'), distances: at('distances.fvecs') };
    expect(await index.getNnsByVectors(at('none.npy'), 2, outputs)).toBe(0);
  });
});

describe('excludeSelf', () => {
  test('gives the neighbours of each item without the item, in memory, from files and among equal vectors', async () => {
    const coordinate = fc.integer({ min: 0, max: 3 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(coordinate, coordinate), { minLength: 2, maxLength: 40 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 7 }),
        async (rows, n, blockRows) => {
          using index = new AnnoyIndex(2, 'euclidean');
          index.addItems(rows.map((row) => [...row]));
          await index.build(3);
          const options = { exact: true, excludeSelf: true };
          const values = Float32Array.from(rows.flat());
          const { items, distances } = await index.getNnsByVectors(values, n, options);
          rows.forEach(([x, y], row) => {
            const expected = rows
              .flatMap(([a, b], item) => (item === row ? [] : [Math.fround(Math.hypot(a - x, b - y))]))
              .sort((a, b) => a - b)
              .slice(0, n);
            const own = items.subarray(row * n, (row + 1) * n);
            expect([...own]).not.toContain(row);
            expect([...own].filter((item) => item >= 0)).toHaveLength(expected.length);
            expect([...distances.subarray(row * n, row * n + expected.length)]).toEqual(expected);
          });
          await rm(at('rows.npy'), { force: true });
          const matrix = await matrixOf('rows.npy', values, 2);
          const inBlocks = { ...options, blockRows } as typeof options;
          expect(await index.getNnsByVectors(matrix, n, inBlocks)).toEqual({ items, distances });
        },
      ),
      { numRuns: 60 },
    );
  });

  test('is refused when it is not true or false', async () => {
    using index = new AnnoyIndex(1, 'euclidean');
    index.addItem(0, [1]);
    await index.build(1);
    expect(await codeOf(index.getNnsByVectors([[1]], 1, { excludeSelf: 'yes' as never }))).toBe('INVALID_ARGUMENT');
  });
});

describe('numbers', () => {
  test('of a Buffer are refused with the way to view them', async () => {
    const bytes = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer);
    using index = new AnnoyIndex(2, 'euclidean');
    const hint = expect.stringContaining('new Float32Array(buffer.buffer');
    expect(() => index.addItems(bytes as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', hint }));
    expect(() => index.addItem(0, bytes as never)).toThrow(SemanticIndexError);
    expect(index.getNItems()).toBe(0);
    index.addItems(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4));
    expect(index.getNItems()).toBe(2);
  });

  test.each(['Float32Array', 'Float64Array', 'Int32Array'])('of a %s of another realm are taken', async (name) => {
    const foreign = vm.runInNewContext(`${name}.of(1, 2, 3, 4)`);
    await using matrix = await VectorMatrix.create(at('m.npy'), { rows: 2, columns: 2 });
    await matrix.setRows(0, foreign);
    expect([...(await matrix.getRows(0, 2, vm.runInNewContext(`new ${name}(4)`)))]).toEqual([1, 2, 3, 4]);
  });
});

describe('a matrix that cannot be created', () => {
  test('leaves no file, and an old one as it was', async () => {
    const shape = { rows: 1e5, columns: 1e9 };
    expect(await codeOf(VectorMatrix.create(at('huge.npy'), shape))).not.toBe('nothing');
    await matrixOf('old.npy', Float32Array.of(1, 2), 2);
    expect(await codeOf(VectorMatrix.create(at('old.npy'), { ...shape, overwrite: true }))).not.toBe('nothing');
    expect(await readdir(folder)).toEqual(['old.npy']);
    expect(await numbersOf('old.npy', 2)).toEqual([[1, 2]]);
  });

  test.each(['e.fvecs', 'e.ivecs', 'e.bvecs'])('is not one of no rows: %s', async (name) => {
    await using matrix = await VectorMatrix.create(at(name), { rows: 0, columns: 3 });
    expect([matrix.rows, matrix.columns]).toEqual([0, 3]);
  });
});
