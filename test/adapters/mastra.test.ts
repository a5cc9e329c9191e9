import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MastraFilter } from '../../src/adapters/mastra/mastra-filter.js';
import { MastraVectorStore } from '../../src/adapters/mastra/vector-store.js';
import { SemanticIndex } from '../../src/index.js';

// The class that extends Mastra's own is tested with the real package by scripts/check-mastra.mjs.
const scratch = mkdtempSync(join(tmpdir(), 'semantic-index-mastra-'));
const stores: MastraVectorStore[] = [];
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  rmSync(scratch, { recursive: true, force: true });
});

function freshDirectory(): string {
  return mkdtempSync(join(scratch, 'store-'));
}

function storeIn(directory = freshDirectory()): MastraVectorStore {
  const store = new MastraVectorStore(directory, 'text', {});
  stores.push(store);
  return store;
}

const shelf = [
  { id: 'stew', vector: [1, 0, 0], metadata: { text: 'Stew of beans', minutes: 90, tags: ['winter', 'beans'] } },
  { id: 'salad', vector: [0, 1, 0], metadata: { text: 'Salad of beans', minutes: 15, tags: ['summer', 'beans'] } },
  { id: 'soup', vector: [0.8, 0.6, 0], metadata: { minutes: 40, tags: ['winter'], seen: '2026-03-01T00:00:00.000Z' } },
];

async function filled(directory?: string): Promise<MastraVectorStore> {
  const store = storeIn(directory);
  await store.createIndex({ indexName: 'dishes', dimension: 3 });
  await store.upsert({
    indexName: 'dishes',
    vectors: shelf.map(({ vector }) => vector),
    metadata: shelf.map(({ metadata }) => metadata),
    ids: shelf.map(({ id }) => id),
  });
  return store;
}

async function idsIn(store: MastraVectorStore): Promise<string[]> {
  const found = await store.query({ indexName: 'dishes', queryVector: [1, 1, 1], topK: 100 });
  return found.map(({ id }) => id).sort();
}

