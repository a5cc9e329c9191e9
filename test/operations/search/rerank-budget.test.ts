import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BatchesWithin } from '../../../src/operations/search/rerank-budget.js';

describe('BatchesWithin', () => {
  let now = 0;
  beforeEach(() => {
    now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const textsOf = (lengths: readonly number[]) => lengths.map((length) => ({ text: 'x'.repeat(length) }));

  /** Texts that a model judges within a budget: it pads texts to the longest one, and cuts them. */
  function judge(lengths: readonly number[], budget: number | undefined, call: number, perCharacter: number) {
    const began = now;
    const sizes: number[] = [];
    for (const batch of new BatchesWithin(textsOf(lengths), budget)) {
      const longest = Math.max(...batch.map(({ text }) => Math.min(2_500, text.length)));
      now += call + batch.length * (longest + 100) * perCharacter;
      sizes.push(batch.length);
    }
    return { sizes, judged: sizes.reduce((sum, size) => sum + size, 0), took: now - began };
  }

  it('uses a budget by four fifths at least, and never exceeds it once it knows the model', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 20, max: 6_000 }), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 50, max: 300 }),
        fc.double({ min: 0.001, max: 0.05, noNaN: true }),
        (lengths, budget, perCharacter) => {
          const { sizes, judged, took } = judge(lengths, budget, 0, perCharacter);
          const slowest = 2_600 * perCharacter;
          expect(took).toBeLessThanOrEqual(Math.max(budget, (budget < 100 ? 1 : 2) * slowest) * (1 + 1e-9));
          // What is left is less than one text takes, the longest at most.
          if (judged < lengths.length && sizes.length > 1) expect(took).toBeGreaterThanOrEqual(budget - slowest);
          expect(Math.max(...sizes)).toBeLessThanOrEqual(16);
        },
      ),
    );
  });

  it('stays within the budget where a call costs as much as many texts', () => {
    for (const call of [5, 20, 60]) {
      const { judged, took } = judge(new Array(100).fill(400), 150, call, 0.004);
      expect(took).toBeLessThanOrEqual(150);
      expect(judged).toBeGreaterThan(2);
    }
  });

  it('leaves room for a batch that takes twice as long as those before it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 20, max: 6_000 }), { minLength: 1, maxLength: 100 }),
        fc.integer({ min: 100, max: 400 }),
        fc.double({ min: 0.001, max: 0.02, noNaN: true }),
        fc.array(fc.double({ min: 1, max: 2, noNaN: true }), { minLength: 101, maxLength: 101 }),
        (lengths, budget, perCharacter, slowness) => {
          const began = now;
          const batches = new BatchesWithin(textsOf(lengths), budget);
          let number = 0;
          for (const batch of batches) {
            const longest = Math.max(...batch.map(({ text }) => Math.min(2_500, text.length)));
            now += batch.length * (longest + 100) * perCharacter * (slowness[number] as number);
            if (number > 0 && batch.length > 1) expect(now - began).toBeLessThanOrEqual(1.1 * budget * (1 + 1e-9));
            if (number > 0) expect(batches.deadline).toBeCloseTo(began + 1.1 * budget, 6);
            else expect(batches.deadline).toBeUndefined();
            number++;
          }
        },
      ),
    );
  });

  it('takes all at once without a budget, and nothing of nothing', () => {
    expect(judge(new Array(50).fill(100), undefined, 1, 1).sizes).toEqual([50]);
    expect(judge([], undefined, 1, 1).sizes).toEqual([]);
    expect(judge([], 100, 1, 1).sizes).toEqual([]);
  });
});
