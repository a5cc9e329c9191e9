import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { METRICS } from '../../src/vectors/metric.js';
import { VectorBuffer } from '../../src/vectors/vector-buffer.js';
import { nearestDistances, randomRows } from './reference.js';

const dimensions = 12;

describe.each(METRICS)('a buffer with the metric %s', (metric) => {
  it('equals brute force', async () => {
    const buffer = new VectorBuffer(dimensions, metric);
    const rows = randomRows(700, dimensions, metric);
    for (let row = 0; row < 700; row += 70) buffer.append(rows.subarray(row * dimensions, (row + 70) * dimensions));
    expect(buffer.length).toBe(700);
    expect(buffer.byteLength).toBeGreaterThan(0);
    expect(buffer.get(123)).toEqual(rows.slice(123 * dimensions, 124 * dimensions));
    const queries = randomRows(37, dimensions, metric, 2);
    const { items, distances } = await buffer.search(queries, 9);
    expect([items.length, distances.length]).toEqual([37 * 9, 37 * 9]);
    for (let query = 0; query < 37; query++) {
      const vector = queries.slice(query * dimensions, (query + 1) * dimensions);
      nearestDistances(metric, rows, vector, 9).forEach((distance, rank) => {
        expect(distances[query * 9 + rank]).toBeCloseTo(distance, 4);
      });
    }
  });
});

describe('search', () => {
  it('searches the rows at the time of the call', async () => {
    const buffer = new VectorBuffer(1, 'euclidean');
    buffer.append(Float32Array.of(5, 4, 3));
    const searching = buffer.search(Float32Array.of(0), 5);
    buffer.append(Float32Array.of(0));
    buffer.close();
    expect([...(await searching).items]).toEqual([2, 1, 0, -1, -1]);
    expect([...(await searching).distances]).toEqual([3, 4, 5, Number.NaN, Number.NaN]);
  });

  it('is narrowed by length and allowed', async () => {
    const buffer = new VectorBuffer(1, 'euclidean');
    buffer.append(Float32Array.from({ length: 100 }, (_, row) => row));
    const query = Float32Array.of(100);
    expect([...(await buffer.search(query, 2, { length: 50 })).items]).toEqual([49, 48]);
    expect([...(await buffer.search(query, 2, { length: 0 })).items]).toEqual([-1, -1]);
    const allowed = Uint32Array.of(0b1010, 0, 1);
    expect([...(await buffer.search(query, 4, { allowed })).items]).toEqual([64, 3, 1, -1]);
    expect([...(await buffer.search(query, 2, { allowed, length: 4 })).items]).toEqual([3, 1]);
    expect([...(await buffer.search(query, 1, { allowed: new Uint32Array(0) })).items]).toEqual([-1]);
  });

  it('can be aborted', { timeout: 120_000 }, async () => {
    const buffer = new VectorBuffer(256, 'angular');
    for (let part = 0; part < 40; part++) buffer.append(randomRows(1000, 256, 'angular', part));
    const queries = randomRows(1000, 256, 'angular', 99);
    const controller = new AbortController();
    const searching = buffer.search(queries, 10, { signal: controller.signal });
    const before = process.cpuUsage();
    setTimeout(() => controller.abort(), 10);
    await expect(searching).rejects.toMatchObject({ name: 'AbortError' });
    const stopped = cpuSince(before);
    // Time on the processor, which others on the machine do not take away: most of the work is left undone.
    const again = process.cpuUsage();
    await buffer.search(queries, 10);
    expect(stopped).toBeLessThan(cpuSince(again) / 2);
    await expect(buffer.search(queries, 10, { signal: controller.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

describe('drop', () => {
  it('returns the remaining rows, which grow independently', () => {
    return fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 8 }),
        fc.array(fc.nat(300), { maxLength: 5 }),
        async (appends, drops) => {
          let buffer = new VectorBuffer(2, 'euclidean');
          let expected: number[] = [];
          let next = 0;
          const grow = (count: number) => {
            const rows = Float32Array.from({ length: count * 2 }, (_, index) => next + (index >> 1));
            for (let row = 0; row < count; row++) expected.push(next + row);
            next += count;
            buffer.append(rows);
          };
          for (let step = 0; step < Math.max(appends.length, drops.length); step++) {
            grow(appends[step] ?? 0);
            const count = Math.min(drops[step] ?? 0, buffer.length);
            const rest = buffer.drop(count);
            // What is appended to the one is not seen by the other.
            buffer.append(Float32Array.of(-1, -1));
            buffer.close();
            buffer = rest;
            expected = expected.slice(count);
            expect(buffer.length).toBe(expected.length);
          }
          expect(expected.map((_, row) => buffer.get(row)[1])).toEqual(expected);
          const found = await buffer.search(Float32Array.of(-5, -5), 3);
          expect([...found.items.slice(0, Math.min(3, expected.length))]).toEqual([0, 1, 2].slice(0, expected.length));
          buffer.close();
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('bad input', () => {
  it('is refused and changes nothing', async () => {
    const buffer = new VectorBuffer(3, 'angular');
    buffer.append(Float32Array.of(1, 2, 3));
    const code = (expected: string) => expect.objectContaining({ code: expected });
    expect(() => new VectorBuffer(0, 'angular')).toThrow(code('INVALID_ARGUMENT'));
    expect(() => new VectorBuffer(3, 'cosine' as 'angular')).toThrow(code('INVALID_ARGUMENT'));
    expect(() => buffer.append(Float32Array.of(1, 2))).toThrow(code('DIMENSION_MISMATCH'));
    expect(() => buffer.append(Float32Array.of(1, 2, 3, 4, Number.NaN, 6))).toThrow(code('INVALID_VECTOR'));
    expect(() => buffer.get(1)).toThrow(code('INVALID_ARGUMENT'));
    expect(() => buffer.drop(2)).toThrow(code('INVALID_ARGUMENT'));
    await expect(buffer.search(Float32Array.of(1, 2, 3), 0)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(buffer.search(Float32Array.of(1), 1)).rejects.toMatchObject({ code: 'DIMENSION_MISMATCH' });
    await expect(buffer.search(Float32Array.of(1, Number.NaN, 1), 1)).rejects.toMatchObject({ code: 'INVALID_VECTOR' });
    expect(buffer.length).toBe(1);
    buffer.close();
    buffer.close();
    expect(buffer.length).toBe(0);
    expect(() => buffer.append(Float32Array.of(1, 2, 3))).toThrow(code('CLOSED'));
    expect(() => buffer.get(0)).toThrow(code('CLOSED'));
    expect(() => buffer.drop(0)).toThrow(code('CLOSED'));
    await expect(buffer.search(Float32Array.of(1, 2, 3), 1)).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
