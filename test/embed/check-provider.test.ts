import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { SemanticIndex } from '../../src/index.js';

const embed = async (texts: readonly string[]) => ({ vectors: texts.map(() => Float32Array.of(1, 2)) });

it.each<[unknown, RegExp]>([
  [{ embed }, /expected a provider with a string as id, got undefined/],
  [{ id: '', embed }, /string as id/],
  [{ id: 5, embed }, /string as id, got 5/],
  [{ id: 'x' }, /a function embed, got undefined/],
  [{ embedDocuments: embed, embedQuery: embed }, /langchainProvider/],
  [{ getTextEmbedding: embed }, /llamaindexProvider/],
  [{ doEmbed: embed, modelId: 'x' }, /aiProvider/],
  [embed, /got a function/],
  ['text-embedding-3-small', /openaiProvider/],
  [Promise.resolve({ id: 'x', embed }), /a function embed/],
  [{ id: 'x', embed, dimensions: '384' }, /as dimensions, got "384"/],
  [{ id: 'x', embed, maxBatchSize: 0 }, /as maxBatchSize, got 0/],
  [{ id: 'x', embed, countTokens: 5 }, /as countTokens, got 5/],
])('refuses a provider that is %j', async (provider, said) => {
  const refusal = async (call: Promise<unknown>) => {
    const error = await call.then(
      () => undefined,
      (reason) => reason,
    );
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(`${error.message} | ${error.hint}`).toMatch(said);
  };
  await refusal(SemanticIndex.open(':memory:', { provider: provider as never }));
  await using index = await SemanticIndex.open(':memory:');
  await refusal(index.migrate(provider as never));
});

it.each([
  '~',
  '~/notes',
  's3://bucket/index',
  'https://example.org/i',
  pathToFileURL(tmpdir()).href,
  'file:x',
  'a\0b',
  '',
])('refuses the path %j and makes no directory', async (path) => {
  const before = await readdir('.');
  const refused = { code: 'INVALID_ARGUMENT' };
  await using index = await SemanticIndex.open(':memory:', { provider: { id: 'x', embed } });
  await index.addDocuments(['a']);
  await expect(SemanticIndex.open(path)).rejects.toMatchObject(refused);
  await expect(index.backup(path)).rejects.toMatchObject(refused);
  await expect(index.exportTo(path)).rejects.toMatchObject(refused);
  await expect(SemanticIndex.open(':memory:', { cache: { embeddings: path } })).rejects.toMatchObject(refused);
  expect(await readdir('.')).toEqual(before);
});
