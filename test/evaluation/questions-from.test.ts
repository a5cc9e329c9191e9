import { describe, expect, it } from 'vitest';
import { plotEvaluation } from '../../src/evaluation/plot-evaluation.js';
import { questionsFrom } from '../../src/evaluation/questions-from.js';
import { SemanticIndex } from '../../src/semantic-index.js';

const things =
  'anchor beehive candle drum engine feather glove hammer island jacket kettle lantern mirror needle oven pillow quilt ribbon saddle tunnel umbrella violin window yarn'.split(
    ' ',
  );
const documents = things.flatMap((thing, row) =>
  things
    .slice(row + 1)
    .map((other) => ({ id: `${thing}-${other}`, text: `This is the story of the ${thing} and the ${other}.` })),
);

describe('questionsFrom', () => {
  it('takes rare words from documents, and repeats with a seed', async () => {
    const { questions, caution } = await questionsFrom(documents, { count: 20, seed: 5 });
    expect(questions.length).toBeGreaterThan(0);
    expect(questions.length).toBeLessThanOrEqual(20);
    for (const { query, relevant } of questions) {
      const [id] = relevant as string[];
      const text = documents.find((document) => document.id === id)?.text ?? '';
      for (const word of (query as string).split(' ')) expect(text).toContain(word);
      expect(query).not.toContain('story');
    }
    expect(caution).toContain('made from the documents');
    expect(await questionsFrom(documents, { count: 20, seed: 5 })).toEqual({ questions, caution });
    expect(await questionsFrom(documents, { count: 20, seed: 6 })).not.toEqual({ questions, caution });
  });

  it('can be evaluated on the index that the documents come from', async () => {
    await using index = await SemanticIndex.open(':memory:');
    await index.addDocuments(documents);
    const { questions } = await questionsFrom(index.documents(), { count: 30 });
    const result = await index.evaluate(questions, {
      compare: [{ mode: 'text' }, { mode: 'vector' }],
      fit: true,
      resamples: 50,
    });
    expect(result.variants[0]?.measures.hitRate.mean).toBe(1);
    const svg = await plotEvaluation(result);
    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\s*$/);
    expect(svg).toContain('vectorWeight');
    expect(svg).not.toContain('<script');
  });

  it('refuses documents without rare words, and counts that are none', async () => {
    const same = Array.from({ length: 30 }, (_, id) => ({ id, text: 'the same words' }));
    await expect(questionsFrom(same)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: /rare/ });
    await expect(questionsFrom([])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(questionsFrom(documents, { count: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(questionsFrom(documents, { signal })).rejects.toThrow('enough');
  });
});
