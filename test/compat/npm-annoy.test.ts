import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Metric } from '../../src/types.js';
import { AnnoyIndex } from '../../src/vectors/annoy/annoy-index.js';
import { randomRows, temporaryFolder } from '../vectors/reference.js';

/** The part of npm's `annoy` that is used here. */
interface NpmAnnoy {
  addItem(item: number, vector: number[]): void;
  build(trees: number): void;
  save(path: string): boolean;
  load(path: string): boolean;
  getNItems(): number;
  getNNsByVector(
    vector: number[],
    n: number,
    searchK: number,
    includeDistances: true,
  ): { neighbors: number[]; distances: number[] };
}

const Annoy = createRequire(import.meta.url)('annoy') as new (f: number, metric: string) => NpmAnnoy;
const folder = temporaryFolder();
const f = 40;
const count = 3000;
const trees = 8;
const k = 10;

// npm's annoy has three of the five metrics; the fixtures beside this file cover all.
const metrics: [Metric, string][] = [
  ['angular', 'Angular'],
  ['euclidean', 'Euclidean'],
  ['manhattan', 'Manhattan'],
];

describe.each(metrics)("npm's annoy with the metric %s", (metric, theirName) => {
  const rows = randomRows(count, f, metric, 3);
  const queries = randomRows(100, f, metric, 4);

  function compare(theirs: NpmAnnoy, ours: AnnoyIndex, searchK: number | undefined) {
    for (let query = 0; query < 100; query++) {
      const vector = queries.slice(query * f, (query + 1) * f);
      const expected = theirs.getNNsByVector([...vector], k, searchK ?? -1, true);
      const actual = ours.getNnsByVector(vector, k, { searchK, includeDistances: true });
      expect([...actual.items]).toEqual(expected.neighbors);
      actual.distances.forEach((distance, rank) => {
        expect(Math.abs(distance - expected.distances[rank]!)).toBeLessThan(1e-5);
      });
    }
  }

  it('loads what is built here and finds the same neighbours', async () => {
    const path = join(folder, `ours-${metric}.ann`);
    const ours = new AnnoyIndex(f, metric);
    ours.addItems(rows);
    await ours.build(trees);
    await ours.save(path);
    const theirs = new Annoy(f, theirName);
    expect(theirs.load(path)).toBe(true);
    expect(theirs.getNItems()).toBe(count);
    compare(theirs, ours, undefined);
    compare(theirs, ours, 50);
  });

  it('builds what is loaded here and gives the same neighbours', async () => {
    const path = join(folder, `theirs-${metric}.ann`);
    const theirs = new Annoy(f, theirName);
    for (let item = 0; item < count; item++) theirs.addItem(item, [...rows.slice(item * f, (item + 1) * f)]);
    theirs.build(trees);
    expect(theirs.save(path)).toBe(true);
    const ours = await AnnoyIndex.open(path, { f, metric });
    expect([ours.getNItems(), ours.getNTrees()]).toEqual([count, trees]);
    expect((await ours.validate({ strict: true })).valid).toBe(true);
    compare(theirs, ours, undefined);
    compare(theirs, ours, 50);
  });
});
