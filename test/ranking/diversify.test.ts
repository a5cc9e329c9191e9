import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diversify } from '../../src/ranking/diversify.js';
import type { Ranked } from '../../src/ranking/ranked.js';

/** The definition, without anything that makes it fast. */
function plainMmr(candidates: readonly Ranked[], k: number, diversity: number, rows: readonly number[][]): number[] {
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
  const cosine = (a: readonly number[], b: readonly number[]) => {
    const lengths = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b));
    return lengths === 0 ? 0 : dot(a, b) / lengths;
  };
  const best = Math.max(...candidates.map(({ score }) => score), 1e-9);
  const left = [...candidates.keys()];
  const picked: number[] = [];
  while (picked.length < k && left.length > 0) {
    const values = left.map((position) => {
      const similar = picked.map((pick) => cosine(rows[position] as number[], rows[pick] as number[]));
      const relevance = ((1 - diversity) * (candidates[position] as Ranked).score) / best;
      return picked.length === 0 ? relevance : relevance - diversity * Math.max(...similar);
    });
    const [next] = left.splice(values.indexOf(Math.max(...values)), 1);
    picked.push(next as number);
  }
  return picked.map((position) => (candidates[position] as Ranked).key);
}

const dimensions = 4;
// Small whole numbers: many vectors are equal, opposite or zero, and many scores tie, without rounding.
const candidate = fc.tuple(
  fc.integer({ min: 0, max: 4 }),
  fc.array(fc.integer({ min: -2, max: 2 }), { minLength: dimensions, maxLength: dimensions }),
);

describe('diversify', () => {
  it('picks what the definition picks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(candidate, { maxLength: 30 }),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom(0, 0.25, 0.5, 1),
        async (made, k, diversity) => {
          const candidates = made.map(([score], key) => ({ key, score }));
          const rows = made.map(([, row]) => row);
          const data = Float32Array.from(rows.flat());
          const picked = await diversify(candidates, k, diversity, { data, dimensions });
          expect(picked.map(({ key }) => key)).toEqual(plainMmr(candidates, k, diversity, rows));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('gives min(k, candidates)', async () => {
    const data = Float32Array.of(1, 0, 1, 0, 0, 1);
    const candidates = [1, 2, 3].map((key) => ({ key, score: 1 / key }));
    expect(await diversify(candidates, 9, 1, { data, dimensions: 2 })).toHaveLength(3);
    expect(await diversify([], 9, 1, { data: new Float32Array(0), dimensions: 2 })).toEqual([]);
  });

  it('leaves the event loop free, and stops when the signal aborts', async () => {
    const [count, wide] = [5000, 128];
    const data = Float32Array.from({ length: count * wide }, (_, i) => Math.sin(i * 0.7) + Math.sin(i * i));
    const candidates = Array.from({ length: count }, (_, key) => ({ key, score: 1 - key / count }));
    const controller = new AbortController();
    let turns = 0;
    const timer = setInterval(() => {
      if (++turns === 5) controller.abort(new Error('enough'));
    }, 1);
    const picking = diversify(candidates, count, 1, { data, dimensions: wide }, controller.signal);
    await expect(picking).rejects.toThrow('enough');
    clearInterval(timer);
  });
});
