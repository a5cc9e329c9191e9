import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deterministicProvider } from '../../../src/embed/testing/deterministic-provider.js';
import {
  type TransformersReranker,
  transformersReranker,
} from '../../../src/embed/transformers/transformers-reranker.js';
import { SemanticIndex } from '../../../src/semantic-index.js';
import { scratchDirectory } from '../../scratch-directory.js';
import { overlapEncoder } from './overlap-encoder.js';
import { tinyTransformer } from './tiny-transformer.js';

describe('transformersReranker', () => {
  const cacheDir = scratchDirectory('model-cache-');
  const model = overlapEncoder();
  let rerank: TransformersReranker;
  let index: SemanticIndex;
  const texts = [
    'the dog sat',
    'the red cat sat on the mat',
    'green',
    'red cat',
    'blue blue blue mat',
    'on the green mat',
  ];
  beforeAll(async () => {
    rerank = transformersReranker({ model, cacheDir });
    index = await SemanticIndex.open(':memory:', { provider: deterministicProvider({ dimensions: 16 }) });
    await index.addDocuments(texts.map((text) => ({ id: text, text })));
  });
  afterAll(async () => {
    await rerank.close();
    await index.close();
  });

  it('scores hits by the pairs of query and text, whatever their padding', async () => {
    const query = 'red cat mat';
    const { hits, reranked } = await index.search(query, { mode: 'vector', rerank, rerankBudget: 60_000 });
    expect(reranked).toEqual({ judged: 6, of: 6 });
    const asked = new Set(query.split(' '));
    const overlap = (text: string): number => text.split(' ').filter((word) => asked.has(word)).length;
    expect(hits.map(({ score }) => score)).toEqual(hits.map(({ text }) => overlap(text)));
    expect(hits[0]?.id).toBe('the red cat sat on the mat');
  });

  it('refuses other queries, models without such outputs, bad options, and calls after close', async () => {
    await expect(index.search({ id: 'green' }, { rerank })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const wrong = transformersReranker({ model: tinyTransformer().folder, cacheDir });
    await expect(index.search('red', { rerank: wrong })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await wrong.close();
    await expect(index.search('red', { rerank: wrong })).rejects.toMatchObject({ code: 'CLOSED' });
    expect(() => transformersReranker({ model: '' })).toThrow(/expected the name or directory/);
    expect(() => transformersReranker({ model: './none' })).toThrow(/no config\.json/);
    expect(() => transformersReranker({ model: 'x', pooling: 'cls' } as never)).toThrow(/pooling/);
    expect(() => transformersReranker({ model: 'x', maxTokens: 0 })).toThrow(/maxTokens/);
  });
});
