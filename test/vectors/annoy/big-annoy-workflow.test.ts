import { existsSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AnnoyIndex } from '../../../src/vectors/annoy/annoy-index.js';
import { VectorMatrix } from '../../../src/vectors/matrix/vector-matrix.js';

// The functions of R's bigANNOY, in the order of its workflow: docs/matrices.md lists them beside ours.
const folder = mkdtempSync(join(tmpdir(), 'semantic-index-big-annoy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [rows, columns, k] = [400, 6, 4];
const values = Float64Array.from({ length: rows * columns }, (_, at) => Math.sin(at * 1.7) + Math.cos(at * at));
const reference = join(folder, 'reference.desc');
const path = join(folder, 'reference.ann');

beforeAll(async () => {
  await using matrix = await VectorMatrix.create(reference, { rows, columns, dtype: 'f8' });
  await matrix.setRows(0, values);
});

test('annoy_build_bigmatrix: from a descriptor to a persisted index, block by block, with sidecar', async () => {
  const index = new AnnoyIndex(columns, 'euclidean');
  index.onDiskBuild(path);
  await index.addItems(reference, { blockRows: 64 });
  await index.build(25, { seed: 99, threads: 1 });
  index.close();
  expect(existsSync(path)).toBe(true);
  expect(existsSync(`${path}.meta.json`)).toBe(true);
});

test('annoy_open_index, annoy_load_bigmatrix, annoy_is_loaded, annoy_close_index', async () => {
  const lazy = await AnnoyIndex.open(path, { loadMode: 'lazy' });
  expect(lazy.isLoaded).toBe(false);
  expect(lazy.info()).toMatchObject({ f: columns, metric: 'euclidean', items: rows, trees: 25, seed: 99, threads: 1 });
  lazy.getNnsByItem(0, 1);
  expect(lazy.isLoaded).toBe(true);
  const eager = await AnnoyIndex.open(path, { loadMode: 'eager', prefault: true });
  expect(eager.isLoaded).toBe(true);
  lazy.close();
  expect(() => lazy.getNnsByItem(0, 1)).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  expect(eager.getNnsByItem(7, 1)).toEqual(Int32Array.of(7));
  eager.close();
});

test('annoy_search_bigmatrix: self-search, dense queries, and streamed into attached outputs', async () => {
  const index = await AnnoyIndex.open(path);
  // bigANNOY's query = NULL: the reference rows themselves.
  const own = await index.getNnsByVectors(reference, k, { searchK: 2000 });
  for (let row = 0; row < rows; row++) expect(own.items[row * k]).toBe(row);

  const shape = { rows, columns: k };
  const xpIndex = join(folder, 'index.desc');
  const xpDistance = join(folder, 'distance.desc');
  await (await VectorMatrix.create(xpIndex, { ...shape, dtype: 'i4' })).close();
  await (await VectorMatrix.create(xpDistance, { ...shape, dtype: 'f8' })).close();
  const streaming = { neighbors: xpIndex, distances: xpDistance, searchK: 2000, blockRows: 33 };
  expect(await index.getNnsByVectors(reference, k, streaming)).toBe(rows);
  await using neighbors = await VectorMatrix.open(xpIndex);
  await using distances = await VectorMatrix.open(xpDistance);
  expect(await neighbors.getRows(0, rows, new Int32Array(rows * k))).toEqual(own.items);
  expect(await distances.getRows(0, rows)).toEqual(own.distances);
  const dense = Float32Array.from(values.subarray(0, 2 * columns));
  expect((await index.getNnsByVectors(dense, k, { searchK: 2000 })).items).toEqual(own.items.subarray(0, 2 * k));
  index.close();
});

test('annoy_validate_index: a report, and an error when strict', async () => {
  const index = await AnnoyIndex.open(path, { loadMode: 'lazy' });
  expect((await index.validate({ load: true })).valid).toBe(true);
  index.close();
  const damaged = await AnnoyIndex.open(path, { loadMode: 'lazy' });
  truncateSync(path, 1000);
  expect((await damaged.validate()).valid).toBe(false);
  await expect(damaged.validate({ strict: true })).rejects.toMatchObject({ code: 'INVALID_FILE' });
  damaged.close();
});
