import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AnnoyIndex } from '../../../src/vectors/annoy/annoy-index.js';
import { VectorMatrix } from '../../../src/vectors/matrix/vector-matrix.js';

const folder = mkdtempSync(join(tmpdir(), 'semantic-index-matrix-search-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let names = 0;
const fresh = (ending: string) => join(folder, `${names++}${ending}`);
const [items, queries, f, n] = [700, 230, 12, 7];

let state = 1;
function random(length: number): Float32Array {
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.round((state / 2 ** 32 - 0.5) * 2000) / 8;
  });
}
const base = random(items * f);
const asked = random(queries * f);

async function matrixOf(path: string, values: Float32Array, options: object = {}): Promise<string> {
  await using matrix = await VectorMatrix.create(path, { rows: values.length / f, columns: f, ...options });
  await matrix.setRows(0, values);
  return path;
}

const index = new AnnoyIndex(f, 'euclidean');
afterAll(() => index.close());
beforeAll(async () => {
  index.addItems(base);
  await index.build(5);
});

describe('building', () => {
  test.each([
    ['.npy', { order: 'C' }],
    ['.npy', { order: 'F', dtype: 'f8' }],
    ['.fvecs', {}],
    ['.desc', { dtype: 'f8' }],
    ['.desc', { dtype: 'f4', separated: true }],
  ])('from %s %o gives the index that rows in memory give', async (ending, options) => {
    const path = await matrixOf(fresh(ending), base, options);
    const stages: [number, number | undefined][] = [];
    const streamed = new AnnoyIndex(f, 'euclidean');
    const onProgress = ({ done, total }: { done: number; total?: number }) => stages.push([done, total]);
    expect(await streamed.addItems(path, { blockRows: 256, onProgress })).toBe(items);
    expect(stages).toEqual([
      [256, items],
      [512, items],
      [items, items],
    ]);
    await streamed.build(5);
    const files = [fresh('.ann'), fresh('.ann')] as const;
    await streamed.save(files[0]);
    await index.save(files[1]);
    expect(readFileSync(files[0]).equals(readFileSync(files[1]))).toBe(true);
    streamed.close();
  });

  test('dimensions come from the matrix when the index has none; more matrices follow after', async () => {
    const path = await matrixOf(fresh('.npy'), base);
    const grown = new AnnoyIndex(0, 'euclidean');
    await using matrix = await VectorMatrix.open(path);
    expect(await grown.addItems(matrix)).toBe(items);
    expect(await grown.addItems(matrix, { first: items + 10 })).toBe(2 * items + 10);
    expect(grown.f).toBe(f);
    expect(grown.getItemVector(0)).toEqual(base.subarray(0, f));
    expect(grown.getItemVector(items + 10 + 5)).toEqual(base.subarray(5 * f, 6 * f));
    // Someone else's matrix stays open.
    expect(await matrix.getRows(0, 1)).toEqual(base.subarray(0, f));
    grown.close();
  });

  test('bad matrices change nothing', async () => {
    const path = await matrixOf(fresh('.npy'), base);
    const other = new AnnoyIndex(f + 1, 'euclidean');
    await expect(other.addItems(path)).rejects.toMatchObject({ code: 'DIMENSION_MISMATCH' });
    await expect(other.addItems(join(folder, 'missing.npy'))).rejects.toMatchObject({ code: 'IO' });
    await expect(other.addItems(path, { frist: 3 } as never)).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' });
    expect(other.getNItems()).toBe(0);
    other.close();
    await expect(index.addItems(path)).rejects.toMatchObject({ code: 'ALREADY_BUILT' });
  });

  test('NaN in a matrix is INVALID_VECTOR', async () => {
    const holed = base.slice();
    holed[300 * f + 2] = Number.NaN;
    const path = await matrixOf(fresh('.npy'), holed);
    const other = new AnnoyIndex(f, 'euclidean');
    await expect(other.addItems(path, { blockRows: 100 })).rejects.toMatchObject({ code: 'INVALID_VECTOR' });
    expect(other.getNItems()).toBe(300);
    other.close();
  });

  test('aborting stops between blocks', async () => {
    const path = await matrixOf(fresh('.npy'), base);
    const other = new AnnoyIndex(f, 'euclidean');
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error('enough'));
    await expect(other.addItems(path, { blockRows: 100, onProgress, signal: controller.signal })).rejects.toThrow(
      'enough',
    );
    expect(other.getNItems()).toBe(100);
    other.close();
  });
});

