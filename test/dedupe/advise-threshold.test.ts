import { describe, expect, it } from 'vitest';
import { adviseThreshold } from '../../src/dedupe/advise-threshold.js';
import { deterministicProvider } from '../../src/embed/testing/deterministic-provider.js';
import { SemanticIndex } from '../../src/semantic-index.js';

const open = () => SemanticIndex.open(':memory:', { provider: deterministicProvider({ dimensions: 64 }) });

/** Words of a text; the last ones differ between the members of a family. */
async function families(count: number): Promise<SemanticIndex> {
  const index = await open();
  await index.addDocuments(
    Array.from({ length: count }, (_, family) => {
      const common = Array.from({ length: 9 }, (_, word) => `w${family}x${word}`).join(' ');
      return [
        { id: `${family}a`, text: common },
        { id: `${family}b`, text: `${common} tail${family}` },
        {
          id: `${family}c`,
          text: `${common} other${family} end${family} more${family} last${family} z${family} y${family}`,
        },
      ];
    }).flat(),
  );
  return index;
}

describe('adviseThreshold', () => {
  it('shows pairs of every band, each once', async () => {
    await using index = await families(30);
    const bands = [0.5, 0.7, 0.9, 1];
    const advice = await adviseThreshold(index, { measure: 'similarity', bands, pairsPerBand: 4 });
    expect(advice.sampled).toBe(90);
    expect(advice.threshold).toBeUndefined();
    expect(advice.bands.map(({ from, to }) => [from, to])).toEqual([
      [0.9, 1],
      [0.7, 0.9],
      [0.5, 0.7],
    ]);
    expect(advice.bands[0]?.pairs).toBe(30);
    expect(advice.bands[1]?.pairs).toBeGreaterThan(30);
    for (const { from, to, pairs, examples, duplicates } of advice.bands) {
      expect(examples).toHaveLength(Math.min(4, pairs));
      expect(duplicates).toBeUndefined();
      for (const { first, second, similarity } of examples) {
        expect(first.id).not.toBe(second.id);
        expect(similarity).toBeGreaterThanOrEqual(from);
        expect(similarity).toBeLessThanOrEqual(to);
      }
    }
  });

  it('suggests the lowest threshold that reaches the precision', async () => {
    await using index = await families(30);
    const options = { measure: 'similarity', bands: [0.5, 0.7, 0.9, 1], pairsPerBand: 20 } as const;
    const long = ({ first, second }: { first: { text: string }; second: { text: string } }) =>
      Math.abs(first.text.length - second.text.length) < 12;
    expect((await adviseThreshold(index, { ...options, judge: long })).threshold).toBe(0.9);
    expect((await adviseThreshold(index, { ...options, judge: async () => true })).threshold).toBe(0.5);
    expect((await adviseThreshold(index, { ...options, judge: () => false })).threshold).toBeUndefined();
  });

  it.each([
    [{ bands: [0.9] }, 'INVALID_ARGUMENT'],
    [{ bands: [0.9, 0.8] }, 'INVALID_ARGUMENT'],
    [{ sample: 0 }, 'INVALID_ARGUMENT'],
    [{ precision: 2 }, 'INVALID_ARGUMENT'],
    [{ treshold: 1 } as never, 'UNKNOWN_OPTION'],
  ])('refuses %j', async (options, code) => {
    await using index = await families(1);
    await expect(adviseThreshold(index, options)).rejects.toMatchObject({ code });
  });

  it('returns empty bands for an empty index', async () => {
    await using index = await open();
    const advice = await adviseThreshold(index);
    expect(advice.sampled).toBe(0);
    expect(advice.bands.every(({ pairs }) => pairs === 0)).toBe(true);
  });
});
