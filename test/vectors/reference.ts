import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { Random } from '../../src/random.js';
import type { Metric } from '../../src/types.js';

/** Numbers in [0, 1), the same sequence for the same seed. */
export function randomNumbers(seed: number): () => number {
  const random = new Random(seed);
  return () => random.number();
}

/** `count` rows of `f` numbers around 0, or bits for hamming. */
export function randomRows(count: number, f: number, metric: Metric, seed = 1): Float32Array {
  const random = randomNumbers(seed);
  return Float32Array.from({ length: count * f }, () =>
    metric === 'hamming' ? Number(random() > 0.5) : random() * 2 - 1,
  );
}

/** The distance of two vectors as Annoy defines it, computed in double precision. */
export function distanceOf(metric: Metric, left: Float32Array, right: Float32Array): number {
  let dot = 0;
  let leftNorm = 0;
  let rightNorm = 0;
  let squared = 0;
  let absolute = 0;
  let bits = 0;
  for (let index = 0; index < left.length; index++) {
    const x = left[index]!;
    const y = right[index]!;
    dot += x * y;
    leftNorm += x * x;
    rightNorm += y * y;
    squared += (x - y) ** 2;
    absolute += Math.abs(x - y);
    bits += Number(x > 0.5 !== y > 0.5);
  }
  const norms = Math.sqrt(leftNorm * rightNorm);
  switch (metric) {
    case 'angular':
      return Math.sqrt(Math.max(0, norms > 0 ? 2 - (2 * dot) / norms : 2));
    case 'dot':
      return dot;
    case 'euclidean':
      return Math.sqrt(squared);
    case 'manhattan':
      return absolute;
    case 'hamming':
      return bits;
  }
}

/** The distances of the `k` nearest rows, nearest first, by looking at all. */
export function nearestDistances(metric: Metric, rows: Float32Array, query: Float32Array, k: number): number[] {
  const f = query.length;
  const all = Array.from({ length: rows.length / f }, (_, row) =>
    distanceOf(metric, query, rows.subarray(row * f, (row + 1) * f)),
  );
  return all.sort((a, b) => (metric === 'dot' ? b - a : a - b)).slice(0, k);
}

/** A folder for the tests of one file, removed afterwards. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'semantic-index-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
