import type { RerankingModelV3 } from '@ai-sdk/provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aiReranker } from '../../../src/adapters/ai.js';
import { addon } from '../../../src/addon/addon.js';
import { deterministicProvider } from '../../../src/embed/testing/deterministic-provider.js';
import type { ChunkMetadata } from '../../../src/rag/chunking/chunk-documents.js';
import { Retriever } from '../../../src/rag/retriever.js';
import { SemanticIndex } from '../../../src/semantic-index.js';
import type { Hit, Rerank } from '../../../src/types.js';

describe('matchTokens', () => {
  it('equals a plain computation', () => {
    const [rows, rowBytes, queryCount] = [37, 64, 5];
    let state = 7;
    const next = (limit: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (state >>> 8) % limit;
    };
    const table = Uint8Array.from({ length: rows * rowBytes }, () => next(256));
    table.fill(0x88, 0, rowBytes);
    const scales = Float32Array.from({ length: rows }, () => next(9) - 4);
    const query = Int32Array.from({ length: queryCount }, () => next(rows));
    const passages = [
      [],
      [0],
      ...Array.from({ length: 20 }, () => Array.from({ length: 1 + next(40) }, () => next(rows))),
    ];
    const tokens = Int32Array.from(passages.flat());
    let end = 0;
    const ends = Uint32Array.from(passages, (passage) => (end += passage.length));
    const similarities = new Float32Array(passages.length * queryCount);
    const closeness = new Float32Array(passages.length * queryCount);
    const element = (row: number, column: number): number =>
      Math.sign(scales[row] as number) *
      ((((table[row * rowBytes + (column >> 1)] as number) >> (column % 2 === 0 ? 0 : 4)) & 15) - 8);
    const dot = (a: number, b: number): number =>
      Array.from({ length: 2 * rowBytes }, (_, column) => element(a, column) * element(b, column)).reduce(
        (x, y) => x + y,
      );
    for (let call = 0; call < 2; call++) {
      addon().matchTokens(table, scales, new Float32Array(rows), query, tokens, ends, similarities, closeness);
      for (const [place, passage] of passages.entries()) {
        for (const [position, wanted] of query.entries()) {
          const cosines = passage.map(
            (token) => dot(wanted, token) / (Math.sqrt(dot(wanted, wanted) * dot(token, token)) || 1),
          );
          expect(similarities[place * queryCount + position]).toBeCloseTo(Math.max(0, ...cosines), 5);
          const other = query[position - 1];
          const distances = passage.flatMap((token, at) =>
            token === wanted && other !== wanted
              ? passage.flatMap((near, where) => (near === other ? [Math.abs(at - where)] : []))
              : [],
          );
          if (other !== wanted) {
            expect(closeness[place * queryCount + position]).toBeCloseTo(
              distances.length === 0 ? 0 : 1 / Math.min(...distances),
              5,
            );
          }
        }
      }
    }
  });

  it('refuses tokens outside the table', () => {
    const numbers = new Float32Array(1);
    const call = (token: number, end: number) =>
      addon().matchTokens(
        new Uint8Array(64),
        new Float32Array(2),
        new Float32Array(2),
        Int32Array.of(0),
        Int32Array.of(token),
        Uint32Array.of(end),
        numbers,
        numbers,
      );
    expect(() => call(1, 1)).not.toThrow();
    expect(() => call(2, 1)).toThrow(/do not fit/);
    expect(() => call(-1, 1)).toThrow(/do not fit/);
    expect(() => call(1, 2)).toThrow(/do not fit/);
  });
});

