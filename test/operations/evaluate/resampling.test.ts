import { describe, expect, it } from 'vitest';
import { bootstrap, holm, randomizationTest } from '../../../src/operations/evaluate/resampling.js';
import { Random } from '../../../src/random.js';

const resampling = { resamples: 4000, confidence: 0.95, signal: undefined };

/** Roughly normal values around a mean. */
function sample(size: number, mean: number, seed: number): number[] {
  const random = new Random(seed);
  const noise = (): number => Array.from({ length: 12 }, () => random.number()).reduce((a, b) => a + b) - 6;
  return Array.from({ length: size }, () => mean + noise());
}

describe('bootstrap intervals', () => {
  it('cover the true mean about as often as they promise', async () => {
    let covered = 0;
    for (let trial = 0; trial < 200; trial++) {
      const { low, high } = await bootstrap(sample(60, 1, trial), new Random(trial), { ...resampling, resamples: 400 });
      if (low <= 1 && 1 <= high) covered++;
    }
    expect(covered).toBeGreaterThan(180);
    expect(covered).toBeLessThan(200);
  });

  it('have the width that the normal distribution gives, and repeat with a seed', async () => {
    const values = sample(400, 0, 7);
    const estimate = await bootstrap(values, new Random(3), resampling);
    expect(estimate.high - estimate.low).toBeGreaterThan(0.17);
    expect(estimate.high - estimate.low).toBeLessThan(0.22);
    expect(await bootstrap(values, new Random(3), resampling)).toEqual(estimate);
  });

  it('stop when the signal aborts', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(bootstrap(sample(100_000, 0, 1), new Random(1), { ...resampling, signal })).rejects.toThrow('enough');
  });
});

describe('the paired randomization test', () => {
  it('is exact for few differences', async () => {
    // All eight signs of 1, 2, 3: the sum is 6 or -6 in two of them.
    const p = await randomizationTest([1, 2, 3], new Random(1), { ...resampling, resamples: 20_000 });
    expect(p).toBeCloseTo(0.25, 1);
  });

  it('finds a difference, and none where there is none', async () => {
    expect(await randomizationTest(sample(200, 0.5, 5), new Random(1), resampling)).toBeLessThan(0.001);
    let chance = 0;
    for (let trial = 0; trial < 100; trial++) {
      const p = await randomizationTest(sample(50, 0, 100 + trial), new Random(trial), {
        ...resampling,
        resamples: 500,
      });
      if (p < 0.05) chance++;
    }
    expect(chance).toBeLessThan(14);
    expect(await randomizationTest([0, 0, 0], new Random(1), resampling)).toBe(1);
  });

  it('is corrected for the number of comparisons', () => {
    const corrected = holm([0.04, 0.01, 0.03]);
    [0.06, 0.03, 0.06].forEach((expected, place) => {
      expect(corrected[place]).toBeCloseTo(expected, 12);
    });
    expect(holm([])).toEqual([]);
  });
});
