import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Metric } from '../../../src/types.js';
import { AnnoyIndex } from '../../../src/vectors/annoy/annoy-index.js';
import { METRICS } from '../../../src/vectors/metric.js';
import { VectorBuffer } from '../../../src/vectors/vector-buffer.js';
import { distanceOf, nearestDistances, randomRows, temporaryFolder } from '../reference.js';

const folder = temporaryFolder();
const f = 20;
const count = 500;

async function built(metric: Metric, options: { trees?: number; seed?: number; threads?: number } = {}) {
  const rows = randomRows(count, f, metric);
  const index = new AnnoyIndex(f, metric);
  index.addItems(rows);
  await index.build(options.trees ?? 10, { seed: options.seed ?? 7, threads: options.threads ?? 1 });
  return { index, rows };
}

describe.each(METRICS)('an index with the metric %s', (metric) => {
  it('finds what an exact search finds, when searchK is large', async () => {
    const { index, rows } = await built(metric);
    for (let query = 0; query < 20; query++) {
      const vector = randomRows(1, f, metric, 100 + query);
      const { items, distances } = index.getNnsByVector(vector, 10, { searchK: 1_000_000, includeDistances: true });
      const truth = nearestDistances(metric, rows, vector, 10);
      expect(items).toHaveLength(10);
      distances.forEach((distance, rank) => {
        expect(distance).toBeCloseTo(truth[rank]!, 4);
        expect(distanceOf(metric, vector, rows.subarray(items[rank]! * f, (items[rank]! + 1) * f))).toBeCloseTo(
          distance,
          4,
        );
      });
    }
  });

  it('gives the same answers from memory, from its file, and from its bytes', async () => {
    const { index, rows } = await built(metric);
    const path = join(folder, `${metric}.ann`);
    const query = randomRows(1, f, metric, 5);
    const fromMemory = index.getNnsByVector(query, 10, { includeDistances: true });
    const bytes = await index.serialize();
    await index.save(path);
    expect(index.path).toBe(path);
    expect(index.getNnsByVector(query, 10, { includeDistances: true })).toEqual(fromMemory);

    const opened = await AnnoyIndex.open(path);
    expect([opened.metric, opened.f, opened.getNItems(), opened.getNTrees()]).toEqual([metric, f, count, 10]);
    expect(opened.getNnsByVector(query, 10, { includeDistances: true })).toEqual(fromMemory);
    expect(opened.getItemVector(17)).toEqual(rows.slice(17 * f, 18 * f));

    expect(Buffer.compare(bytes, readFileSync(path))).toBe(0);
    const copy = new AnnoyIndex(f, metric);
    await copy.deserialize(bytes);
    expect(copy.getNnsByVector(query, 10, { includeDistances: true })).toEqual(fromMemory);
    for (const each of [index, opened, copy]) each.close();
  });

  it('returns the vector and the distances of its items, before and after the build', async () => {
    const rows = randomRows(50, f, metric);
    const index = new AnnoyIndex(f, metric);
    index.addItems(rows);
    const vector = (item: number) => rows.slice(item * f, (item + 1) * f);
    const check = () => {
      expect(index.getItemVector(3)).toEqual(vector(3));
      expect(index.getDistance(3, 40)).toBeCloseTo(distanceOf(metric, vector(3), vector(40)), 4);
    };
    check();
    await index.build(2);
    check();
    index.close();
  });

  it('answers a batch as it answers one by one, and exactly when asked to', async () => {
    const { index, rows } = await built(metric);
    const queries = randomRows(33, f, metric, 9);
    const batch = await index.getNnsByVectors(queries, 7, { threads: 2 });
    const exact = await index.getNnsByVectors(queries, 7, { exact: true });
    for (let query = 0; query < 33; query++) {
      const vector = queries.slice(query * f, (query + 1) * f);
      const one = index.getNnsByVector(vector, 7, { includeDistances: true });
      expect(batch.items.slice(query * 7, (query + 1) * 7)).toEqual(one.items);
      expect(batch.distances.slice(query * 7, (query + 1) * 7)).toEqual(one.distances);
      nearestDistances(metric, rows, vector, 7).forEach((distance, rank) => {
        expect(exact.distances[query * 7 + rank]).toBeCloseTo(distance, 4);
      });
    }
    index.close();
  });
});

