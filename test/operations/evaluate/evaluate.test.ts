import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EmbeddingProvider, JudgedQuestion, QuestionResult } from '../../../src/index.js';
import { SemanticIndex } from '../../../src/semantic-index.js';

const subjects = [
  'harbour',
  'orchard',
  'railway',
  'library',
  'glacier',
  'bakery',
  'desert',
  'theatre',
  'market',
  'castle',
];
const states = ['quiet', 'crowded', 'flooded', 'closed', 'ancient', 'painted'];
const documents = subjects.flatMap((subject, row) =>
  states.map((state, column) => ({
    id: row * states.length + column,
    text: `The ${subject} was ${state} when we arrived, and stayed so until evening.`,
    metadata: { subject },
  })),
);
const questions: JudgedQuestion[] = documents.map(({ id, text }) => ({
  query: text.split(' ').slice(1, 4).join(' '),
  relevant: { [id]: 2, [id - (id % states.length)]: id % states.length === 0 ? 2 : 1 },
}));

let folder: string;
let index: SemanticIndex;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'semantic-index-evaluate-'));
  index = await SemanticIndex.open(join(folder, 'idx'));
  await index.addDocuments(documents);
});
afterAll(async () => {
  await index.close();
  rmSync(folder, { recursive: true });
});

describe('evaluate', () => {
  it('measures the lists that searches return, for integer ids as keys too', async () => {
    const { k, variants, comparisons, unknownIds } = await index.evaluate(questions, { k: 5, resamples: 200 });
    expect({ k, comparisons, unknownIds, names: variants.map(({ name }) => name) }).toEqual({
      k: 5,
      comparisons: [],
      unknownIds: [],
      names: ['as the index searches'],
    });
    const [{ questions: results = [], measures } = {}] = variants;
    const { hits } = await index.search(questions[7]?.query ?? '', { k: 5 });
    expect(results[7]).toMatchObject({ id: '8', found: hits.map(({ id }) => id) });
    const mean = results.reduce((sum, { measures: { ndcg } }) => sum + ndcg, 0) / results.length;
    expect(measures?.ndcg.mean).toBeCloseTo(mean, 12);
    expect(measures?.ndcg.low).toBeLessThanOrEqual(mean);
    expect(measures?.hitRate.mean).toBe(1);
  });

  it('compares ways of searching on the same questions', async () => {
    const result = await index.evaluate(questions, {
      compare: [
        { mode: 'hybrid' },
        { mode: 'hybrid', name: 'the same' },
        { where: { subject: 'castle' }, name: 'castles' },
      ],
      measure: 'recall',
      resamples: 500,
    });
    const [same, castles] = result.comparisons;
    expect(same).toMatchObject({ baseline: 'hybrid', difference: { mean: 0 }, equal: questions.length, p: 1 });
    expect(same?.winner).toBeUndefined();
    expect(castles).toMatchObject({ name: 'castles', winner: 'hybrid' });
    expect(castles?.p).toBeLessThan(0.05);
    expect(result).toEqual(
      await index
        .evaluate(questions, {
          compare: [
            { mode: 'hybrid' },
            { mode: 'hybrid', name: 'the same' },
            { where: { subject: 'castle' }, name: 'castles' },
          ],
          measure: 'recall',
          resamples: 500,
        })
        .then((again) => ({
          ...again,
          variants: again.variants.map((variant, place) => ({
            ...variant,
            milliseconds: result.variants[place]?.milliseconds,
          })),
        })),
    );
  });

  it('compares models without changing the index', async () => {
    let embedded = 0;
    const letters: EmbeddingProvider = {
      id: 'letters',
      dimensions: 26,
      embed: async (texts) => {
        embedded += texts.length;
        const vectors = texts.map((text) =>
          Float32Array.from(
            { length: 26 },
            (_, letter) => text.toLowerCase().split(String.fromCharCode(97 + letter)).length - 1,
          ),
        );
        return { vectors };
      },
    };
    const { variants, comparisons } = await index.evaluate(questions, {
      compare: [{ mode: 'vector' }, { mode: 'vector', provider: letters }],
      resamples: 200,
    });
    expect(variants.map(({ name }) => name)).toEqual(['vector', 'letters, vector']);
    expect(embedded).toBeGreaterThanOrEqual(documents.length);
    expect(comparisons[0]?.difference.mean).not.toBe(0);
    expect((await index.stats()).documents).toBe(documents.length);
    expect((await index.search('harbour', { k: 1 })).hits).toHaveLength(1);
  });

  it('reports progress, and stops when the signal aborts', async () => {
    const seen: number[] = [];
    await index.evaluate(questions, { resamples: 10, onProgress: ({ done, total }) => seen.push(done / (total ?? 1)) });
    expect(seen.at(-1)).toBe(1);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(index.evaluate(questions, { signal })).rejects.toThrow('enough');
  });

  it.each([
    ['no questions', [], {}, 'INVALID_ARGUMENT', /array of questions/],
    ['a question without a query', [{ relevant: [1] }], {}, 'INVALID_ARGUMENT', /question 1 has no query/],
    ['an unknown member', [{ query: 'a', relevant: [1], answer: 2 }], {}, 'UNKNOWN_OPTION', /"answer"/],
    ['nothing relevant', [{ query: 'a', relevant: { 1: 0 } }], {}, 'INVALID_ARGUMENT', /no relevant document/],
    [
      'a grade that is not finite',
      [{ query: 'a', relevant: { 1: Number.NaN } }],
      {},
      'INVALID_ARGUMENT',
      /finite number/,
    ],
    ['an empty id', [{ query: 'a', relevant: [''] }], {}, 'INVALID_ID', /question 1/],
    ['an unknown id', [{ query: 'a', relevant: [1, 'nowhere'] }], {}, 'NOT_FOUND', /"nowhere"/],
    ['a string where the id is an integer', [{ query: 'a', relevant: ['1'] }], {}, 'NOT_FOUND', /"1"/],
    [
      'two questions of one name',
      [
        { id: 'x', query: 'a', relevant: [1] },
        { id: 'x', query: 'b', relevant: [1] },
      ],
      {},
      'INVALID_ARGUMENT',
      /"x"/,
    ],
    ['k of 0', questions, { k: 0 }, 'INVALID_ARGUMENT', /k/],
    ['an unknown measure', questions, { measure: 'f1' }, 'INVALID_ARGUMENT', /measure/],
    ['an unknown option of a variant', questions, { compare: [{ model: 'x' }] }, 'UNKNOWN_OPTION', /model/],
    ['a weight above 1', questions, { compare: [{ vectorWeight: 2 }] }, 'INVALID_ARGUMENT', /vectorWeight/],
    ['two variants of one name', questions, { compare: [{}, {}] }, 'INVALID_ARGUMENT', /two variants/],
    ['no variants', questions, { compare: [] }, 'INVALID_ARGUMENT', /compare is empty/],
    ['more folds than questions', questions.slice(0, 3), { fit: true }, 'INVALID_ARGUMENT', /folds/],
  ])('refuses %s', async (_, given, options, code, message) => {
    await expect(index.evaluate(given as JudgedQuestion[], options as object)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it('says when an id exists with the other type', async () => {
    const evaluating = index.evaluate([{ query: 'a', relevant: ['7'] }]);
    await expect(evaluating).rejects.toMatchObject({ code: 'NOT_FOUND', hint: 'The index has the number 7 as an id.' });
  });

  it('counts unknown ids as not found if asked to', async () => {
    const asked = [{ query: 'quiet harbour', relevant: [0, 'nowhere'] }];
    const { variants, unknownIds } = await index.evaluate(asked, { onUnknownId: 'keep', resamples: 10 });
    expect(unknownIds).toEqual(['nowhere']);
    expect(variants[0]?.questions[0]?.measures).toMatchObject({ recall: 0.5, mrr: 1 });
  });
});

describe('evaluate with fit', () => {
  const found = ({ found }: QuestionResult) => found;
  /** The right document has the meaning of a question, the wrong one its words. */
  const conceptOf = (text: string): number => {
    const subject = subjects.findIndex((one) => text.includes(one));
    return subject < 0 ? Number(text.split(' ')[1]) : subject + (text.includes('today') ? subjects.length : 0);
  };
  const concepts: EmbeddingProvider = {
    id: 'concepts',
    dimensions: 20,
    embed: async (texts) => ({
      vectors: texts.map((text) => {
        const vector = new Float32Array(20);
        vector[text.includes(' ') ? conceptOf(text) : 0] = 1;
        return vector;
      }),
    }),
  };

  it('keeps a weight that is better on other questions, for this process and others', async () => {
    const path = join(folder, 'fitted');
    await using misled = await SemanticIndex.open(path, { provider: concepts });
    await misled.addDocuments(
      subjects.flatMap((subject, number) => [
        { id: `right ${subject}`, text: `answer ${number}` },
        { id: `wrong ${subject}`, text: `${subject} ${subject}s today` },
      ]),
    );
    const asked = subjects.map((subject) => ({ query: `${subject} ${subject}s`, relevant: [`right ${subject}`] }));
    const dry = await misled.evaluate(asked, { k: 1, fit: true, dryRun: true, resamples: 200 });
    expect(dry.fitted?.curve.map(({ vectorWeight }) => vectorWeight)).toEqual(
      [...Array.from({ length: 21 }, (_, step) => step / 20), 1 / 3].sort((a, b) => a - b),
    );
    expect(dry.fitted?.kept).toBe(false);
    const before = await misled.evaluate(asked, { k: 1, resamples: 10 });
    const { fitted } = await misled.evaluate(asked, { k: 1, fit: true, resamples: 200 });
    expect(fitted?.previous).toBeCloseTo(1 / 3, 12);
    expect(fitted?.p).toBeLessThanOrEqual(0.1);
    await using other = await SemanticIndex.open(path, { provider: concepts, readonly: true });
    const after = await other.evaluate(asked, { k: 1, resamples: 10 });
    const explicit = await other.evaluate(asked, {
      k: 1,
      resamples: 10,
      compare: [{ vectorWeight: fitted?.vectorWeight }],
    });
    const used = fitted?.kept === true ? explicit : before;
    expect(after.variants[0]?.questions.map(found)).toEqual(used.variants[0]?.questions.map(found));
    expect(fitted?.kept).toBe(true);
    expect(after.variants[0]?.measures.ndcg.mean).toBeGreaterThan(before.variants[0]?.measures.ndcg.mean ?? 1);
    await expect(other.evaluate(asked, { fit: true })).rejects.toMatchObject({ code: 'READ_ONLY' });
  });

  it('does not keep a gain that may be chance', async () => {
    await using own = await SemanticIndex.open(':memory:', { provider: concepts });
    // Two of ten questions are better with another weight, the others are the same with any.
    await own.addDocuments(
      subjects.flatMap((subject, number) =>
        number < 2
          ? [
              { id: `right ${subject}`, text: `answer ${number}` },
              { id: `wrong ${subject}`, text: `${subject} ${subject}s today` },
            ]
          : [{ id: `right ${subject}`, text: `${subject} ${subject}s` }],
      ),
    );
    const asked = subjects.map((subject) => ({ query: `${subject} ${subject}s`, relevant: [`right ${subject}`] }));
    const { fitted } = await own.evaluate(asked, { k: 1, fit: true, folds: 10, resamples: 500 });
    expect(fitted?.gain.mean).toBeCloseTo(0.2, 12);
    expect(fitted?.vectorWeight).toBeGreaterThan(1 / 3);
    expect(fitted?.p).toBeGreaterThan(0.1);
    expect(fitted?.kept).toBe(false);
    expect((await own.evaluate(asked, { k: 1, fit: true, dryRun: true })).fitted?.previous).toBeCloseTo(1 / 3, 12);
  });
});

describe('evaluate with fit: rerank', () => {
  it('chooses both weights by measures of such searches, and keeps them for other processes', async () => {
    const path = join(folder, 'reranked');
    await using own = await SemanticIndex.open(path);
    // The right text has the words of the question in its order, others have them, too.
    const words = 'copper lantern silver harbour marble orchard velvet meadow'.split(' ');
    const asked: JudgedQuestion[] = [];
    const documents: { id: string; text: string }[] = [];
    for (const [first, one] of words.entries()) {
      for (const two of words.slice(first + 1)) {
        const id = `${one} ${two}`;
        asked.push({ query: id, relevant: [id] });
        documents.push({ id, text: `There was a ${one} ${two} in the long and quiet valley of that land for years.` });
        documents.push({ id: `${id} apart`, text: `A ${one} in the valley, ${two}, then ${one} and ${two}.` });
      }
    }
    await own.addDocuments(documents);
    const { fitted, variants } = await own.evaluate(asked, {
      k: 3,
      fit: 'rerank',
      resamples: 500,
      compare: [{ rerank: 'tokens' }],
    });
    const {
      vectorWeight = -1,
      rerankWeight = -1,
      previous,
      previousRerankWeight,
      curve,
      gain,
      heldOut,
      p,
    } = fitted ?? {};
    expect([previous, previousRerankWeight]).toEqual([1 / 3, 0.35]);
    expect(curve).toHaveLength(22);
    const search = { k: 3, resamples: 10, dryRun: true } as const;
    await using other = await SemanticIndex.open(path, { readonly: true });
    const ofWeights = async (options: object) =>
      (await other.evaluate(asked, { ...search, compare: [{ rerank: 'tokens', ...options }] })).variants[0];
    const chosen = await ofWeights({ vectorWeight, rerankWeight });
    expect(chosen?.measures.ndcg.mean).toBeCloseTo(
      curve?.find((one) => one.vectorWeight === vectorWeight)?.mean ?? 0,
      10,
    );
    for (const options of [
      { rerankWeight: 0 },
      { rerankWeight: 0.35, vectorWeight: 0 },
      { rerankWeight: 0.7, vectorWeight: 1 },
    ]) {
      const { measures } = (await ofWeights(options)) as NonNullable<typeof chosen>;
      expect(measures.ndcg.mean).toBeLessThanOrEqual((chosen?.measures.ndcg.mean ?? 0) + 1e-10);
    }
    expect(gain?.mean).toBeGreaterThan(0);
    expect(p).toBeLessThanOrEqual(0.1);
    expect((gain?.mean ?? 0) + (variants[0]?.measures.ndcg.mean ?? 0)).toBeCloseTo(heldOut?.mean ?? 0, 10);
    expect(fitted?.kept).toBe(true);
    expect((await ofWeights({}))?.questions).toEqual(chosen?.questions);
    const query = 'silver lantern';
    const explicit = await other.search(query, { rerank: 'tokens', vectorWeight, rerankWeight });
    expect((await other.search(query, { rerank: 'tokens' })).hits).toEqual(explicit.hits);
  });

  it('refuses another value', async () => {
    await expect(index.evaluate(questions, { fit: 'tokens' as 'rerank' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('as fit'),
    });
  });
});

describe('vectorWeight', () => {
  it('ranks by words at 0 and by meaning at 1', async () => {
    const query = 'crowded railway in the evening';
    const ids = async (options: object): Promise<unknown[]> =>
      (await index.search(query, { k: 6, ...options })).hits.map(({ id }) => id);
    expect(await ids({ vectorWeight: 0 })).toEqual(await ids({ mode: 'text' }));
    expect(await ids({ vectorWeight: 1 })).toEqual(await ids({ mode: 'vector' }));
    expect(await ids({ vectorWeight: 1 / 3 })).toEqual(await ids({}));
    for (const vectorWeight of [-0.1, 1.1, Number.NaN]) {
      await expect(index.search(query, { vectorWeight })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  });
});
