import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SemanticIndex } from '../../../src/index.js';
import { createMcpServer } from '../../../src/server/mcp/mcp.js';
import { deterministicProvider } from '../../../src/testing.js';

let index: SemanticIndex;
let client: Client;
beforeAll(async () => {
  index = await SemanticIndex.open(':memory:', { provider: deterministicProvider() });
  await index.addDocuments([
    { id: 1, text: 'Shops open at nine.', metadata: { lang: 'en' } },
    { id: 2, text: 'Shops open at ten.', metadata: { lang: 'de' } },
  ]);
  const server = await createMcpServer(index, { maxHits: 20 });
  const [ofServer, ofClient] = InMemoryTransport.createLinkedPair();
  client = new Client({ name: 'test', version: '1' });
  await Promise.all([server.connect(ofServer), client.connect(ofClient)]);
});
afterAll(async () => {
  await client.close();
  await index.close();
});

async function call(name: string, args: Record<string, unknown>) {
  const { isError = false, content, structuredContent } = await client.callTool({ name, arguments: args });
  // biome-ignore lint/suspicious/noExplicitAny: what a test looks into.
  return { isError, text: (content as { text: string }[])[0]?.text ?? '', result: structuredContent as any };
}

test.each<[Record<string, unknown>, number]>([
  [{ query: 'open', k: null }, 2],
  [{ query: 'open', k: 'null' }, 2],
  [{ query: 'open', k: '1' }, 1],
  [{ query: 'open', k: ' 1.0 ' }, 1],
  [{ query: 'open', where: null }, 2],
  [{ query: 'open', where: 'null' }, 2],
  [{ query: 'open', where: {} }, 2],
  [{ query: 'open', where: '{"lang":"en"}' }, 1],
  [{ query: 'open', where: { lang: 'en' }, k: '5' }, 1],
])('search understands %j', async (args, hits) => {
  const { isError, result, text } = await call('search', args);
  expect([isError, text]).toEqual([false, text]);
  expect(result.hits).toHaveLength(hits);
});

test.each<[Record<string, unknown>, RegExp]>([
  [{ query: 'open', limit: 1 }, /"limit".*Expected query, k, where/],
  [{ query: 'open', filter: { lang: 'de' } }, /"filter"/],
  [{ query: 'open', mode: 'text' }, /"mode"/],
  [{ query: 'open', Where: {} }, /"Where".*Did you mean "where"/],
  [{ query: 'open', limit: 1, offset: 2 }, /"limit", "offset"/],
  [{ q: 'open' }, /query/],
  [{ query: null }, /Expected a text as query, got null/],
  [{ query: 'open', k: 0 }, /at least 1, got 0/],
  [{ query: 'open', k: 21 }, /at most 20, got 21/],
  [{ query: 'open', k: '1.5' }, /whole number, got 1.5/],
  [{ query: 'open', k: 'three' }, /whole number, got "three"/],
  [{ query: 'open', k: '' }, /whole number, got ""/],
  [{ query: 'open', where: 'lang=en' }, /object of conditions, got "lang=en"/],
  [{ query: 'open', where: '[1]' }, /object of conditions, got an array/],
])('search refuses %j', async (args, message) => {
  const { isError, text } = await call('search', args);
  expect(isError).toBe(true);
  expect(text).toMatch(message);
});

test.each<[unknown]>([
  [[{ text: 'a first text', id: null, metadata: null }]],
  [['a second text']],
  ['["a third text"]'],
  [[{ id: 'x', text: 'a fourth text', metadata: '{"lang":"fr"}' }]],
])('add understands %j', async (documents) => {
  const { isError, result, text } = await call('add', { documents });
  expect([isError, text]).toEqual([false, text]);
  expect(result).toMatchObject({ added: 1 });
});

test('add keeps what it understood', async () => {
  expect(await index.getDocument('x')).toMatchObject({ text: 'a fourth text', metadata: { lang: 'fr' } });
});

test.each<[Record<string, unknown>, RegExp]>([
  [
    { documents: [{ text: 'a', title: 'b', url: 'c' }] },
    /"title", "url".*Expected id, text, metadata.*at documents\[0\]/,
  ],
  [{ documents: ['a'], replace: true }, /"replace"/],
  [{ documents: [{ text: null }] }, /Expected a text, got null/],
  [{ documents: [{ text: 'a', id: 1.5 }] }, /whole number, got 1.5/],
  [{ documents: [{ text: 'a', metadata: 'b' }] }, /metadata to be an object, got "b"/],
  [{ documents: [] }, /documents/],
])('add refuses %j, and adds nothing', async (args, message) => {
  const before = await index.count();
  const { isError, text } = await call('add', args);
  expect(isError).toBe(true);
  expect(text).toMatch(message);
  expect(await index.count()).toBe(before);
});

test('the tools are described as strict objects', async () => {
  const { tools } = await client.listTools();
  const search = tools.find(({ name }) => name === 'search')?.inputSchema;
  expect(search).toMatchObject({
    required: ['query'],
    additionalProperties: false,
    properties: { k: { type: 'integer', maximum: 20 }, where: { type: 'object' } },
  });
  const add = tools.find(({ name }) => name === 'add')?.inputSchema;
  expect(add).toMatchObject({
    required: ['documents'],
    properties: { documents: { type: 'array', items: { required: ['text'], additionalProperties: false } } },
  });
});

test('a call that takes too long fails with TIMEOUT', async () => {
  const slow = deterministicProvider({ onCall: () => new Promise((resolve) => setTimeout(resolve, 5_000).unref()) });
  await using slowIndex = await SemanticIndex.open(':memory:', { provider: deterministicProvider() });
  await slowIndex.addDocuments(['a']);
  await using other = await SemanticIndex.open(':memory:', { provider: slow });
  const server = await createMcpServer(other, { answerTimeout: 50 });
  const [ofServer, ofClient] = InMemoryTransport.createLinkedPair();
  const impatient = new Client({ name: 'test', version: '1' });
  await Promise.all([server.connect(ofServer), impatient.connect(ofClient)]);
  const answer = await impatient.callTool({ name: 'add', arguments: { documents: ['b'] } });
  expect(answer).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('TIMEOUT') }] });
  await impatient.close();
});