describe('reranking', () => {
  const fillers = Array.from(
    { length: 40 },
    (_, n) => `The committee met on day ${n} and discussed the yearly budget of the town.`,
  );
  let index: SemanticIndex<ChunkMetadata>;
  beforeAll(async () => {
    index = await SemanticIndex.open(':memory:', { provider: deterministicProvider({ dimensions: 32 }) });
    await index.addDocuments([
      {
        id: 'apart',
        text: `The treaty of the river was long. ${'Other matters were settled. '.repeat(12)}A border was drawn and signed.`,
      },
      {
        id: 'near',
        text: 'In the end the river border treaty was signed by all. It took the delegates many weeks of talks in the old hall.',
      },
      ...fillers,
    ]);
  });
  afterAll(() => index.close());

  it('prefers neighboring and similar words by tokens, with any provider', async () => {
    for (const mode of ['hybrid', 'text', 'vector'] as const) {
      const { hits } = await index.search('river border treaty', { mode, rerank: 'tokens', rerankWeight: 1 });
      expect(hits[0]?.id).toBe('near');
      for (const { score } of hits) expect(score >= 0 && score <= 1).toBe(true);
      expect(hits.map(({ score }) => score)).toEqual(hits.map(({ score }) => score).sort((a, b) => b - a));
    }
    const similar = await index.search('frontier', { rerank: 'tokens', rerankWeight: 1, k: 1 });
    expect(['apart', 'near']).toContain(similar.hits[0]?.id);
  });

  it('judges a long text by its best window, wherever it is', async () => {
    const filler = (sentences: number): string => 'Other matters of the town were settled that day. '.repeat(sentences);
    await using long = await SemanticIndex.open(':memory:', { provider: deterministicProvider({ dimensions: 32 }) });
    await long.addDocuments([
      { id: 'scattered', text: `The river rose.${filler(12)}The border was closed.${filler(12)}The treaty was read.` },
      { id: 'together', text: `${filler(120)}In the end the river border treaty was signed.${filler(2)}` },
      ...fillers,
    ]);
    const scores = async (): Promise<ReadonlyMap<unknown, number>> => {
      const options = { mode: 'text', rerank: 'tokens', rerankWeight: 1 } as const;
      const { hits } = await long.search('river border treaty', options);
      return new Map(hits.map(({ id, score }) => [id, score]));
    };
    const found = await scores();
    expect(found.get('together')).toBeGreaterThan(0.99);
    expect(found.get('scattered')).toBeLessThan(0.6);
    // Remembered tokens give the same scores.
    expect(await scores()).toEqual(found);
  });

  it('changes nothing with a weight of 0, a query that is not a text, or one without words', async () => {
    const plain = await index.search('river border treaty', { k: 20 });
    expect((await index.search('river border treaty', { k: 20, rerank: 'tokens', rerankWeight: 0 })).hits).toEqual(
      plain.hits,
    );
    const byId = await index.search({ id: 'near' }, { k: 5 });
    expect((await index.search({ id: 'near' }, { k: 5, rerank: 'tokens' })).hits).toEqual(byId.hits);
    expect((await index.search('?!', { k: 5, rerank: 'tokens' })).hits).toHaveLength(5);
  });

  const slow =
    (milliseconds: number, calls: number[] = []): Rerank<ChunkMetadata> =>
    async (_, hits) => {
      await new Promise((resolve) => setTimeout(resolve, milliseconds * hits.length));
      calls.push(hits.length);
      return hits.map(({ text }) => -text.length);
    };

  it('stops between batches within its budget and says how many hits were judged', async () => {
    const calls: number[] = [];
    const { hits, reranked } = await index.search('river', { k: 42, rerank: slow(20, calls), rerankBudget: 300 });
    const judged = reranked?.judged as number;
    expect([judged, reranked?.of]).toEqual([calls.reduce((a, b) => a + b), 42]);
    // At 20 ms a hit there are never more; a busy machine judges fewer.
    expect(judged >= 2 && judged <= 15).toBe(true);
    const lengths = (some: readonly Hit[]): number[] => some.map(({ text }) => text.length);
    expect(lengths(hits.slice(0, judged))).toEqual(lengths(hits.slice(0, judged)).sort((a, b) => a - b));
    const plain = (await index.search('river', { k: 42 })).hits.map(({ id }) => id);
    expect(hits.slice(judged).map(({ id }) => id)).toEqual(plain.slice(judged));
    expect(hits.map(({ score }) => score)).toEqual(hits.map(({ score }) => score).sort((a, b) => b - a));
    const all = await index.search('river', { k: 42, rerank: slow(0), rerankBudget: 60_000 });
    expect(all.reranked).toEqual({ judged: 42, of: 42 });
    expect(await index.search('river', { rerank: slow(0) })).not.toHaveProperty('reranked');
  });

  it('gives up a batch that exceeds the budget, and aborts it', async () => {
    for (const heeds of [true, false]) {
      const signals: (AbortSignal | undefined)[] = [];
      const stuck: Rerank<ChunkMetadata> = async (_, hits, { signal }) => {
        signals.push(signal);
        if (signals.length > 1) {
          await new Promise((_, reject) => {
            if (heeds) signal?.addEventListener('abort', () => reject(signal.reason));
          });
        }
        return hits.map(({ text }) => -text.length);
      };
      const plain = await index.search('river', { k: 42 });
      const { hits, reranked } = await index.search('river', { k: 42, rerank: stuck, rerankBudget: 200 });
      expect(reranked).toEqual({ judged: 2, of: 42 });
      expect(signals.map((signal) => signal?.aborted)).toEqual([undefined, true]);
      expect(hits.slice(2).map(({ id }) => id)).toEqual(plain.hits.slice(2).map(({ id }) => id));
    }
  });

  it('ends with the signal of the caller and with errors while a batch has a deadline', async () => {
    const stop = new AbortController();
    let calls = 0;
    const stopped: Rerank<ChunkMetadata> = async (_, hits, { signal }) => {
      if (++calls === 2) {
        setTimeout(() => stop.abort(new Error('enough')), 5);
        await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      }
      return hits.map(() => 1);
    };
    const options = { k: 42, rerank: stopped, rerankBudget: 60_000, signal: stop.signal };
    await expect(index.search('river', options)).rejects.toThrow('enough');
    calls = 0;
    const failing: Rerank<ChunkMetadata> = async (_, hits) => {
      if (++calls === 2) throw new Error('no model');
      return hits.map(() => 1);
    };
    const failed = index.search('river', { k: 42, rerank: failing, rerankBudget: 60_000 });
    await expect(failed).rejects.toMatchObject({ code: 'PROVIDER_FAILED' });
  });

  it('fuses the scores of a function with those of the search', async () => {
    const query = 'money back';
    const plain = (await index.search(query, { k: 50 })).hits;
    const scoreOf = (id: unknown): number => 10 + (String(id).length % 3);
    const rerank: Rerank = (_, hits) => hits.map(({ id }) => scoreOf(id));
    const { hits } = await index.search(query, { k: 50, rerank, rerankWeight: 0.25 });
    const judged = plain.map(({ id }) => scoreOf(id));
    const [low, high] = [Math.min(...judged), Math.max(...judged)];
    const expected = plain
      .map(({ id, score }) => ({
        id,
        score: 0.75 * score + (high > low ? (0.25 * (scoreOf(id) - low)) / (high - low) : 0),
      }))
      .sort((a, b) => b.score - a.score);
    expect(hits.map(({ score }) => score.toFixed(9))).toEqual(expected.map(({ score }) => score.toFixed(9)));
    const unchanged = await index.search(query, { k: 50, rerank, rerankWeight: 0 });
    expect(unchanged.hits.map(({ score }) => score)).toEqual(plain.map(({ score }) => score));
    await expect(index.search(query, { rerank, rerankWeight: -1 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('takes reranking models of the AI SDK, also in a retriever', async () => {
    // What is doubled is the service, which cannot be here; the SDK calls it.
    const model: RerankingModelV3 = {
      specificationVersion: 'v3',
      provider: 'test',
      modelId: 'shortest',
      doRerank: async ({ documents }) => ({
        ranking: documents.values
          .map((text, index) => ({ index, relevanceScore: 1 / String(text).length }))
          .sort((a, b) => b.relevanceScore - a.relevanceScore),
      }),
    };
    const { hits } = await index.search('river', { rerank: aiReranker(model) as Rerank<ChunkMetadata>, k: 42 });
    expect(hits.map(({ score }) => score)).toEqual(hits.map(({ text }) => 1 / text.length));
    const retriever = new Retriever(index, {
      rerank: aiReranker(model) as Rerank<ChunkMetadata>,
      rerankBudget: 5000,
      k: 1,
    });
    const { passages, reranked } = await retriever.retrieve('river');
    expect([passages[0]?.text, reranked?.of]).toEqual([hits[0]?.text, 42]);
    await expect(
      index.search({ id: 'near' }, { rerank: aiReranker(model) as Rerank<ChunkMetadata> }),
    ).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('leaves a question without hits above the minimum score without passages', async () => {
    const options = { rerank: 'tokens', minScore: 0.5 } as const;
    const { text, passages } = await new Retriever(index, options).retrieve('quantum chromodynamics');
    expect([text, passages]).toEqual(['', []]);
    expect((await new Retriever(index, options).retrieve('the river border treaty')).passages).toHaveLength(1);
  });

  it.each([
    [{ rerank: 'token' }, "a function or 'tokens' as rerank"],
    [{ rerank: 'tokens', rerankWeight: 1.5 }, 'from 0 to 1 as rerankWeight'],
    [{ rerank: 'tokens', rerankBudget: 100 }, 'a function as rerank with rerankBudget'],
    [{ rerank: slow(0), rerankBudget: 0 }, 'rerankBudget'],
  ])('refuses %j', async (options, message) => {
    await expect(index.search('x', options as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
    });
  });
});