describe('indexes', () => {
  test('are created, listed, described and deleted by name, in folders of their own', async () => {
    const directory = join(freshDirectory(), 'not', 'there', 'yet');
    const store = storeIn(directory);
    expect(await store.listIndexes()).toEqual([]);
    const names = ['docs', 'Docs', 'a/../b', 'ü', '..'];
    for (const indexName of names) await store.createIndex({ indexName, dimension: 2, metric: 'euclidean' });
    expect(await store.listIndexes()).toEqual([...names].sort());
    expect(await store.describeIndex({ indexName: 'Docs' })).toEqual({ dimension: 2, count: 0, metric: 'euclidean' });
    await store.deleteIndex({ indexName: 'docs' });
    await store.deleteIndex({ indexName: '..' });
    expect(existsSync(directory)).toBe(true);
    expect(await store.listIndexes()).toEqual(['Docs', 'a/../b', 'ü'].sort());
    await expect(store.describeIndex({ indexName: 'docs' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('keep their dimension and vectors when they are opened again', async () => {
    const directory = freshDirectory();
    const first = await filled(directory);
    await first.createIndex({ indexName: 'empty', dimension: 7, metric: 'dotproduct' });
    await first.close();
    const second = storeIn(directory);
    expect(await second.describeIndex({ indexName: 'empty' })).toEqual({
      dimension: 7,
      count: 0,
      metric: 'dotproduct',
    });
    expect(await second.describeIndex({ indexName: 'dishes' })).toEqual({ dimension: 3, count: 3, metric: 'cosine' });
    expect(await idsIn(second)).toEqual(['salad', 'soup', 'stew']);
  });

  test('are created once by calls at the same time, and again only with the same shape', async () => {
    const store = storeIn();
    const create = (dimension: number, metric?: 'cosine' | 'euclidean') =>
      store.createIndex({ indexName: 'x', dimension, ...(metric && { metric }) });
    await Promise.all([create(3), create(3), create(3, 'cosine')]);
    await expect(create(4)).rejects.toMatchObject({ code: 'DIMENSION_MISMATCH' });
    await expect(create(3, 'euclidean')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('can be used for what Mastra has no method for', async () => {
    const index = await (await filled()).index('dishes');
    expect(index).toBeInstanceOf(SemanticIndex);
    expect((await index.search('salads', { mode: 'text' })).hits.map(({ id }) => id)).toEqual(['salad']);
  });
});

describe('queries', () => {
  test('return cosines, metadata, the text, and vectors on request', async () => {
    const store = await filled();
    const found = await store.query({ indexName: 'dishes', queryVector: [2, 0, 0], topK: 2, includeVector: true });
    expect(found).toEqual([
      { id: 'stew', score: 1, metadata: shelf[0]?.metadata, document: 'Stew of beans', vector: [1, 0, 0] },
      { id: 'soup', score: expect.closeTo(0.8, 6), metadata: shelf[2]?.metadata, vector: expect.any(Array) },
    ]);
  });

  const filters: [name: string, filter: MastraFilter, ids: string[]][] = [
    ['equality', { minutes: 15 }, ['salad']],
    ['a range', { minutes: { $gt: 15, $lte: 90 } }, ['soup', 'stew']],
    ['elements of lists', { tags: { $in: ['summer'] } }, ['salad']],
    ['$all', { tags: { $all: ['winter', 'beans'] } }, ['stew']],
    ['$nor', { $nor: [{ minutes: { $gt: 80 } }, { tags: 'summer' }] }, ['soup']],
    ['an empty $nor', { $nor: [] }, ['salad', 'soup', 'stew']],
    ['$nor beside $not', { $nor: [{ minutes: 15 }], $not: { minutes: 90 } }, ['soup']],
    ['$nor in $or', { $or: [{ $nor: [{ tags: 'winter' }] }, { minutes: 40 }] }, ['salad', 'soup']],
    ['a Date', { seen: { $gte: new Date('2026-01-01') } }, ['soup']],
    ['a field that is missing', { text: { $exists: false } }, ['soup']],
    ['null', null, ['salad', 'soup', 'stew']],
  ];
  test.each(filters)('are filtered by %s', async (_, filter, ids) => {
    const store = await filled();
    const found = await store.query({ indexName: 'dishes', queryVector: [1, 1, 1], filter });
    expect(found.map(({ id }) => id).sort()).toEqual(ids);
    if (filter === null) return;
    const listed = await store.query({ indexName: 'dishes', filter });
    expect(listed.map(({ id, score }) => [id, score]).sort()).toEqual(ids.map((id) => [id, 0]));
  });

  const refused: [name: string, filter: MastraFilter, message: RegExp][] = [
    ['$regex', { text: { $regex: '^S' } }, /\$regex/],
    ['a regular expression', { text: /^S/ }, /RegExp/],
    ['an operator that does not exist', { minutes: { $near: 3 } }, /\$near/],
    ['a $nor that is not a list', { $nor: { minutes: 3 } }, /expected a list/],
    ['an invalid date', { seen: new Date('x') }, /Date/],
  ];
  test.each(refused)('refuse %s by name', async (_, filter, message) => {
    const store = await filled();
    const query = store.query({ indexName: 'dishes', queryVector: [1, 0, 0], filter });
    await expect(query).rejects.toMatchObject({ code: 'INVALID_FILTER', message: expect.stringMatching(message) });
  });

  test('refuse a filter that contains itself', async () => {
    const filter: { $and: unknown[] } = { $and: [] };
    filter.$and.push(filter);
    const query = (await filled()).query({ indexName: 'dishes', queryVector: [1, 0, 0], filter });
    await expect(query).rejects.toMatchObject({ code: 'INVALID_FILTER' });
  });
});

describe('vectors', () => {
  test('are replaced by id, and get ids of their own without one', async () => {
    const store = await filled();
    const ids = await store.upsert({
      indexName: 'dishes',
      vectors: [
        [0, 0, 1],
        [0, 0, 1],
      ],
    });
    expect(new Set(ids).size).toBe(2);
    await store.upsert({ indexName: 'dishes', vectors: [[0, 0, 2]], ids: ['stew'], metadata: [{ n: 1 }] });
    const [first] = await store.query({
      indexName: 'dishes',
      queryVector: [0, 0, 1],
      filter: { n: 1 },
      includeVector: true,
    });
    expect(first).toEqual({ id: 'stew', score: 1, metadata: { n: 1 }, vector: [0, 0, 2] });
    expect(await idsIn(store)).toEqual([...ids, 'salad', 'soup', 'stew'].sort());
  });

  test('replace those that a filter matched', async () => {
    const store = await filled();
    const vectors = [
      [1, 0, 0],
      [0, 1, 0],
    ];
    const metadata = [{ tags: ['winter'] }, { tags: ['winter'] }];
    const deleteFilter = { tags: 'winter' };
    await store.upsert({ indexName: 'dishes', vectors, metadata, ids: ['stew', 'new'], deleteFilter });
    expect(await idsIn(store)).toEqual(['new', 'salad', 'stew']);
    await expect(store.upsert({ indexName: 'dishes', vectors, metadata, deleteFilter: {} })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(await idsIn(store)).toEqual(['new', 'salad', 'stew']);
  });

  test('are updated by id and by filter: vector, metadata and the text in it', async () => {
    const store = await filled();
    const indexName = 'dishes';
    await store.updateVector({ indexName, id: 'salad', update: { vector: [0, 0, 1] } });
    await store.updateVector({ indexName, filter: { tags: 'winter' }, update: { metadata: { text: 'Gone cold' } } });
    await store.updateVector({ indexName, id: 'never there', update: { metadata: {} } });
    const [salad] = await store.query({ indexName, queryVector: [0, 0, 1], topK: 1, includeVector: true });
    expect(salad).toMatchObject({ id: 'salad', vector: [0, 0, 1], document: 'Salad of beans' });
    const cold = await store.query({ indexName, filter: { text: 'Gone cold' }, includeVector: true });
    expect(cold.map(({ id, vector }) => [id, vector?.[0]?.toFixed(2)])).toEqual([
      ['stew', '1.00'],
      ['soup', '0.80'],
    ]);
    const { hits } = await (await store.index(indexName)).search('cold', { mode: 'text' });
    expect(hits.map(({ id }) => id).sort()).toEqual(['soup', 'stew']);
  });

  test('are deleted by id, by ids and by filter', async () => {
    const store = await filled();
    const indexName = 'dishes';
    await store.deleteVector({ indexName, id: 'soup' });
    await store.deleteVectors({ indexName, ids: ['stew', 'never there'] });
    expect(await idsIn(store)).toEqual(['salad']);
    await store.deleteVectors({ indexName, filter: { minutes: { $lt: 20 } } });
    expect(await store.describeIndex({ indexName })).toMatchObject({ count: 0 });
  });

  const indexName = 'dishes';
  const one = { indexName, vectors: [[1, 0, 0]] };
  const update = { metadata: {} };
  type Store = MastraVectorStore;
  let store: Store;
  beforeAll(async () => {
    store = await filled();
  });
  const wrong: [name: string, code: string, call: (store: Store) => Promise<unknown>][] = [
    ['no vectors', 'INVALID_ARGUMENT', (it) => it.upsert({ indexName, vectors: [] })],
    [
      'fewer metadata',
      'INVALID_ARGUMENT',
      (it) =>
        it.upsert({
          indexName,
          vectors: [
            [1, 0, 0],
            [0, 1, 0],
          ],
          metadata: [{}],
        }),
    ],
    ['more ids', 'INVALID_ARGUMENT', (it) => it.upsert({ ...one, ids: ['a', 'b'] })],
    ['a shorter vector', 'DIMENSION_MISMATCH', (it) => it.upsert({ indexName, vectors: [[1, 0]] })],
    ['NaN', 'INVALID_VECTOR', (it) => it.upsert({ indexName, vectors: [[1, Number.NaN, 0]] })],
    ['a text for a vector', 'INVALID_VECTOR', (it) => it.upsert({ indexName, vectors: ['abc' as never] })],
    ['an empty id', 'INVALID_ID', (it) => it.upsert({ ...one, ids: [''] })],
    ['metadata in a circle', 'INVALID_METADATA', (it) => it.upsert({ ...one, metadata: [circle()] })],
    ['sparse vectors', 'UNSUPPORTED', (it) => it.upsert({ ...one, sparseVectors: [{ indices: [1], values: [1] }] })],
    ['a query of another length', 'DIMENSION_MISMATCH', (it) => it.query({ indexName, queryVector: [1] })],
    ['a query for nothing', 'INVALID_ARGUMENT', (it) => it.query({ indexName })],
    ['topK 0', 'INVALID_ARGUMENT', (it) => it.query({ indexName, queryVector: [1, 0, 0], topK: 0 })],
    ['an index that does not exist', 'NOT_FOUND', (it) => it.query({ indexName: 'x', queryVector: [1] })],
    ['an empty name', 'INVALID_ARGUMENT', (it) => it.createIndex({ indexName: '', dimension: 3 })],
    ['dimension 0', 'INVALID_ARGUMENT', (it) => it.createIndex({ indexName: 'y', dimension: 0 })],
    [
      'a metric that does not exist',
      'INVALID_ARGUMENT',
      (it) => it.createIndex({ indexName: 'y', dimension: 3, metric: 'x' as never }),
    ],
    ['an update of nothing', 'INVALID_ARGUMENT', (it) => it.updateVector({ indexName, id: 'stew', update: {} })],
    ['an update of everything', 'INVALID_ARGUMENT', (it) => it.updateVector({ indexName, filter: {}, update })],
    [
      'an update by id and filter',
      'INVALID_ARGUMENT',
      (it) => it.updateVector({ indexName, id: 'a', filter: { n: 1 }, update } as never),
    ],
    ['an update of neither', 'INVALID_ARGUMENT', (it) => it.updateVector({ indexName, update } as never)],
    ['a deletion of everything', 'INVALID_ARGUMENT', (it) => it.deleteVectors({ indexName, filter: {} })],
    ['a deletion of no ids', 'INVALID_ARGUMENT', (it) => it.deleteVectors({ indexName, ids: [] })],
    [
      'a deletion by ids and filter',
      'INVALID_ARGUMENT',
      (it) => it.deleteVectors({ indexName, ids: ['a'], filter: { n: 1 } }),
    ],
    ['a deletion of neither', 'INVALID_ARGUMENT', (it) => it.deleteVectors({ indexName })],
  ];
  test.each(wrong)('refuse %s with %s, and change nothing', async (_, code, call) => {
    await expect(call(store)).rejects.toMatchObject({ code });
    expect(await idsIn(store)).toEqual(['salad', 'soup', 'stew']);
    expect(await store.listIndexes()).toEqual([indexName]);
  });
});

function circle(): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  value.self = value;
  return value;
}
