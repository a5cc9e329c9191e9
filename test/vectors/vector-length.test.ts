import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnnoyIndex } from '../../src/vectors/annoy/annoy-index.js';

const shape = [
  [1, 0, 0],
  [0.6, 0.8, 0],
  [0, 1, 0],
  [0, 0, 1],
];
const scaled = (scale: number) => shape.map((row) => row.map((x) => x * scale));

describe('a vector of any magnitude', () => {
  it('is found like one of length 1, or refused when it is added and when it is asked', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('angular' as const, 'euclidean' as const),
        fc.integer({ min: -37, max: 37 }),
        async (metric, exponent) => {
          const scale = 10 ** exponent;
          const index = new AnnoyIndex(3, metric);
          const plain = new AnnoyIndex(3, metric);
          plain.addItems(scaled(1));
          await plain.build(3);
          if (exponent < -18 || exponent > 18) {
            expect(() => index.addItems(scaled(scale))).toThrow(/^item 0 has the length .*, expected 0 or a length/);
            expect(() => plain.getNnsByVector([scale, 0, 0], 1)).toThrow(/^query 0 has the length/);
            await expect(
              plain.getNnsByVectors(
                [
                  [1, 0, 0],
                  [scale, 0, 0],
                ],
                1,
              ),
            ).rejects.toMatchObject({
              code: 'INVALID_VECTOR',
              message: expect.stringMatching(/^query 1 has the length/),
            });
            expect(index.getNItems()).toBe(0);
          } else if (exponent > -18 && exponent < 18) {
            index.addItems(scaled(scale));
            await index.build(3);
            const query = [scale, 0.1 * scale, 0];
            expect(Array.from(index.getNnsByVector(query, 4))).toEqual([0, 1, 2, 3]);
            const unit = metric === 'angular' ? 1 : scale;
            expect(index.getDistance(0, 1) / unit).toBeCloseTo(Math.sqrt(0.8), 5);
          }
          index.close();
          plain.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is a zero vector, or a hamming vector of whatever numbers', () => {
    const index = new AnnoyIndex(3, 'euclidean');
    index.addItem(0, [0, 0, 0]);
    const bits = new AnnoyIndex(3, 'hamming');
    bits.addItem(0, [1e30, 0, 1e-30]);
    expect(index.getNItems() + bits.getNItems()).toBe(2);
    index.close();
    bits.close();
  });
});
