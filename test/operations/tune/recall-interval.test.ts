import { describe, expect, it } from 'vitest';
import { driftOf } from '../../../src/operations/tune/drift.js';
import {
  designEffect,
  normalQuantile,
  recallInterval,
  recallOf,
} from '../../../src/operations/tune/recall-interval.js';
import { Random, sampleNumbers } from '../../../src/random.js';
import type { Tuning } from '../../../src/types.js';

describe('recallInterval', () => {
  it('is the Wilson interval for independent neighbors', () => {
    // 90 of 100 at 97.5 % on each side: 0.8256 to 0.9448, as in tables.
    const counts = { found: [90], of: [100] };
    const { recall, low, high } = recallInterval(counts, 0.975, 1);
    expect(recall).toBe(0.9);
    expect(low).toBeCloseTo(0.8256, 3);
    expect(high).toBeCloseTo(0.9448, 3);
  });

  it('has the quantiles of the normal distribution', () => {
    expect(normalQuantile(0.5)).toBeCloseTo(0, 5);
    expect(normalQuantile(0.975)).toBeCloseTo(1.95996, 3);
    expect(normalQuantile(0.99)).toBeCloseTo(2.32635, 3);
    expect(normalQuantile(0.01)).toBeCloseTo(-2.32635, 3);
  });

  it('covers the true recall as often as it says, also when misses come together', () => {
    let state = 5;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    let covered = 0;
    const rounds = 2_000;
    for (let round = 0; round < rounds; round++) {
      // A tenth of the queries finds half, the others find all: recall 0.95.
      const found = Array.from({ length: 300 }, () => (random() < 0.1 ? 5 : 10));
      const counts = { found, of: found.map(() => 10) };
      if (recallInterval(counts, 0.95, designEffect(counts) ?? 10).low <= 0.95) covered++;
    }
    expect(covered / rounds).toBeGreaterThan(0.93);
    expect(covered / rounds).toBeLessThan(0.98);
  });

  it('says nothing of an effect when nothing was missed', () => {
    expect(designEffect({ found: [10, 10], of: [10, 10] })).toBeUndefined();
    expect(designEffect({ found: [0, 10], of: [10, 10] })).toBe(10);
    expect(recallOf({ found: [], of: [] })).toBe(1);
  });
});

describe('driftOf', () => {
  const tuning = { segments: [1, 2], dead: 10 } as unknown as Tuning;
  it.each([
    [[{ segment: 1, items: 100, dead: 10 }], 0, false],
    [[{ segment: 1, items: 100, dead: 40 }], 0.3, true],
    [
      [
        { segment: 1, items: 90, dead: 0 },
        { segment: 3, items: 10, dead: 0 },
      ],
      0.1,
      false,
    ],
    [[{ segment: 4, items: 10, dead: 0 }], 1, true],
    [[], 0, false],
  ])('of %j', (forests, drift, drifted) => {
    expect(driftOf(tuning, forests)).toEqual({ drift, drifted });
  });
});

it('samples different numbers', () => {
  for (const count of [0, 1, 5, 9, 10, 20]) {
    const chosen = sampleNumbers(count, 10, new Random(count));
    expect(new Set(chosen).size).toBe(Math.min(count, 10));
    expect(chosen.every((number) => number >= 0 && number < 10)).toBe(true);
  }
});
