import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { addon } from '../../src/addon/addon.js';
import { METRICS } from '../../src/vectors/metric.js';
import { nearestDistances, randomRows } from './reference.js';

const dist = new URL('../../dist/vectors/', import.meta.url);

// The instruction set is chosen once in a process, so each is tried in a process of its own. The data is sent to it, and
// exact neighbours, the bytes of a forest and what its search finds come back.
const program = `
  import { instructionSet } from ${JSON.stringify(new URL('../addon/addon.js', dist).href)};
  import { AnnoyIndex } from ${JSON.stringify(new URL('annoy/annoy-index.js', dist).href)};
  import { VectorBuffer } from ${JSON.stringify(new URL('vector-buffer.js', dist).href)};
  import { createHash } from 'node:crypto';
  const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');
  process.once('message', async (cases) => {
    const answers = [];
    for (const { metric, f, rows, queries, k } of cases) {
      const index = new AnnoyIndex(f, metric, { seed: 5 });
      index.addItems(Float32Array.from(rows));
      await index.build(4, { threads: 2 });
      const exact = await index.getNnsByVectors(Float32Array.from(queries), k, { exact: true });
      const found = await index.getNnsByVectors(Float32Array.from(queries), k, { searchK: 50 });
      const buffer = new VectorBuffer(f, metric);
      buffer.append(Float32Array.from(rows));
      const scanned = await buffer.search(Float32Array.from(queries), k);
      answers.push({
        items: [...exact.items],
        distances: [...exact.distances],
        sameInBuffer: scanned.items.join() === exact.items.join() && scanned.distances.join() === exact.distances.join(),
        fingerprint: sha256(await index.serialize(), exact.items, exact.distances, found.items, found.distances),
      });
    }
    process.send({ instructionSet: instructionSet(), answers }, () => process.exit());
  });`;

interface Answer {
  readonly instructionSet: string;
  readonly answers: { items: number[]; distances: number[]; sameInBuffer: boolean; fingerprint: string }[];
}

// Lengths around the widths of registers, where the last few numbers are easily forgotten.
const cases = METRICS.flatMap((metric) =>
  [1, 3, 16, 17, 31, 33, 64, 100, 384].map((f) => ({
    metric,
    f,
    k: 5,
    rows: [...randomRows(60, f, metric, f)],
    queries: [...randomRows(6, f, metric, f + 1)],
  })),
);

function answersOf(instructionSet: string): Promise<Answer> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    env: { ...process.env, SEMANTIC_INDEX_ISA: instructionSet },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as Answer));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
    child.send(cases);
  });
}

describe('every instruction set of this machine', () => {
  const names = addon().instructionSets();

  it('is there: scalar at least', () => {
    expect(names).toContain('scalar');
  });

  it('finds exactly what brute force in double precision finds, and the same bits as all others', async () => {
    const fingerprints = new Map<string, string>();
    for (const name of names) {
      const { instructionSet, answers } = await answersOf(name);
      expect(instructionSet).toBe(name);
      answers.forEach(({ distances, sameInBuffer }, number) => {
        const { metric, f, rows, queries, k } = cases[number]!;
        expect(sameInBuffer).toBe(true);
        for (let query = 0; query < queries.length / f; query++) {
          const vector = Float32Array.from(queries.slice(query * f, (query + 1) * f));
          const truth = nearestDistances(metric, Float32Array.from(rows), vector, k);
          truth.forEach((distance, rank) => {
            const actual = distances[query * k + rank]!;
            expect(Math.abs(actual - distance)).toBeLessThan(1e-4 * Math.max(1, Math.abs(distance)));
          });
        }
      });
      fingerprints.set(name, answers.map(({ fingerprint }) => fingerprint).join());
    }
    expect(new Set(fingerprints.values()).size).toBe(1);
  });
});