describe('searching', () => {
  test.each([
    ['.npy', '.npy', {}],
    ['.npy', '.npy', { order: 'F' }],
    ['.fvecs', '.ivecs', {}],
    ['.desc', '.desc', { dtype: 'f8' }],
  ])('from %s into %s: the same answers as in memory', async (input, output, options) => {
    const path = await matrixOf(fresh(input), asked, options);
    const expected = await index.getNnsByVectors(asked, n, { searchK: 300 });
    const outputs = { neighbors: fresh(output), distances: fresh(output === '.ivecs' ? '.fvecs' : output) };
    const done: number[] = [];
    const streaming = {
      ...outputs,
      searchK: 300,
      blockRows: 100,
      onProgress: (one: { done: number }) => done.push(one.done),
    };
    expect(await index.getNnsByVectors(path, n, streaming)).toBe(queries);
    expect(done).toEqual([100, 200, 230]);
    await using neighbors = await VectorMatrix.open(outputs.neighbors);
    await using distances = await VectorMatrix.open(outputs.distances);
    expect(neighbors).toMatchObject({ rows: queries, columns: n, dtype: 'i4' });
    expect(distances).toMatchObject({ rows: queries, columns: n, dtype: 'f4' });
    expect(await neighbors.getRows(0, queries, new Int32Array(queries * n))).toEqual(expected.items);
    expect(await distances.getRows(0, queries)).toEqual(expected.distances);
    expect(await index.getNnsByVectors(path, n, { searchK: 300 })).toEqual(expected);
  });

  test('preallocated outputs, by path and by matrix, and without distances', async () => {
    const path = await matrixOf(fresh('.npy'), asked);
    const expected = await index.getNnsByVectors(asked, n, { exact: true });
    const shape = { rows: queries, columns: n };
    const [first, second, third] = [fresh('.npy'), fresh('.npy'), fresh('.desc')];
    await (await VectorMatrix.create(first, { ...shape, dtype: 'i8', order: 'F' })).close();
    await (await VectorMatrix.create(second, { ...shape, dtype: 'f8' })).close();
    await using input = await VectorMatrix.open(path);
    expect(await index.getNnsByVectors(input, n, { neighbors: first, distances: second, exact: true })).toBe(queries);
    await using neighbors = await VectorMatrix.open(first);
    await using distances = await VectorMatrix.open(second);
    expect(await neighbors.getRows(0, queries, new Int32Array(queries * n))).toEqual(expected.items);
    expect(await distances.getRows(0, queries)).toEqual(expected.distances);
    await using big = await VectorMatrix.create(third, { ...shape, dtype: 'i4', separated: true });
    await index.getNnsByVectors(input, n, { neighbors: big, exact: true, blockRows: 1 });
    expect(await big.getRows(0, queries, new Int32Array(queries * n))).toEqual(expected.items);
  });

  test('fewer items than wanted leave -1 and NaN', async () => {
    const small = new AnnoyIndex(f, 'euclidean');
    small.addItems(base.subarray(0, 3 * f));
    await small.build(1);
    const path = await matrixOf(fresh('.npy'), asked.subarray(0, 2 * f));
    const outputs = { neighbors: fresh('.desc'), distances: fresh('.desc') };
    await small.getNnsByVectors(path, 5, outputs);
    await using neighbors = await VectorMatrix.open(outputs.neighbors);
    await using distances = await VectorMatrix.open(outputs.distances);
    const row = await neighbors.getRows(0, 1);
    expect([...row.subarray(0, 3)].sort()).toEqual([0, 1, 2]);
    expect(row.subarray(3)).toEqual(Float32Array.of(-1, -1));
    expect((await distances.getRows(0, 1)).subarray(3)).toEqual(Float32Array.of(Number.NaN, Number.NaN));
    small.close();
  });

  test('outputs that cannot be are refused before any search', async () => {
    const path = await matrixOf(fresh('.npy'), asked);
    const refuse = async (options: object, code: string, wanted: number = n) => {
      await expect(index.getNnsByVectors(path, wanted, options as never)).rejects.toMatchObject({ code });
    };
    const wrong = fresh('.npy');
    await (await VectorMatrix.create(wrong, { rows: queries, columns: n + 1, dtype: 'i4' })).close();
    await refuse({ neighbors: wrong }, 'DIMENSION_MISMATCH');
    const floats = fresh('.npy');
    await (await VectorMatrix.create(floats, { rows: queries, columns: n })).close();
    await refuse({ neighbors: floats }, 'DIMENSION_MISMATCH');
    await refuse({ distances: fresh('.npy') }, 'INVALID_ARGUMENT');
    await refuse({ neighbors: path }, 'INVALID_ARGUMENT');
    await refuse({ neighbors: floats, distances: join(folder, '.', floats.slice(folder.length)) }, 'INVALID_ARGUMENT');
    if (process.platform !== 'win32') {
      const link = fresh('.npy');
      symlinkSync(path, link);
      await refuse({ neighbors: link }, 'INVALID_ARGUMENT');
    }
    await refuse({ neighbors: fresh('.npy') }, 'INVALID_ARGUMENT', 0);
    await refuse({ neighbors: fresh('.npy') }, 'INVALID_ARGUMENT', 1.5);
    await refuse({ neighbors: fresh('.fvecs') }, 'INVALID_ARGUMENT');
    await refuse({ neighbors: fresh('.csv') }, 'UNSUPPORTED');
    await refuse({ neighbors: join(folder, 'nowhere', 'a.npy') }, 'IO');
    await refuse({ neighbours: fresh('.npy') }, 'UNKNOWN_OPTION');
    await using reading = await VectorMatrix.open(floats);
    await refuse({ neighbors: fresh('.npy'), distances: reading }, 'READ_ONLY');
    const narrow = fresh('.npy');
    await (await VectorMatrix.create(narrow, { rows: 3, columns: f - 1 })).close();
    await expect(index.getNnsByVectors(narrow, n)).rejects.toMatchObject({ code: 'DIMENSION_MISMATCH' });
    writeFileSync(narrow, readFileSync(narrow).subarray(0, -1));
    await expect(index.getNnsByVectors(narrow, n)).rejects.toMatchObject({ code: 'INVALID_FILE' });
  });

  test('aborting stops between blocks and closes what was opened', async () => {
    const path = await matrixOf(fresh('.npy'), asked);
    const controller = new AbortController();
    const neighbors = fresh('.npy');
    const options = {
      neighbors,
      blockRows: 50,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    };
    await expect(index.getNnsByVectors(path, n, options)).rejects.toThrow('enough');
    await using partial = await VectorMatrix.open(neighbors);
    const expected = await index.getNnsByVectors(asked.subarray(0, 50 * f), n);
    expect(await partial.getRows(0, 50, new Int32Array(50 * n))).toEqual(expected.items);
    expect(await partial.getRows(50, 1)).toEqual(new Float32Array(n).fill(-1));
  });

  test('no queries give empty outputs', async () => {
    const path = await matrixOf(fresh('.npy'), new Float32Array(0));
    const neighbors = fresh('.npy');
    expect(await index.getNnsByVectors(path, n, { neighbors })).toBe(0);
    expect(statSync(neighbors).size).toBe(128);
  });
});
