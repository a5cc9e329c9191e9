import { afterAll, describe, expect, it } from 'vitest';
import type { SemanticIndexError } from '../../src/errors.js';
import { openaiProvider, SemanticIndex, transformersProvider } from '../../src/index.js';
import { deterministicProvider } from '../../src/testing.js';
import type { EmbeddingProvider } from '../../src/types.js';
import { scratchDirectory } from '../scratch-directory.js';
import { tinyTransformer } from './transformers/tiny-transformer.js';

const tiny = tinyTransformer({ sentenceOutput: true });
const quantized = tinyTransformer({ quantized: true });
const open: EmbeddingProvider[] = [];
const provide = (options: object): EmbeddingProvider => {
  const provider = transformersProvider({ model: tiny.folder, queryPrefix: 'query: ', ...options });
  open.push(provider);
  return provider;
};
afterAll(async () => {
  await Promise.all(open.map((provider) => provider.close?.()));
});

async function madeWith(provider: EmbeddingProvider): Promise<string> {
  const directory = scratchDirectory('space-lock-');
  await using index = await SemanticIndex.open(directory, { provider });
  await index.addDocuments(['the red cat', 'a green dog', 'blue']);
  return directory;
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: SemanticIndexError) => error.code,
  );

describe('an index built with one model', () => {
  it.each<[string, object, RegExp]>([
    ['another model', { model: quantized.folder }, /revision is/],
    ['other pooling', { pooling: 'mean' }, /pooling is "mean", was "model or mean"/],
    ['another dtype', { dtype: 'q8' }, /dtype is "q8", was "fp32"/],
    ['another query prefix', { queryPrefix: 'search: ' }, /query is "search: ", was "query: "/],
    ['another document prefix', { documentPrefix: 'passage: ' }, /document is "passage: ", was not set/],
    ['fewer dimensions', { dimensions: 4 }, /dimensions is "4", was not set/],
    ['a shorter limit', { maxTokens: 5 }, /maxTokens is "5", was not set/],
    ['no normalization', { normalize: false }, /normalize is "false", was "true"/],
  ])('is not opened with %s, and says what differs', async (_, change, words) => {
    const directory = await madeWith(provide({}));
    const error = await SemanticIndex.open(directory, { provider: provide(change) }).then(
      () => expect.fail('no error'),
      (thrown: SemanticIndexError) => thrown,
    );
    expect(error.code).toBe('SPACE_MISMATCH');
    expect(error.message).toMatch(words);
    await using index = await SemanticIndex.open(directory, { provider: provide({}) });
    expect((await index.search('the red cat', { k: 1 })).hits).toMatchObject([{ text: 'the red cat' }]);
  });

  it('refuses a model of another service', async () => {
    const directory = await madeWith(deterministicProvider());
    expect(await codeOf(SemanticIndex.open(directory, { provider: openaiProvider({ apiKey: 'none-at-all' }) }))).toBe(
      'SPACE_MISMATCH',
    );
  });

  it('detects a model that changed behind its id before the first search, and remains unchanged', async () => {
    const honest = deterministicProvider();
    const directory = await madeWith(honest);
    const changed: EmbeddingProvider = { ...deterministicProvider({ seed: 1 }), id: honest.id };
    {
      await using index = await SemanticIndex.open(directory, { provider: changed });
      expect(await codeOf(index.search('red cat').then(({ hits }) => hits))).toBe('SPACE_MISMATCH');
      expect(await codeOf(index.addDocuments(['more']))).toBe('SPACE_MISMATCH');
      expect(await codeOf(index.search('red cat').then(({ hits }) => hits))).toBe('SPACE_MISMATCH');
      expect(await index.count()).toBe(3);
    }
    await using index = await SemanticIndex.open(directory, { provider: honest });
    expect((await index.search('red cat', { k: 1 })).hits).toMatchObject([{ text: 'the red cat' }]);
  });
});
