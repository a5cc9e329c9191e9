import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuse } from '../../src/ranking/fuse.js';

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

  it('keeps every candidate for all scores', () => {
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