describe('addItem', () => {
  it('sets f from the first vector when f is 0', async () => {
    const index = new AnnoyIndex(0, 'euclidean');
    expect(index.f).toBe(0);
    index.addItem(0, [1, 2, 3]);
    expect(index.f).toBe(3);
    expect(() => index.addItem(1, [1, 2])).toThrow(expect.objectContaining({ code: 'DIMENSION_MISMATCH' }));
    const rows = new AnnoyIndex(0, 'dot');
    expect(rows.addItems([Float32Array.of(1, 2), [3, 4]])).toBe(2);
    expect(rows.f).toBe(2);
  });

  it('takes any array of numbers, writes over what was there, and leaves holes', async () => {
    const index = new AnnoyIndex(2, 'euclidean');
    index.addItem(0, [9, 9]);
    index.addItem(0, Float64Array.of(1, 1) as unknown as number[]);
    index.addItem(3, new Float32Array(new SharedArrayBuffer(8)).fill(2));
    expect(index.getNItems()).toBe(4);
    expect(index.addItems(Float32Array.of(5, 5, 6, 6), 10)).toBe(12);
    expect(index.addItems([[7, 7]])).toBe(13);
    expect(() => index.getItemVector(1)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    await index.build(3);
    expect(index.getNItems()).toBe(13);
    expect([...index.getNnsByVector([0, 0], 20)]).toEqual([0, 3, 10, 11, 12]);
    expect(() => index.getNnsByItem(1, 3)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('getItemVectors', () => {
  it('copies rows, of all items or of some, with NaN where a number was left out', async () => {
    const { index, rows } = await built('manhattan');
    expect(index.getItemVectors()).toEqual(rows);
    expect(index.getItemVectors(490)).toEqual(rows.slice(490 * f));
    expect(index.getItemVectors(3, 2)).toEqual(rows.slice(3 * f, 5 * f));
    expect(index.getItemVectors(3, 0)).toHaveLength(0);
    for (const [first, amount] of [
      [0, 501],
      [500, 1],
      [-1, 1],
      [0, -1],
      [0, 0.5],
    ] as const) {
      expect(() => index.getItemVectors(first, amount)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
    const holes = new AnnoyIndex(1, 'euclidean');
    expect(holes.getItemVectors()).toHaveLength(0);
    holes.addItem(2, [7]);
    expect([...holes.getItemVectors()]).toEqual([Number.NaN, Number.NaN, 7]);

    // The same items under another metric, which scikit-plots calls rebuild.
    const other = new AnnoyIndex(f, 'angular');
    other.addItems(index.getItemVectors());
    await other.build(10, { seed: 7 });
    expect(other.getNnsByItem(3, 5)).toEqual((await built('angular')).index.getNnsByItem(3, 5));
  });
});

describe('build', () => {
  it('gives the same bytes for any number of threads, and others for another seed', async () => {
    const bytes = async (seed: number, threads: number) =>
      Buffer.from(await (await built('angular', { seed, threads })).index.serialize());
    const one = await bytes(1, 1);
    expect(one.equals(await bytes(1, 2))).toBe(true);
    expect(one.equals(await bytes(1, 7))).toBe(true);
    expect(one.equals(await bytes(2, 1))).toBe(false);
  });

  it('takes the seed of the constructor, of setSeed, or its own', async () => {
    const rows = randomRows(count, f, 'angular');
    const bytes = async (prepare: (index: AnnoyIndex) => Promise<void>, seed?: number) => {
      const index = new AnnoyIndex(f, 'angular', { seed });
      index.addItems(rows);
      await prepare(index);
      return Buffer.from(await index.serialize()).toString('base64');
    };
    const constructed = await bytes((index) => index.build(3), 5);
    const set = await bytes(async (index) => {
      index.setSeed(5);
      await index.build(3);
    });
    expect(set).toBe(constructed);
    expect(await bytes((index) => index.build(3, { seed: 5 }), 9)).toBe(constructed);
    expect(await bytes((index) => index.build(3))).not.toBe(constructed);
  });

  it('chooses the number of trees itself for -1, as Annoy does: nodes for twice the items', async () => {
    const { index } = await built('angular', { trees: -1 });
    expect(index.getNTrees()).toBeGreaterThan(0);
    const nodes = (await index.serialize()).length / (4 * (f + 2));
    expect(nodes).toBeGreaterThanOrEqual(2 * count);
  });

  it('reports progress, and stops when aborted, without changing the items', async () => {
    const rows = randomRows(20_000, 64, 'angular');
    const index = new AnnoyIndex(64, 'angular');
    index.addItems(rows);
    const controller = new AbortController();
    const reason = new Error('changed my mind');
    const seen: number[] = [];
    const building = index.build(2_000, {
      threads: 1,
      signal: controller.signal,
      onProgress: ({ done, total }) => {
        expect(done).toBeLessThanOrEqual(total ?? Number.POSITIVE_INFINITY);
        seen.push(done);
        if (done > 0) controller.abort(reason);
      },
    });
    expect(index.state).toBe('busy');
    await expect(building).rejects.toBe(reason);
    expect(seen.length).toBeGreaterThan(0);
    expect(index.state).toBe('adding');
    index.addItem(20_000, rows.subarray(0, 64));
    await index.build(1);
    expect(index.getNItems()).toBe(20_001);
    await expect(index.getNnsByVectors(rows, 1, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('rejects with what onProgress throws', async () => {
    const index = new AnnoyIndex(f, 'angular');
    index.addItems(randomRows(count, f, 'angular'));
    const thrown = new Error('no');
    await expect(
      index.build(1, {
        onProgress: () => {
          throw thrown;
        },
      }),
    ).rejects.toBe(thrown);
    expect(index.state).toBe('adding');
  });
});

describe('unbuild', () => {
  it('lets items be added again, whether the forest was built here, mapped, or in use', async () => {
    const { index } = await built('angular');
    const before = Buffer.from(await index.serialize());
    await index.unbuild();
    expect([index.state, index.getNTrees(), index.getNItems()]).toEqual(['adding', 0, count]);
    await index.build(10, { seed: 7 });
    expect(before.equals(await index.serialize())).toBe(true);

    const path = join(folder, 'unbuild.ann');
    await index.save(path);
    await index.unbuild();
    expect(index.path).toBeUndefined();
    await index.build(10, { seed: 7 });
    expect(before.equals(await index.serialize())).toBe(true);

    const searching = index.getNnsByVectors(randomRows(500, f, 'angular'), 10);
    await index.unbuild();
    expect((await searching).items).toHaveLength(5000);
    await index.build(10, { seed: 7 });
    expect(before.equals(await index.serialize())).toBe(true);
  });
});

describe('search options', () => {
  it('finds only what is allowed, all of it when little is', async () => {
    const { index, rows } = await built('euclidean');
    const allowed = new Uint32Array(Math.ceil(count / 32));
    for (const item of [3, 64, 499]) allowed[item >>> 5]! |= 1 << (item & 31);
    const query = randomRows(1, f, 'euclidean', 3);
    const sorted = [3, 64, 499].sort(
      (a, b) =>
        distanceOf('euclidean', query, rows.subarray(a * f, (a + 1) * f)) -
        distanceOf('euclidean', query, rows.subarray(b * f, (b + 1) * f)),
    );
    expect([...index.getNnsByVector(query, 5, { allowed, searchK: 100_000 })]).toEqual(sorted);
    const batch = await index.getNnsByVectors(query, 5, { allowed, exact: true });
    expect([...batch.items]).toEqual([...sorted, -1, -1]);
    expect(Number.isNaN(batch.distances[3])).toBe(true);
    expect([...index.getNnsByVector(query, 5, { allowed: new Uint32Array(0) })]).toEqual([]);
    expect([...(await index.getNnsByVectors(query, 2, { allowed: new Uint32Array(0), exact: true })).items]).toEqual([
      -1, -1,
    ]);
  });

  it('orders vectors that are equal in float32 by item', async () => {
    const rows = new Float32Array(128 * 16_384).map((_, index) => Math.sin(index));
    const index = new AnnoyIndex(128, 'angular');
    index.addItems(rows);
    await index.build(1);
    // Rounding makes the distance of rows 7 and 16267 negative before it is cut off at 0.
    const { items, distances } = await index.getNnsByVectors(rows.subarray(7 * 128, 8 * 128), 2, { exact: true });
    expect([[...items], [...distances]]).toEqual([
      [7, 16_267],
      [0, 0],
    ]);
  });

  it('finds the same exactly whether threads share the queries or the rows', async () => {
    const rows = randomRows(60_000, 64, 'angular');
    const index = new AnnoyIndex(64, 'angular');
    const buffer = new VectorBuffer(64, 'angular');
    index.addItems(rows);
    buffer.append(rows);
    await index.build(1);
    const allowed = Uint32Array.from({ length: 1500 }, (_, word) => (word % 3 === 0 ? 0 : 0x0f0f0f0f));
    for (const count of [1, 5, 40]) {
      const queries = randomRows(count, 64, 'angular', count);
      const one = await index.getNnsByVectors(queries, 10, { exact: true, allowed, threads: 1 });
      for (const threads of [2, 3, 7]) {
        expect(await index.getNnsByVectors(queries, 10, { exact: true, allowed, threads })).toEqual(one);
      }
      expect(await buffer.search(queries, 10, { allowed })).toEqual(one);
      const vector = queries.slice(0, 64);
      const { distances } = await index.getNnsByVectors(vector, 10, { exact: true, threads: 7 });
      nearestDistances('angular', rows, vector, 10).forEach((distance, rank) => {
        expect(distances[rank]).toBeCloseTo(distance, 4);
      });
    }
  });

  it('finds more with a larger searchK', async () => {
    const { index, rows } = await built('angular', { trees: 3 });
    const recall = (searchK: number) => {
      let found = 0;
      for (let query = 0; query < 50; query++) {
        const vector = randomRows(1, f, 'angular', 1000 + query);
        const { distances } = index.getNnsByVector(vector, 10, { searchK, includeDistances: true });
        const limit = nearestDistances('angular', rows, vector, 10)[9]! + 1e-5;
        found += distances.filter((distance) => distance <= limit).length;
      }
      return found / 500;
    };
    expect(recall(400)).toBeGreaterThan(recall(10));
    expect(recall(10_000)).toBeGreaterThan(0.999);
  });

  it('returns nearest first and ties by item, whatever the data', () => {
    return fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: -2, max: 2 })), {
          minLength: 1,
          maxLength: 60,
        }),
        fc.constantFrom(...METRICS),
        fc.integer({ min: 1, max: 70 }),
        async (points, metric, n) => {
          const index = new AnnoyIndex(2, metric);
          index.addItems(points);
          await index.build(3, { threads: 1 });
          const { items, distances } = index.getNnsByVector([1, 1], n, { includeDistances: true, searchK: 10_000 });
          const exact = await index.getNnsByVectors([[1, 1]], n, { exact: true });
          index.close();
          expect(items).toHaveLength(Math.min(n, points.length));
          expect([...exact.items.slice(0, items.length)]).toEqual([...items]);
          for (let rank = 1; rank < items.length; rank++) {
            const closer = metric === 'dot' ? -distances[rank - 1]! : distances[rank - 1]!;
            const farther = metric === 'dot' ? -distances[rank]! : distances[rank]!;
            expect(closer < farther || (closer === farther && items[rank - 1]! < items[rank]!)).toBe(true);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('serialize', () => {
  it('compresses with gzip or zlib, which deserialize recognises', async () => {
    const { index } = await built('hamming');
    const plain = Buffer.from(await index.serialize());
    const gzip = await index.serialize({ compress: 'gzip' });
    const zlib = await index.serialize({ compress: 'zlib' });
    expect(gunzipSync(gzip).equals(plain)).toBe(true);
    expect(inflateSync(zlib).equals(plain)).toBe(true);
    for (const bytes of [gzip, zlib]) {
      const copy = new AnnoyIndex(f, 'hamming');
      await copy.deserialize(bytes);
      expect(plain.equals(await copy.serialize())).toBe(true);
      await expect(copy.deserialize(bytes.subarray(0, 50))).rejects.toMatchObject({ code: 'INVALID_FILE' });
      expect(copy.getNItems()).toBe(count);
    }
  });
});

describe('onDiskBuild', () => {
  it('builds the same file without holding it in memory, and leaves the name alone until then', async () => {
    const { index: reference, rows } = await built('angular');
    const path = join(folder, 'on-disk.ann');
    const index = new AnnoyIndex(0, 'angular', { seed: 7 });
    index.onDiskBuild(path);
    index.addItems(Array.from({ length: count }, (_, row) => rows.subarray(row * f, (row + 1) * f)));
    expect(index.memoryUsage().heap).toBe(0);
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
    await index.build(10);
    expect(readFileSync(path).equals(Buffer.from(await reference.serialize()))).toBe(true);
    expect([index.path, index.state, index.memoryUsage().heap]).toEqual([path, 'built', 0]);
    const opened = await AnnoyIndex.open(path);
    expect(opened.info()).toMatchObject({ items: count, trees: 10, seed: 7 });
    expect((await opened.validate({ strict: true })).valid).toBe(true);
  });
});

describe('info, memoryUsage and verbose', () => {
  it('report state, counts, file and memory', async () => {
    const messages: string[] = [];
    const index = new AnnoyIndex(f, 'dot', { seed: 3, logger: (message) => messages.push(message) });
    index.addItems(randomRows(count, f, 'dot'));
    expect(index.info()).toMatchObject({ f, metric: 'dot', state: 'adding', isLoaded: false, items: count, trees: 0 });
    expect(index.memoryUsage().heap).toBeGreaterThan(count * f * 4);
    await index.build(4, { threads: 2 });
    expect(messages).toEqual([]);
    index.verbose(true);
    const path = join(folder, 'info.ann');
    await index.save(path);
    await index.prefault();
    expect(messages).toEqual([`saved ${path}`]);
    index.verbose(false);
    index.unload();
    expect(messages).toHaveLength(1);
    const size = statSync(path).size;
    expect(index.info()).toMatchObject({
      state: 'unloaded',
      isLoaded: false,
      items: count,
      trees: 4,
      seed: 3,
      threads: 2,
      path,
      fileSize: size,
      memory: { heap: 0, mapped: 0 },
    });
    index.getNnsByItem(0, 1);
    expect(index.memoryUsage()).toEqual({ heap: 0, mapped: size });
    expect(index.info().instructionSet).toMatch(/^(scalar|avx2|avx512|avx512vnni|neon)$/);
  });
});
