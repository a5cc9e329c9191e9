import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareCodePoints, TermDictionary } from '../../src/analysis/term-dictionary.js';

const wellFormed = fc
  .string({ unit: fc.oneof(fc.constantFrom('a', 'b', '\uE000', '\uFFFF', '🍐'), fc.string()), maxLength: 6 })
  .map((text) => text.toWellFormed());

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

describe('compareCodePoints', () => {
  it('orders strings as their UTF-8 bytes', () => {
    fc.assert(
      fc.property(wellFormed, wellFormed, (a, b) => {
        expect(Math.sign(compareCodePoints(a, b))).toBe(byBytes(a, b));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('TermDictionary', () => {
  it('numbers terms as they come', () => {
    const dictionary = new TermDictionary();
    expect(['b', 'a', 'b', ''].map((term) => dictionary.numberOf(term))).toEqual([0, 1, 0, 2]);
    expect([0, 1, 2].map((number) => dictionary.termOf(number))).toEqual(['b', 'a', '']);
    expect(dictionary.size).toBe(3);
  });

  it('sorts terms that it has known for long together with recent ones', () => {
    const dictionary = new TermDictionary();
    const numbers: number[] = [];
    for (let round = 0; round < 30; round++) {
      for (let n = 0; n < 700; n++) numbers.push(dictionary.numberOf(`${(n * 7919 + round * 104_729) % 50_021}`));
      const some = [...new Set(numbers)].filter((number) => (number * 31 + round) % 3 === 0);
      const sorted = Array.from(dictionary.sorted(Uint32Array.from(some)), (number) => dictionary.termOf(number));
      expect(sorted).toEqual(some.map((number) => dictionary.termOf(number)).sort(byBytes));
    }
    expect(dictionary.size).toBeGreaterThan(8192);
  });
});
