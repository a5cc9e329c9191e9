import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adviseMinScore } from '../../src/evaluation/advise-min-score.js';
import { SemanticIndex } from '../../src/index.js';
import type { Hit } from '../../src/types.js';

/** An index that answers with given scores. */
function scored(answers: Readonly<Record<string, readonly (readonly [id: string, score: number])[]>>) {
  const index: unknown = {
    search: async (query: unknown) => ({
      hits: (answers[String(query)] ?? []).map(([id, score]) => ({ id, score }) as unknown as Hit),
    }),
  };
  return index as Pick<SemanticIndex, 'search'>;
}

describe('adviseMinScore', () => {
  let index: SemanticIndex;
  beforeAll(async () => {
    index = await SemanticIndex.open(':memory:');
    await index.addDocuments([
      { id: 'tea', text: 'Green tea is brewed with water below boiling.' },
      { id: 'fox', text: 'The red fox hunts mice in winter under the snow.' },
      { id: 'rail', text: 'Railway tracks expand in summer heat and may buckle.' },
    ]);
  });
  afterAll(() => index.close());

  it('returns the largest score that keeps a share of the answered questions, with its effect', async () => {
    const answers = scored({
      a: [
        ['1', 0.9],
        ['2', 0.3],
      ],
      b: [
        ['9', 0.7],
        ['1', 0.6],
      ],
      c: [['3', 0.5]],
      d: [
        ['4', 0.2],
        ['5', 0.1],
      ],
      e: [['7', 0.8]],
    });
    const questions = [
      { query: 'a', relevant: ['1'] },
      { query: 'b', relevant: { 1: 1, 9: 0 } },
      { query: 'c', relevant: new Map([['3', 2]]) },
      { query: 'd', relevant: ['4'] },
      { query: 'e', relevant: ['none'] },
    ];
    const advice = await adviseMinScore(answers, questions, { keep: 0.75 });
    // Found: .9, .6, .5, .2. Without the answers: .3, .7, none, .1, .8.
    expect(advice).toMatchObject({ minScore: 0.5, kept: 0.75, answered: 4 });
    expect(advice.refused).toBeCloseTo(3 / 5, 10);
    expect(advice.auc).toBeCloseTo((5 + 3 + 3 + 2) / 20, 10);
    expect((await adviseMinScore(answers, questions, { keep: 1 })).minScore).toBe(0.2);
    const others = await adviseMinScore(answers, questions, { keep: 0.75, unanswerable: ['c', 'x'] });
    expect(others.refused).toBe(0.5);
  });

  it('separates the questions of a real index, whose search refuses what has no answer', async () => {
    const questions = [
      { query: 'How hot should water for tea be?', relevant: ['tea'] },
      { query: 'What does a fox eat in winter?', relevant: ['fox'] },
      { query: 'Why do railway tracks buckle?', relevant: ['rail'] },
    ];
    const advice = await adviseMinScore(index, questions, { unanswerable: ['Who composed the opera Carmen?'] });
    expect(advice).toMatchObject({ kept: 1, refused: 1, auc: 1, answered: 3 });
    const { minScore } = advice;
    expect((await index.search('Who composed the opera Carmen?', { minScore })).hits).toEqual([]);
    expect((await index.search('What does a fox eat in winter?', { minScore })).hits[0]?.id).toBe('fox');
  });

  it('refuses questions without labels, shares out of range and unknown options', async () => {
    const one = [{ query: 'tea', relevant: ['tea'] }];
    for (const questions of [[], undefined, 'tea']) {
      await expect(adviseMinScore(index, questions as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    for (const keep of [0, -1, 1.01, Number.NaN, '1']) {
      await expect(adviseMinScore(index, one, { keep: keep as never })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    }
    await expect(adviseMinScore(index, [{ query: 'tea', relevant: ['x'] }])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(adviseMinScore(index, one, { kep: 1 } as never)).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' });
    await expect(adviseMinScore(index, one, { signal: AbortSignal.abort() })).rejects.toThrow();
  });
});
