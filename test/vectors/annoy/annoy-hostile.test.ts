import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { SemanticIndexError } from '../../../src/errors.js';
import type { Metric } from '../../../src/types.js';
import { AnnoyIndex } from '../../../src/vectors/annoy/annoy-index.js';
import { METRICS } from '../../../src/vectors/metric.js';
import { randomNumbers } from '../reference.js';

const folder = fileURLToPath(new URL('../../compat/fixtures/', import.meta.url));
const fixtures = readdirSync(folder)
  .filter((name) => name.endsWith('.ann'))
  .map((name) => {
    const { metric, f } = JSON.parse(readFileSync(`${folder}${name.replace(/ann$/, 'json')}`, 'utf8'));
    return { name, metric: metric as Metric, f: f as number, bytes: new Uint8Array(readFileSync(folder + name)) };
  });

/**
 * Loads bytes that may be anything, asks every kind of question, and returns whether there was an answer. What comes
 * back must be an answer of the right shape or a typed error; a crash would end the run.
 */
async function question(bytes: Uint8Array, metric: Metric, f: number): Promise<boolean> {
  const index = new AnnoyIndex(f, metric);
  try {
    await index.deserialize(bytes);
    await index.validate();
    const query = new Float32Array(f).fill(0.3);
    const { items, distances } = index.getNnsByVector(query, 5, { includeDistances: true });
    expect(items.length).toBe(distances.length);
    for (const item of items) expect(item < index.getNItems() && item >= 0).toBe(true);
    index.getNnsByVector(query, 5, { allowed: Uint32Array.of(0x5555), searchK: 1_000 });
    await index.getNnsByVectors(query, 3, { exact: true, threads: 1 });
    index.getItemVectors(0, Math.min(index.getNItems(), 100));
    index.getNnsByItem(0, 3);
    index.getDistance(0, index.getNItems() - 1);
    await index.unbuild();
    return true;
  } catch (error) {
    if (!SemanticIndexError.is(error)) throw error;
    expect(['INVALID_FILE', 'INVALID_ARGUMENT', 'OUT_OF_MEMORY', 'INVALID_VECTOR']).toContain(error.code);
    return false;
  } finally {
    index.close();
  }
}

describe('bytes of strangers', () => {
  it.each(fixtures.filter(({ name }) => name.startsWith('annoy-')))(
    '$name with any byte changed, or cut anywhere: an answer or a typed error',
    async ({ bytes, metric, f }) => {
      const random = randomNumbers(bytes.length);
      let answers = 0;
      // Every second byte of the trees and every fifth of the items; the kernel has a test of its own with all of them.
      for (let position = 0; position < bytes.length; position += position < bytes.length / 2 ? 5 : 2) {
        const changed = bytes.slice();
        changed[position]! ^= 1 << Math.floor(random() * 8);
        answers += Number(await question(changed, metric, f));
      }
      expect(answers).toBeGreaterThan(100);
      for (let length = 0; length < bytes.length; length += 7) await question(bytes.subarray(0, length), metric, f);
      for (let round = 0; round < 200; round++) {
        const mixed = bytes.slice();
        for (let change = 0; change < 20; change++) {
          const value = [0, 0xff, 0x7f, 0x80, Math.floor(random() * 256)][Math.floor(random() * 5)]!;
          mixed[Math.floor(random() * mixed.length)] = value;
        }
        await question(mixed, metric, f);
      }
    },
    120_000,
  );

  it('opened with every metric and many lengths of vectors: an answer or a typed error', async () => {
    let wrong = 0;
    for (const { bytes, metric, f } of fixtures) {
      for (const other of METRICS) {
        for (const length of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 20, 64, 65, 72, 100, 128, 129, 1000]) {
          const answered = await question(bytes, other, length);
          if (answered && (other !== metric || length !== f)) wrong++;
          if (other === metric && length === f) expect(answered).toBe(true);
        }
      }
    }
    // Some files fit more than one reading: nothing but a sidecar can tell. They are few.
    expect(wrong).toBeLessThan(fixtures.length * METRICS.length * 3);
  });

  it('that are random: an answer or a typed error', async () => {
    const random = randomNumbers(5);
    for (let round = 0; round < 500; round++) {
      const bytes = Uint8Array.from({ length: Math.floor(random() * 400) * 4 }, () =>
        random() < 0.7 ? 0 : Math.floor(random() * 256),
      );
      await question(bytes, METRICS[round % 5]!, 1 + Math.floor(random() * 12));
    }
  });
});
