import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyzeDocument, analyzeQuery } from '../../src/analysis/analyze.js';
import { stemOf } from '../../src/analysis/stem.js';
import { termsOf } from '../../src/analysis/terms.js';
import { randomText } from './random-text.js';

describe('analyzeDocument', () => {
  it('counts stems', () => {
    const { length, terms } = analyzeDocument('The foxes and the fox: foxes!');
    expect(length).toBe(6);
    expect([...terms]).toEqual([
      ['the', 2],
      ['fox', 3],
      ['and', 1],
    ]);
  });

  it('finds nothing in a text without words', () => {
    expect(analyzeDocument(' … ')).toEqual({ length: 0, terms: new Map() });
  });

  it('counts every term of a text', () => {
    fc.assert(
      fc.property(randomText, (text) => {
        const { length, terms } = analyzeDocument(text);
        expect(length).toBe(termsOf(text).length);
        expect([...terms.values()].reduce((sum, count) => sum + count, 0)).toBe(length);
        expect([...terms.keys()].sort()).toEqual([...new Set(termsOf(text).map(stemOf))].sort());
      }),
      { numRuns: 1000 },
    );
  });
});

describe('analyzeQuery', () => {
  it('weighs each stem by how often it occurs', () => {
    expect(analyzeQuery('What do foxes eat when a fox eats?')).toEqual({ terms: ['fox', 'eat'], weights: [2, 2] });
    expect(analyzeQuery('1.2')).toEqual({ terms: ['1', '2', '1.2'], weights: [1, 1, 2] });
    expect(analyzeQuery('…')).toEqual({ terms: [], weights: [] });
  });

  it('returns stems that a document with the same text has', () => {
    fc.assert(
      fc.property(randomText, (text) => {
        const { terms } = analyzeDocument(text);
        expect(analyzeQuery(text).terms.filter((term) => !terms.has(term))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('ignores all but 256 stems', () => {
    const words = Array.from({ length: 1000 }, (_, n) => `word${n}`);
    // Each also has the parts "word" and its number.
    expect(analyzeQuery(words.join(' ')).terms).toHaveLength(256);
  });

  it('reads the beginning of a long query, up to the end of a word', () => {
    const began = performance.now();
    expect(analyzeQuery('equal '.repeat(1_000_000))).toEqual({ terms: ['equal'], weights: [2730] });
    expect(analyzeQuery(`first ${'x'.repeat(10_000_000)}`).terms).toEqual(['first']);
    expect(analyzeQuery('x'.repeat(10_000_000)).terms).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
