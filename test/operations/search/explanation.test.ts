import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HitExplanation, SearchOptions, SemanticIndex } from '../../../src/index.js';
import { Random } from '../../../src/random.js';
import { pick, randomIndex, randomText, words } from './column-corpus.js';

/** SEMANTIC_INDEX_COLUMN_CASES=300 for a long run. */
const cases = Number(process.env.SEMANTIC_INDEX_COLUMN_CASES ?? 40);
const random = new Random(Number(process.env.SEMANTIC_INDEX_COLUMN_SEED ?? 5));
let index: SemanticIndex;
beforeAll(async () => {
  ({ index } = await randomIndex(random, ':memory:', 60));
});
afterAll(() => index.close());

/** What the documented formula makes of the parts of a score. */
function scoreOf({ similarityPart, wordsPart, boost }: HitExplanation, mode: SearchOptions['mode']): number {
  const sum = similarityPart + wordsPart;
  if (mode === 'hybrid') return boost * Math.min(1, Math.max(0, sum));
  return sum >= 0 ? boost * sum : sum / boost;
}

describe('the explanation of a hit', () => {
  it.each(['text', 'vector', 'hybrid'] as const)('has the parts of its score in mode %s', async (mode) => {
    for (let number = 0; number < cases; number++) {
      const query = random.integer(2) === 0 ? randomText(random) : pick(random, words);
      const boost = [
        { field: 'when', halfLife: '90d', now: '2026-12-01' },
        { field: 'price', scale: 3, factor: pick(random, [0.2, 4]) },
        { where: { tags: 'x' }, factor: pick(random, [0.5, 3]) },
      ].filter(() => random.integer(2) === 0);
      const options: SearchOptions = {
        mode,
        k: 1 + random.integer(12),
        ...(boost.length > 0 && { boost }),
        ...(random.integer(3) === 0 && { groupBy: 'source', groupSize: 2 }),
        ...(random.integer(3) === 0 && { diversity: 0 }),
      };
      const plain = await index.search(query, options);
      const { hits, explanation: execution } = await index.search(query, { ...options, explain: true });
      expect(execution?.segments).toBeDefined();
      expect(hits.map(({ id, score }) => [id, score])).toEqual(plain.hits.map(({ id, score }) => [id, score]));
      const [alone, byWords] = [
        await index.search(query, { mode: 'vector', k: 100 }),
        await index.search(query, { mode: 'text', k: 100 }),
      ];
      for (const { id, score, explanation } of hits) {
        if (explanation === undefined) throw new Error('Expected an explanation');
        expect(Math.abs(scoreOf(explanation, mode) - score)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(score)));
        const product = (explanation.boosts ?? []).reduce((product, factor) => product * factor, 1);
        expect(Math.abs(product - explanation.boost)).toBeLessThanOrEqual(1e-9 * product);
        const sum = (explanation.words ?? []).reduce((sum, { score }) => sum + score, 0);
        if (mode === 'vector') expect(explanation.words).toBeUndefined();
        else expect(Math.abs(sum - (explanation.bm25 ?? Number.NaN))).toBeLessThanOrEqual(1e-6);
        for (const { word } of explanation.words ?? [])
          expect(words.some((known) => known.startsWith(word.slice(0, 3)))).toBe(true);
        const place = (ids: readonly { readonly id: unknown }[]) => ids.findIndex((hit) => hit.id === id) + 1;
        if (mode !== 'text') {
          expect(explanation.ranks.vector).toBe(place(alone.hits));
          const { score: cosine } = alone.hits[place(alone.hits) - 1] as { score: number };
          expect(Math.abs((explanation.similarity ?? Number.NaN) - cosine)).toBeLessThanOrEqual(1e-6);
        }
        if (mode !== 'vector') expect(explanation.ranks.words ?? 0).toBe(place(byWords.hits));
      }
    }
  });

  it('keeps the parts of the first score beside that of a reranker', async () => {
    const { hits } = await index.search('harbour at night', {
      explain: true,
      k: 3,
      rerank: (_, all) => all.map((_, place) => place),
    });
    expect(hits.length).toBe(3);
    for (const { score, explanation } of hits) {
      expect(explanation?.reranked).toBe(score);
      expect(explanation?.similarityPart).toBeLessThan(1);
    }
  });

  it('is absent without the option', async () => {
    const { hits } = await index.search('harbour');
    expect(hits.every((hit) => !('explanation' in hit))).toBe(true);
  });
});
