import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diversify } from '../../src/search/diversify.js';
import { fuse } from '../../src/search/fuse.js';

const ranking = (least: number) =>
  fc.uniqueArray(
    fc.record({ key: fc.integer({ min: 1, max: 30 }), score: fc.double({ min: least, max: 9, noNaN: true }) }),
    {
      selector: ({ key }) => key,
      maxLength: 20,
    },
  );

describe('fuse', () => {
  it('adds the share of the reachable BM25 and the weighted similarity, both full being 1', () => {
    const fused = fuse(
      [
        { key: 1, score: 8 },
        { key: 2, score: 4 },
      ],
      8,
      [
        { key: 1, score: 1 },
        { key: 3, score: 0.5 },
      ],
      0.5,
    );
    expect(fused.map(({ key }) => key)).toEqual([1, 2, 3]);
    expect(fused.map(({ score }) => score)).toEqual([1, expect.closeTo(1 / 3), expect.closeTo(1 / 6)]);
  });

  it('lets meaning win over a stray word', () => {
    const fused = fuse([{ key: 1, score: 1 }], 10, [{ key: 2, score: 0.6 }]);
    expect(fused[0]?.key).toBe(2);
  });

  it('loses nobody, whatever the scores', () => {
    fc.assert(
      fc.property(ranking(0), ranking(-1), (words, vectors) => {
        const most = words.reduce((best, { score }) => Math.max(best, score), 0);
        const fused = fuse(words, most, vectors);
        expect(new Set(fused.map(({ key }) => key))).toEqual(new Set([...words, ...vectors].map(({ key }) => key)));
        for (const { score } of fused) expect(score).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
  });
});

describe('diversify', () => {
  const candidates = [
    { key: 1, score: 1 },
    { key: 2, score: 0.99 },
    { key: 3, score: 0.5 },
  ];
  // 1 and 2 say the same.
  const similarity = (a: number, b: number): number => (a + b === 1 ? 1 : 0);

  it('keeps the order of relevance at 0 and avoids likes above', () => {
    expect(diversify(candidates, 3, 0, similarity).map(({ key }) => key)).toEqual([1, 2, 3]);
    expect(diversify(candidates, 2, 0.5, similarity).map(({ key }) => key)).toEqual([1, 3]);
  });

  it('gives min(k, candidates)', () => {
    expect(diversify(candidates, 9, 1, similarity)).toHaveLength(3);
    expect(diversify([], 9, 1, similarity)).toEqual([]);
  });
});
