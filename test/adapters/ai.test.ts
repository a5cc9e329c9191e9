import { embed, embedMany, generateText, stepCountIs } from 'ai';
import { MockLanguageModelV3 } from 'ai/test';
import { expect, test } from 'vitest';
import { aiEmbeddingModel, aiProvider, searchTool } from '../../src/adapters/ai.js';
import { bundledProvider, SemanticIndex } from '../../src/index.js';
import { testProvider } from '../../src/testing.js';

test('the bundled model is a model of the SDK', async () => {
  const model = aiEmbeddingModel(bundledProvider());
  const { embeddings } = await embedMany({ model, values: ['one', 'two', 'three'] });
  expect(embeddings.map((vector) => vector.length)).toEqual([384, 384, 384]);
  const { embedding } = await embed({ model, value: 'two' });
  expect(embedding).toEqual(embeddings[1]);
});

test('a model of the SDK makes an index, and keeps the contract of providers', async () => {
  const provider = aiProvider(aiEmbeddingModel(bundledProvider()), { dimensions: 384 });
  expect(provider.id).toMatch(/^ai\?model=semantic-index%2Fbundled/);
  await testProvider(provider);
  await using index = await SemanticIndex.open(':memory:', { provider });
  await index.addDocuments([
    { id: 'a', text: 'apples and pears' },
    { id: 'b', text: 'a bicycle' },
  ]);
  expect((await index.search('fruit', { k: 1 })).hits[0]?.id).toBe('a');
});

test('a language model calls the index and is given the hits', async () => {
  await using index = await SemanticIndex.open(':memory:');
  await index.addDocuments([
    { id: 'returns', text: 'We refund the price within 30 days.', metadata: { public: true } },
    { id: 'secret', text: 'We refund the price after 30 days, too.', metadata: { public: false } },
  ]);
  const usage = { inputTokens: { total: 1 }, outputTokens: { total: 1 } } as never;
  let step = 0;
  // What is doubled is the language model, which cannot be here; the SDK runs the tool.
  const model = new MockLanguageModelV3({
    doGenerate: async () =>
      step++ === 0
        ? {
            content: [{ type: 'tool-call', toolCallId: '1', toolName: 'search', input: '{"query":"money back"}' }],
            finishReason: { unified: 'tool-calls', raw: undefined },
            usage,
            warnings: [],
          }
        : {
            content: [{ type: 'text', text: 'Within 30 days.' }],
            finishReason: { unified: 'stop', raw: undefined },
            usage,
            warnings: [],
          },
  });
  const tools = { search: searchTool(index, { description: 'The rules of the shop', where: { public: true } }) };
  const { text, steps } = await generateText({ model, tools, prompt: 'Refund?', stopWhen: stepCountIs(2) });
  expect(text).toBe('Within 30 days.');
  expect(steps[0]?.toolResults[0]?.output).toMatchObject({ hits: [{ id: 'returns' }] });
  expect(JSON.stringify(model.doGenerateCalls[1]?.prompt)).toContain('We refund the price within 30 days.');
  expect(JSON.stringify(model.doGenerateCalls[1]?.prompt)).not.toContain('secret');
});

test('the tool searches with every option of the engine, and returns snippets', async () => {
  await using index = await SemanticIndex.open(':memory:');
  await index.addDocuments([
    { id: 'old', text: 'We refund the price within 30 days.', metadata: { topic: 'money', year: 1 } },
    {
      id: 'new',
      text: `We refund the price within 30 days.\n${'Nothing else is said. '.repeat(200)}`,
      metadata: { topic: 'money', year: 9 },
    },
    { id: 'other', text: 'We refund shipping as well.', metadata: { topic: 'shipping', year: 1 } },
  ]);
  const run = async (search: NonNullable<Parameters<typeof searchTool>[1]>['search']) => {
    const { execute } = searchTool(index, { k: 3, search });
    const found = await execute?.({ query: 'refund of the price' }, { toolCallId: '1', messages: [] });
    return (found as { hits: { id: string; text: string; lines?: string }[] }).hits;
  };
  expect((await run({ groupBy: 'topic' })).map(({ id }) => id)).toHaveLength(2);
  expect((await run({ boost: [{ where: { year: 9 }, factor: 9 }] }))[0]?.id).toBe('new');
  expect((await run({ rerank: (_, hits) => hits.map(({ id }) => (id === 'other' ? 1 : 0)) }))[0]?.id).toBe('other');
  const long = (await run({ snippet: { maxTokens: 20 } })).find(({ id }) => id === 'new');
  expect([long?.text.startsWith('We refund'), (long?.text.length ?? 0) < 200, long?.lines?.startsWith('1-')]).toEqual([
    true,
    true,
    true,
  ]);
  await expect(run({ minScor: 1 } as never)).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' });
});

test('provider options reach the model, those of queries with queries, and are part of the id', async () => {
  const seen: unknown[] = [];
  const model = {
    ...aiEmbeddingModel(bundledProvider()),
    async doEmbed({ values, providerOptions }: { values: string[]; providerOptions?: unknown }) {
      seen.push(providerOptions);
      return { embeddings: values.map((text) => [text.length, 1, 2]), warnings: [] };
    },
  };
  const options = { providerOptions: { a: { task: 'document' } }, queryProviderOptions: { a: { task: 'query' } } };
  const provider = aiProvider(model, options);
  await provider.embed(['a text'], { role: 'document' });
  await provider.embed(['a query'], { role: 'query' });
  expect(seen).toEqual([options.providerOptions, options.queryProviderOptions]);
  expect(provider.id).not.toBe(aiProvider(model).id);
  expect(() => aiProvider(model, { providerOption: {} } as never)).toThrow(/unknown option "providerOption"/);
});
