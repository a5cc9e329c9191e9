import { join } from 'node:path';
import { inspect } from 'node:util';
import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { AnnoyIndex } from '../../../src/vectors/annoy/annoy-index.js';
import { VectorMatrix } from '../../../src/vectors/matrix/vector-matrix.js';
import { checkMetric } from '../../../src/vectors/metric.js';
import { randomRows, temporaryFolder } from '../reference.js';

const folder = temporaryFolder();
const f = 4;

async function built(count: number): Promise<AnnoyIndex> {
  const index = new AnnoyIndex(f, 'euclidean', { seed: 5 });
  index.addItems(randomRows(count, f, 'euclidean'));
  await index.build(2);
  return index;
}

async function matrix(name: string, rows: number, value: number): Promise<string> {
  const path = join(folder, name);
  await using made = await VectorMatrix.create(path, { rows, columns: f });
  await made.setRows(0, new Float32Array(rows * f).fill(value));
  return path;
}

describe('an n far above the items', () => {
  it.each([999_999_999, 50_000_000, 2 ** 31 - 2])('%s is refused in a batch before memory is touched', async (n) => {
    const index = await built(50);
    const before = process.memoryUsage().rss;
    for (const queries of [[[1, 0, 0, 0]], await matrix(`queries-${n}.npy`, 3, 1)]) {
      await expect(index.getNnsByVectors(queries as never, n)).rejects.toMatchObject({
        code: 'OUT_OF_MEMORY',
        hint: expect.stringContaining('getNItems'),
      });
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(50e6);
    expect(index.getNnsByVector([1, 0, 0, 0], n)).toHaveLength(50);
  });

  it('is padded when it is small', async () => {
    const { items } = await (await built(3)).getNnsByVectors([[1, 0, 0, 0]], 5);
    expect([...items].slice(3)).toEqual([-1, -1]);
  });
});

describe('addItems of matrices', () => {
  it('adds those that are added at once one after the other, in the order of the calls', async () => {
    const paths = await Promise.all([1, 2, 3].map((value) => matrix(`at-once-${value}.npy`, 100 * value, value)));
    const index = new AnnoyIndex(f, 'euclidean');
    const ends = await Promise.all(paths.map((path) => index.addItems(path, { blockRows: 7 })));
    expect(ends).toEqual([100, 300, 600]);
    const vectors = index.getItemVectors();
    for (let item = 0; item < 600; item++) expect(vectors[item * f]).toBe(item < 100 ? 1 : item < 300 ? 2 : 3);
  });

  it('refuses other additions while it runs, and can continue after a failure', async () => {
    const path = await matrix('mixed.npy', 100, 1);
    const index = new AnnoyIndex(f, 'euclidean');
    const failing = index.addItems(join(folder, 'missing.npy'));
    const adding = index.addItems(path);
    const busy = expect.objectContaining({ code: 'BUSY' });
    expect(() => index.addItems(new Float32Array(f))).toThrowError(busy);
    await expect(index.build(1)).rejects.toMatchObject({ code: 'BUSY' });
    await expect(failing).rejects.toMatchObject({ code: 'IO' });
    expect(await adding).toBe(100);
    expect(index.addItems(new Float32Array(f))).toBe(101);
  });
});

describe('deserialize', () => {
  it.each([
    ['gzip', gzipSync],
    ['zlib', deflateSync],
  ] as const)('stops expanding %s at a bound', async (_, compress) => {
    const bomb = compress(Buffer.alloc(66 * 2 ** 20));
    const index = new AnnoyIndex(f, 'euclidean');
    await expect(index.deserialize(bomb)).rejects.toMatchObject({
      code: 'INVALID_FILE',
      hint: expect.stringContaining('maxBytes'),
    });
    const whole = compress(await (await built(1000)).serialize());
    await expect(index.deserialize(whole, { maxBytes: 1000 })).rejects.toMatchObject({ code: 'INVALID_FILE' });
    await expect(index.deserialize(whole, { maxBytes: -1 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await index.deserialize(whole, { maxBytes: 1e6 });
    expect(index.getNItems()).toBe(1000);
  });

  it('takes a snapshot of an index that is nearly all holes', async () => {
    const index = new AnnoyIndex(64, 'euclidean');
    index.addItem(260_000, new Float32Array(64).fill(1));
    await index.build(1);
    const snapshot = await index.toSnapshot({ mode: 'byte', compress: 'gzip' });
    expect((await AnnoyIndex.fromSnapshot(snapshot)).getNnsByItem(260_000, 1)[0]).toBe(260_000);
  });
});

describe('options of long work', () => {
  it.each([
    ['onProgress', 5],
    ['signal', {}],
  ])('%s of another type is refused before the work begins', async (name, value) => {
    const index = new AnnoyIndex(f, 'euclidean');
    index.addItems(randomRows(10, f, 'euclidean'));
    await expect(index.build(1, { [name]: value } as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(index.state).toBe('adding');
  });
});

describe('verbose', () => {
  it.each([
    [undefined, true],
    [1, true],
    [2, true],
    [true, true],
    [0, false],
    [false, false],
  ])('of %s: messages %s', async (level, expected) => {
    const messages: string[] = [];
    const index = new AnnoyIndex(f, 'angular', { logger: (message) => messages.push(message) });
    index.verbose(level);
    index.addItem(0, [1, 2, 3, 4]);
    await index.build(1);
    expect(messages.length > 0).toBe(expected);
  });

  it.each([-1, 0.5, 'yes', null])('refuses %s', (level) => {
    const index = new AnnoyIndex(f, 'angular', { logger: () => undefined });
    expect(() => index.verbose(level as never)).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('metric names of other libraries', () => {
  it.each([
    ['cosine', 'angular'],
    ['Cosine Similarity', 'angular'],
    ['l2', 'euclidean'],
    ['L1', 'manhattan'],
    ['cityblock', 'manhattan'],
    ['ip', 'dot'],
    ['inner product', 'dot'],
    ['INNER_PRODUCT', 'dot'],
  ])('%s suggests %s', (name, metric) => {
    expect(() => checkMetric('test', name)).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', hint: expect.stringContaining(`"${metric}"`) }),
    );
  });

  it('suggests none for a name of an object member', () => {
    expect(() => checkMetric('test', 'constructor')).toThrowError(
      expect.objectContaining({ hint: expect.not.stringContaining('Did you mean') }),
    );
  });
});

describe('console.log of an index', () => {
  it('prints file, metric, counts, seed and state', async () => {
    const index = await built(20);
    const path = join(folder, 'printed.ann');
    expect(inspect(index)).toContain('path:        -');
    await index.save(path);
    const { id, fileSize, checksum } = index.info();
    const text = inspect(index);
    for (const part of [
      path,
      `${path}.meta.json`,
      id,
      fileSize,
      checksum,
      'euclidean',
      'loaded:      yes',
      'seed:        5',
    ]) {
      expect(text).toContain(String(part));
    }
    const lazy = await AnnoyIndex.open(path, { loadMode: 'lazy' });
    expect(inspect({ nested: lazy })).toMatch(/load mode: {3}lazy[\s\S]*loaded: {6}no/);
    index.close();
    expect(inspect(index)).toContain('state:       closed');
  });
});
