import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Metric } from '../../src/types.js';
import { AnnoyIndex } from '../../src/vectors/annoy/annoy-index.js';

/** An Annoy file of a released version, and what that version answered to some queries. */
interface Fixture {
  readonly metric: Metric;
  readonly f: number;
  readonly items: number;
  readonly trees: number;
  readonly k: number;
  readonly queries: number[][];
  readonly results: { items: number[]; distances: number[] }[];
}

const folder = fileURLToPath(new URL('fixtures/', import.meta.url));
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.ann'))
  .sort();

// `annoy-…` were written by Spotify's library: the release 1.17.3, and for dot also its unreleased main branch, whose
// nodes differ. `semantic-index-…` were written by that version of this package.
describe('files of every release', () => {
  it('are there', () => {
    expect(names).toHaveLength(11);
  });

  it.each(names)('%s gives the answers that its writer gave', async (name) => {
    const expected: Fixture = JSON.parse(readFileSync(`${folder}${name.replace(/ann$/, 'json')}`, 'utf8'));
    const { metric, f, k } = expected;
    const ours = name.startsWith('semantic-index-');
    const index = await AnnoyIndex.open(folder + name, ours ? {} : { metric, f });
    expect(index.info()).toMatchObject({ metric, f, items: expected.items, trees: expected.trees });
    const report = await index.validate({ strict: true });
    expect(report.checks.find(({ check }) => check === 'checksum')?.severity).toBe(ours ? 'error' : 'info');
    expected.queries.forEach((query, number) => {
      const { items, distances } = index.getNnsByVector(query, k, { includeDistances: true });
      expect([...items]).toEqual(expected.results[number]?.items);
      distances.forEach((distance, rank) => {
        expect(distance).toBeCloseTo(expected.results[number]!.distances[rank]!, 5);
      });
    });
    index.close();
  });
});
